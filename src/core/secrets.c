#include "embark/core/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/guess.h"

enum { SHORT = 3 }; /* a secret below this many bytes is hidden only as a whole word */

/* ---- The set ---- */

static void add_form(struct em_secrets *secrets, const char *form)
{
    if (*form && !em_list_has(&secrets->list, form))
        em_list_add(&secrets->list, form);
}

/* With `escape` in front of each byte of `special`; '\0': the byte itself is doubled. */
static void add_quoted(struct em_secrets *secrets, const char *secret, const char *special,
                       char escape)
{
    EM_STR_WIPED form = EM_STR_INIT;
    for (const char *p = secret; *p; p++) {
        if (strchr(special, *p))
            em_str_putc(&form, escape ? escape : *p);
        em_str_putc(&form, *p);
    }
    add_form(secrets, em_str_c(&form));
}

void em_secrets_add(struct em_secrets *secrets, const char *secret)
{
    EM_STR_WIPED escaped = EM_STR_INIT;
    if (!secret || !*secret)
        return;
    add_form(secrets, secret);
    add_quoted(secrets, secret, "'", '\0');    /* SQL */
    add_quoted(secrets, secret, "\"", '\0');   /* Npgsql */
    add_quoted(secrets, secret, "'\\", '\\');  /* keyword=value, E'' */
    add_quoted(secrets, secret, "\"\\", '\\'); /* JSON */
    em_escape(&escaped, secret, strlen(secret));
    add_form(secrets, em_str_c(&escaped));
}

void em_secrets_free(struct em_secrets *secrets)
{
    for (size_t i = 0; i < secrets->list.n; i++)
        explicit_bzero(secrets->list.v[i], strlen(secrets->list.v[i]));
    em_list_free(&secrets->list);
}

/* ---- Looking for its members ---- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* How many bytes at `text` (which ends in a NUL) are `secret` with some of its bytes as %XX or, a
 * blank, as +; 0: they aren't. A % of the secret is always encoded then. */
static size_t match_encoded(const char *text, const char *secret)
{
    const char *p = text;
    for (; *secret; secret++) {
        if (*p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0 &&
            hex(p[1]) * 16 + hex(p[2]) == (unsigned char)*secret)
            p += 3;
        else if (*secret != '%' && (*p == *secret || (*secret == ' ' && *p == '+')))
            p++;
        else
            return 0;
    }
    return (size_t)(p - text);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static void mark_secret(const char *secret, const struct em_str *text, bool *mark)
{
    size_t length = strlen(secret);
    for (size_t i = 0; i < text->len; i++) {
        const char *at = text->data + i;
        size_t n = strncmp(at, secret, length) == 0 ? length : 0,
               encoded = match_encoded(at, secret);
        if (encoded > n)
            n = encoded;
        bool inside = (i > 0 && is_word(at[-1])) || is_word(at[n]);
        if (n > 0 && (length >= SHORT || !inside))
            memset(mark + i, true, n);
    }
}

void em_redact(const struct em_secrets *secrets, struct em_str *text)
{
    if (!text->len)
        return;
    /* Marked first and replaced then, so that one secret can't hide the rest of another that
     * overlaps it, and what was put in is not looked at again. */
    EM_STR_AUTO clean = EM_STR_INIT;
    EM_FREE bool *mark = em_alloc(text->len * sizeof *mark);
    em_guess_passwords(text->data, text->len, mark);
    for (size_t i = 0; secrets && i < secrets->list.n; i++)
        mark_secret(secrets->list.v[i], text, mark);
    for (size_t i = 0; i < text->len; i++) {
        if (!mark[i])
            em_str_putc(&clean, text->data[i]);
        else if (i == 0 || !mark[i - 1])
            em_str_puts(&clean, "****");
    }
    em_str_wipe(text);
    *text = clean;
    clean = (struct em_str)EM_STR_INIT;
}
