#include "embark/core/config/infer.h"

#include <string.h>

#include "embark/core/redact/secrets.h"

static const char blank[] = " \t\r";

/* What is made of it is a file that somebody looks at and uses: no control characters, nothing that
 * reorders text. */
static bool is_shown_as_it_is(const char *value, size_t length)
{
    EM_STR_AUTO shown = EM_STR_INIT;
    em_escape(&shown, value, length);
    return shown.len == length;
}

/* Nor anything that the configuration would take for more than a name. */
static bool is_plain(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr(":%;$,", value[i]))
            return false;
    return is_shown_as_it_is(value, length);
}

/* ---- alembic.ini ----------------------------------------------------------------------------- */

bool em_infer_script_location(const char *ini, struct em_str *out)
{
    static const char name[] = "script_location", here[] = "%(here)s";

    for (const char *p = ini; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        const char *value = p + strlen(name);
        size_t n;

        if (!em_starts(p, name))
            continue;
        value += strspn(value, blank);
        if (*value != '=' && *value != ':')
            continue;
        value += 1 + strspn(value + 1, blank);
        if (em_starts(value, here)) {
            value += strlen(here);
            value += strspn(value, "/");
        }
        n = strcspn(value, "\r\n");
        while (n && strchr(blank, value[n - 1]))
            n--;
        if (n == 0 || n > 150 || !is_plain(value, n))
            return false;
        em_str_add(out, value, n);
        return true;
    }
    return false;
}

/* ---- Gemfile --------------------------------------------------------------------------------- */

static bool begins(const char *line, const char *word)
{
    size_t n = strlen(word);

    return strncmp(line, word, n) == 0 && line[n] && strchr(" \t(\r\n", line[n]);
}

static bool has_word(const char *line, size_t length, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= length; i++)
        if (strncmp(line + i, word, n) == 0)
            return true;
    return false;
}

static bool for_development(const char *line, size_t length)
{
    return has_word(line, length, "development") || has_word(line, length, ":test") ||
           has_word(line, length, "\"test\"") || has_word(line, length, "'test'");
}

static void add_gem(const char *line, size_t length, struct em_list *out)
{
    const char *end = line + length, *p = line + 3;
    const char *start;

    while (p < end && strchr(" \t(", *p))
        p++;
    if (p >= end || (*p != '"' && *p != '\''))
        return;
    start = ++p;
    while (p < end && *p != p[start - p - 1] && *p != '"' && *p != '\'')
        p++;
    /* A gem of a platform or with a condition may be meant to be missing. */
    if (p >= end || has_word(p, (size_t)(end - p), "platform") ||
        has_word(p, (size_t)(end - p), " if ") || has_word(p, (size_t)(end - p), "group") ||
        has_word(p, (size_t)(end - p), "install_if"))
        return;
    if (p > start && is_plain(start, (size_t)(p - start)))
        em_list_take(out, em_strndup(start, (size_t)(p - start)));
}

void em_infer_gems(const char *gemfile, struct em_list *out)
{
    int depth = 0, skipped = 0; /* the depth at which a block that isn't looked at began */

    for (const char *p = gemfile; *p; p += *p == '\n') {
        const char *line = p + strspn(p, blank);
        size_t length = strcspn(line, "\n"), n = length;

        p = line + length;
        while (n && strchr(blank, line[n - 1]))
            n--;
        if (n >= 3 && has_word(line + n - 3, 3, " do")) {
            depth++;
            if (!skipped && (for_development(line, n) || begins(line, "platforms") ||
                             begins(line, "platform") || begins(line, "install_if")))
                skipped = depth;
        } else if (n == 3 && strncmp(line, "end", 3) == 0) {
            if (skipped == depth)
                skipped = 0;
            depth -= depth > 0;
        } else if (begins(line, "if") || begins(line, "unless")) {
            depth++;
            if (!skipped)
                skipped = depth;
        } else if (!skipped && begins(line, "gem")) {
            add_gem(line, n, out);
        }
    }
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void add_word(const char *word, struct em_str *out)
{
    bool plain = *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_-+=:,./@%")] == '\0';

    if (plain) {
        em_str_puts(out, word);
        return;
    }
    em_str_putc(out, '\'');
    for (const char *p = word; *p; p++)
        if (*p == '\'')
            em_str_puts(out, "'\\''");
        else
            em_str_putc(out, *p);
    em_str_putc(out, '\'');
}

bool em_infer_words(const char *key, const struct em_list *words, struct em_str *out)
{
    enum { LINE = 150 };
    size_t before = out->len, line = out->len;

    em_str_printf(out, "%s =", key);
    for (size_t i = 0; i < words->n; i++) {
        EM_STR_AUTO word = EM_STR_INIT;

        add_word(words->v[i], &word);
        if (word.len > LINE || !is_shown_as_it_is(words->v[i], strlen(words->v[i])) ||
            strstr(words->v[i], " ;") || words->v[i][0] == ';') {
            em_str_cut(out, before);
            return false;
        }
        if (out->len - line + word.len > LINE) {
            em_str_puts(out, "\n   ");
            line = out->len;
        }
        em_str_printf(out, " %s", em_str_c(&word));
    }
    em_str_putc(out, '\n');
    return true;
}
