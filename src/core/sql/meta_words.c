#include "embark/core/sql/meta_words.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/lexer.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

void em_sql_meta_words_name(struct em_sql_meta_words *slash, struct em_str *name)
{
    while (slash->at < slash->end && !is_space(*slash->at) && *slash->at != '\\')
        em_str_putc(name, *slash->at++);
}

/* ---- Quotes ---- */

static size_t digits(const struct em_sql_meta_words *slash, const char *at, const char *set,
                     size_t most)
{
    size_t n = 0;

    while (n < most && at + n < slash->end && at[n] && strchr(set, at[n]))
        n++;
    return n;
}

/* What the backslash at `at` stands for. */
static void take_escape(struct em_sql_meta_words *slash, struct em_str *out)
{
    static const char names[] = "ntbrf", bytes[] = "\n\t\b\r\f";
    char number[4] = "";
    const char *p = ++slash->at, *name;
    size_t n;

    if ((n = digits(slash, p, "01234567", 3)) > 0) {
        memcpy(number, p, n);
        em_str_putc(out, (char)strtol(number, NULL, 8));
    } else if (*p == 'x' && (n = digits(slash, p + 1, "0123456789abcdefABCDEF", 2)) > 0) {
        memcpy(number, p + 1, n++);
        em_str_putc(out, (char)strtol(number, NULL, 16));
    } else {
        name = *p ? strchr(names, *p) : NULL;
        em_str_putc(out, name ? bytes[name - names] : *p);
        n = 1;
    }
    slash->at += n;
}

/* Behind the opening quote. False: it isn't closed. */
static bool take_single(struct em_sql_meta_words *slash, struct em_str *out)
{
    while (slash->at < slash->end) {
        if (*slash->at == '\\' && slash->end - slash->at > 1) {
            take_escape(slash, out);
            continue;
        }
        if (*slash->at == '\'') {
            slash->at++;
            if (slash->at == slash->end || *slash->at != '\'')
                return true;
        }
        em_str_putc(out, *slash->at++);
    }
    return false;
}

static bool take_until(struct em_sql_meta_words *slash, char quote, struct em_str *out)
{
    const char *end = memchr(slash->at, quote, (size_t)(slash->end - slash->at));

    if (!end)
        return false;
    em_str_add(out, slash->at, (size_t)(end - slash->at));
    slash->at = end + 1;
    return true;
}

/* ---- Variables ---- */

static bool all_digits(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (name[i] < '0' || name[i] > '9')
            return false;
    return true;
}

static void add_variable(struct em_sql_meta_words *slash, const struct em_sql_token *token,
                         struct em_str *out)
{
    const char *name, *value = NULL;
    size_t length;

    em_sql_token_name(token, &name, &length);
    if (slash->vars)
        value = em_sql_vars_find(slash->vars, name, length);
    if (slash->vars && token->kind == EM_SQL_TEST) {
        em_str_puts(out, value ? "TRUE" : "FALSE");
        return;
    }
    if (value && token->kind == EM_SQL_VALUE) {
        em_str_puts(out, value);
    } else if (value && token->kind == EM_SQL_LITERAL) {
        em_sql_quote_literal(out, value);
    } else if (value) {
        em_sql_quote_ident(out, value);
    } else {
        em_str_add(out, token->at, token->len);
        if (slash->vars && !slash->unset && !all_digits(name, length)) {
            slash->unset = token->at;
            slash->unset_name = name;
            slash->unset_length = length;
        }
    }
}

/* The variable at the colon here. False: there is none. */
static bool take_variable(struct em_sql_meta_words *slash, struct em_str *out)
{
    struct em_sql_lex lex;
    struct em_sql_token token;

    em_sql_lex_start(&lex);
    em_sql_lex_chunk(&lex, slash->at, (size_t)(slash->end - slash->at), false);
    em_sql_lex_next(&lex, &token);
    em_sql_lex_free(&lex);
    if (!em_sql_is_variable(token.kind))
        return false;
    add_variable(slash, &token, out);
    slash->at += token.len;
    return true;
}

/* ---- Arguments ---- */

/* One quote, variable or byte; `plain` counts the bytes at the end that weren't quoted. */
static bool take_part(struct em_sql_meta_words *slash, struct em_str *out, size_t *plain)
{
    char c = *slash->at;
    bool closed = true;

    if (c == ':' && take_variable(slash, out)) {
        slash->quoted = true;
        *plain = 0;
        return true;
    }
    slash->at++;
    if (c != '\'' && c != '"' && c != '`') {
        em_str_putc(out, c);
        ++*plain;
        return true;
    }
    slash->quoted = true;
    *plain = 0;
    if (c == '\'') {
        closed = take_single(slash, out);
    } else if (c == '"') {
        em_str_putc(out, c);
        closed = take_until(slash, c, out);
        em_str_putc(out, c);
    } else {
        slash->shell = true;
        closed = take_until(slash, c, out);
    }
    return closed;
}

enum em_sql_arg em_sql_meta_words_arg(struct em_sql_meta_words *slash, struct em_str *out)
{
    size_t before = out->len, plain = 0;

    slash->quoted = slash->shell = false;
    slash->unset = NULL;
    while (slash->at < slash->end && is_space(*slash->at))
        slash->at++;
    while (slash->at < slash->end && !is_space(*slash->at) && *slash->at != '\\')
        if (!take_part(slash, out, &plain)) {
            em_sql_meta_words_drop(slash);
            return EM_SQL_ARG_OPEN;
        }
    if (slash->strip)
        for (; plain > 0 && out->data[out->len - 1] == ';'; plain--)
            em_str_cut(out, out->len - 1);
    return out->len == before && !slash->quoted ? EM_SQL_ARG_NONE : EM_SQL_ARG_OK;
}

void em_sql_meta_words_drop(struct em_sql_meta_words *slash)
{
    slash->at = slash->end;
}

void em_sql_meta_words_end(struct em_sql_meta_words *slash)
{
    if (slash->end - slash->at >= 2 && memcmp(slash->at, "\\\\", 2) == 0)
        slash->at += 2;
}
