#include "embark/core/redact/secret_sources.h"

#include <string.h>
#include <strings.h>

#include "embark/core/redact/secret_names.h"
#include "password_scan.h"
#include "secret_value.h"

static bool all_of(const char *value, size_t length, const char *bytes)
{
    size_t i = 0;
    while (i < length && strchr(bytes, value[i]))
        i++;
    return i == length;
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* One that would be found everywhere. */
static bool is_common(const char *value, size_t length)
{
    static const char *const words[] = {
        "postgres", "password", "localhost",   "development", "production", "staging",
        "default",  "disabled", "enabled",     "required",    "optional",   "example",
        "database", "username", "unspecified", "undefined",   "postgresql", NULL};
    return em_is_one_of(value, length, words);
}

static bool is_path(const char *value, size_t length)
{
    static const char *const roots[] = {"/etc/", "/run/",  "/var/",     "/usr/",  "/opt/",
                                        "/srv/", "/home/", "/app/",     "/tmp",   "/root/",
                                        "/mnt/", "/data/", "/secrets/", "/certs/"};
    for (size_t i = 0; i < EM_COUNT(roots); i++)
        if (em_starts(value, roots[i]))
            return all_of(value, length, LOWER UPPER DIGITS "/._-");
    return false;
}

bool em_secret_worth(const char *value, size_t length)
{
    bool plain = all_of(value, length, LOWER) || all_of(value, length, DIGITS "-.:") ||
                 all_of(value, length, UPPER);
    if (length < (plain ? 6 : 4) || is_common(value, length))
        return false;
    return !(*value == '$' && length > 1 &&
             (value[1] == '{' || value[1] == '(' || value[1] == '_' || em_is_lower(value[1]) ||
              em_is_upper(value[1])));
}

static void learn(const char *value, size_t length, struct em_secrets *secrets)
{
    EM_STR_WIPED copy = EM_STR_INIT;
    EM_STR_WIPED decoded = EM_STR_INIT;
    em_str_add(&copy, value, length);
    em_secrets_add_likely(secrets, em_str_c(&copy));
    for (const char *p = em_str_c(&copy); *p; p++) {
        bool encoded = *p == '%' && em_hex_value(p[1]) >= 0 && em_hex_value(p[2]) >= 0;
        em_str_putc(&decoded, encoded ? (char)(em_hex_value(p[1]) * 16 + em_hex_value(p[2])) : *p);
        p += encoded ? 2 : 0;
    }
    if (decoded.len && decoded.len < copy.len && !memchr(decoded.data, '\0', decoded.len))
        em_secrets_add_likely(secrets, em_str_c(&decoded));
}

void em_secrets_of_marks(const char *text, const bool *mark, size_t length,
                         struct em_secrets *secrets)
{
    for (size_t i = 0, start; i < length; i++) {
        if (!mark[i])
            continue;
        for (start = i; i < length && mark[i];)
            i++;
        size_t n = i - start;
        /* A script's quotes are the shell's. */
        if (n > 2 && (text[start] == '\'' || text[start] == '"') && text[i - 1] == text[start]) {
            start++;
            n -= 2;
        }
        if (em_secret_worth(text + start, n))
            learn(text + start, n, secrets);
    }
}

void em_secrets_of_pair(const char *pair, struct em_secrets *secrets)
{
    const char *equals = strchr(pair, '=');
    const char *value = equals ? equals + 1 : "";
    size_t length = strlen(value);
    if (!length)
        return;
    EM_FREE bool *mark = em_alloc(length * sizeof *mark);
    bool place = strstr(value, "://") != NULL || is_path(value, length);
    em_password_scan(value, length, mark);
    em_secrets_of_marks(value, mark, length, secrets);
    if (!place && em_is_secret_name(pair, (size_t)(equals - pair)) &&
        em_secret_worth(value, length))
        learn(value, length, secrets);
}

void em_secrets_of_environment(char *const *env, struct em_secrets *secrets)
{
    for (; env && *env; env++)
        em_secrets_of_pair(*env, secrets);
}
