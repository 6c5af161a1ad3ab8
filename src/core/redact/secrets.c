#include "embark/core/redact/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/base/utf8.h"
#include "password_scan.h"
#include "secret_match.h"

/* ---- The set ---- */

static void add_form(struct em_list *list, const char *form)
{
    if (*form && !em_list_has(list, form))
        em_list_add(list, form);
}

/* With `escape` in front of each byte of `special`; '\0': the byte itself is doubled. */
static void add_quoted(struct em_list *list, const char *secret, const char *special, char escape)
{
    EM_STR_WIPED form = EM_STR_INIT;
    for (const char *p = secret; *p; p++) {
        if (strchr(special, *p))
            em_str_putc(&form, escape ? escape : *p);
        em_str_putc(&form, *p);
    }
    add_form(list, em_str_c(&form));
}

static void put_json(struct em_str *out, const char *p, size_t n, uint32_t code, bool html)
{
    static const char controls[] = "\b\f\n\r\t", names[] = "bfnrt";
    const char *control = code < 0x20 ? strchr(controls, (int)code) : NULL;
    if (code == '"' || code == '\\')
        em_str_printf(out, "\\%c", *p);
    else if (control)
        em_str_printf(out, "\\%c", names[control - controls]);
    else if (code < 0x20 || (html && code < 0x80 && strchr("<>&", (int)code)) ||
             (!html && code >= 0x7F && code <= 0xFFFF))
        em_str_printf(out, "\\u%04x", (unsigned)code);
    else if (!html && code > 0xFFFF)
        em_str_printf(out, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((code - 0x10000) >> 10)),
                      (unsigned)(0xDC00 + ((code - 0x10000) & 0x3FF)));
    else
        em_str_add(out, p, n);
}

/* JSON of a library that writes ASCII only, such as Python's, and Go's, which hides HTML. */
static void add_ascii(struct em_list *list, const char *secret)
{
    EM_STR_WIPED ascii = EM_STR_INIT;
    EM_STR_WIPED html = EM_STR_INIT;
    for (const char *p = secret; *p;) {
        uint32_t code;
        size_t n = em_utf8_decode(p, strlen(p), &code);
        if (n == 0)
            return;
        put_json(&ascii, p, n, code, false);
        put_json(&html, p, n, code, true);
        p += n;
    }
    add_form(list, em_str_c(&ascii));
    add_form(list, em_str_c(&html));
}

/* Within '…', as set -x and Python's shlex.quote() write it. */
static void add_shell(struct em_list *list, const char *secret)
{
    EM_STR_WIPED traced = EM_STR_INIT;
    EM_STR_WIPED quoted = EM_STR_INIT;
    for (const char *p = secret; *p; p++) {
        em_str_puts(&traced, *p == '\'' ? "'\\''" : (char[]){*p, '\0'});
        em_str_puts(&quoted, *p == '\'' ? "'\"'\"'" : (char[]){*p, '\0'});
    }
    add_form(list, em_str_c(&traced));
    add_form(list, em_str_c(&quoted));
}

static void add_forms(struct em_list *list, const char *secret)
{
    EM_STR_WIPED escaped = EM_STR_INIT;
    if (!secret || !*secret)
        return;
    add_form(list, secret);
    add_quoted(list, secret, "'", '\0');    /* SQL */
    add_quoted(list, secret, "\"", '\0');   /* Npgsql */
    add_quoted(list, secret, "'\\", '\\');  /* keyword=value, E'' */
    add_quoted(list, secret, "\"\\", '\\'); /* JSON */
    em_escape(&escaped, secret, strlen(secret));
    add_form(list, em_str_c(&escaped));
    add_ascii(list, secret);
    add_shell(list, secret);
}

void em_secrets_add(struct em_secrets *secrets, const char *secret)
{
    add_forms(&secrets->list, secret);
}

void em_secrets_add_likely(struct em_secrets *secrets, const char *secret)
{
    if (secret && !em_list_has(&secrets->list, secret))
        add_forms(&secrets->likely, secret);
}

size_t em_secrets_count(const struct em_secrets *secrets)
{
    return secrets->list.n + secrets->likely.n;
}

const char *em_secrets_form(const struct em_secrets *secrets, size_t i)
{
    return i < secrets->list.n ? secrets->list.v[i] : secrets->likely.v[i - secrets->list.n];
}

static void wipe(struct em_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        explicit_bzero(list->v[i], strlen(list->v[i]));
    em_list_free(list);
}

void em_secrets_free(struct em_secrets *secrets)
{
    wipe(&secrets->list);
    wipe(&secrets->likely);
}

/* ---- Taking its members out ---- */

/* ---- What was cut ---- */

/* Of a text that somebody has cut before it came here, part of a secret may be left. */
static void mark_beginning(const char *secret, const struct em_str *text, size_t cut, bool *mark)
{
    size_t longest = 3 * strlen(secret);
    for (size_t i = cut > longest ? cut - longest : 0; i < cut; i++) {
        size_t n = em_secret_begins(secret, text->data + i, text->data + cut);
        if (!em_secret_tells(secret, n))
            continue;
        memset(mark + i, true, cut - i);
        return;
    }
}

static void mark_end(const char *secret, const struct em_str *text, size_t from, bool *mark)
{
    size_t length = strlen(secret);
    for (size_t i = 1; i < length && em_secret_tells(secret, length - i); i++)
        if (strncmp(text->data + from, secret + i, length - i) == 0) {
            memset(mark + from, true, length - i);
            return;
        }
}

/* The marks that embark, PostgreSQL and others leave there. */
static void mark_cut(const struct em_secrets *secrets, const struct em_str *text, bool *mark)
{
    static const char *const cuts[] = {"\xE2\x80\xA6", "..."};
    for (size_t c = 0; c < 2; c++) {
        size_t length = strlen(cuts[c]);
        for (const char *at = text->data;
             (at = memmem(at, text->len - (size_t)(at - text->data), cuts[c], length)) != NULL;
             at += length) {
            size_t cut = (size_t)(at - text->data);
            for (size_t i = 0; i < em_secrets_count(secrets); i++) {
                mark_beginning(em_secrets_form(secrets, i), text, cut, mark);
                mark_end(em_secrets_form(secrets, i), text, cut + length, mark);
            }
        }
    }
}

/* Marked first and replaced then, so that one secret can't hide the rest of another that overlaps
 * it, and what was put in is not looked at again. */
static void replace(struct em_str *text, const bool *mark, size_t *at)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    size_t from = at ? *at : 0;
    for (size_t i = 0; i < text->len; i++) {
        if (at && i == from)
            *at = clean.len;
        if (!mark[i])
            em_str_putc(&clean, text->data[i]);
        else if (i == 0 || !mark[i - 1])
            em_str_puts(&clean, "****");
    }
    if (at && from >= text->len)
        *at = clean.len;
    em_str_wipe(text);
    *text = clean;
    clean = (struct em_str)EM_STR_INIT;
}

void em_redact(const struct em_secrets *secrets, struct em_str *text)
{
    em_redact_at(secrets, text, NULL);
}

void em_redact_at(const struct em_secrets *secrets, struct em_str *text, size_t *at)
{
    if (!text->len)
        return;
    EM_FREE bool *mark = em_alloc(text->len * sizeof *mark);
    em_password_scan(text->data, text->len, mark);
    em_password_scan_named(text->data, text->len, mark);
    for (size_t i = 0; secrets && i < em_secrets_count(secrets); i++)
        em_secret_mark(em_secrets_form(secrets, i), text, 0, false, mark);
    if (secrets)
        mark_cut(secrets, text, mark);
    replace(text, mark, at);
}

void em_redact_sure(const struct em_secrets *secrets, struct em_str *text)
{
    if (!text->len)
        return;
    EM_FREE bool *mark = em_alloc(text->len * sizeof *mark);
    em_password_scan(text->data, text->len, mark);
    for (size_t i = 0; i < secrets->list.n; i++)
        em_secret_mark(secrets->list.v[i], text, 0, false, mark);
    replace(text, mark, NULL);
}
