#include "statement.h"

#include <string.h>

void em_sql_statement_add(struct em_sql_statement *s, const struct em_sql_token *token)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 32;
        s->v = em_realloc(s->v, s->cap, sizeof *s->v);
    }
    s->v[s->n++] = *token;
}

bool em_sql_eat(struct em_sql_reader *r, const char *words)
{
    const struct em_sql_token *at = r->at;
    while (*words) {
        size_t n = strcspn(words, " ");
        EM_FREE char *word = em_strndup(words, n);
        if (at == r->end || !em_sql_word_is(at++, word))
            return false;
        words += n + (words[n] == ' ');
    }
    r->at = at;
    return true;
}

bool em_sql_see(const struct em_sql_reader *r, const char *words)
{
    struct em_sql_reader copy = *r;
    return em_sql_eat(&copy, words);
}

bool em_sql_eat_sign(struct em_sql_reader *r, char sign)
{
    if (r->at == r->end || r->at->len != 1 || *r->at->at != sign)
        return false;
    r->at++;
    return true;
}

/* ---- Names -------------------------------------------------------------------------------------- */

/* "a ""b""" without its quotes, doubled ones once. */
static void add_quoted(const struct em_sql_token *token, struct em_str *name)
{
    const char *p = memchr(token->at, '"', token->len), *end = token->at + token->len - 1;
    for (p = p ? p + 1 : end; p < end; p++) {
        p += *p == '"' && p + 1 < end;
        em_str_putc(name, *p == '.' ? '\1' : *p);
    }
}

/* A variable stands for itself. */
static bool add_part(const struct em_sql_token *token, struct em_str *name)
{
    if (token->kind == EM_SQL_QUOTED && token->opens && token->closes) {
        add_quoted(token, name);
        return true;
    }
    if (token->kind != EM_SQL_WORD && !em_sql_is_variable(token->kind))
        return false;
    for (size_t i = 0; i < token->len; i++)
        em_str_putc(name, em_is_upper(token->at[i]) ? (char)(token->at[i] | 0x20) : token->at[i]);
    return true;
}

bool em_sql_eat_name(struct em_sql_reader *r, struct em_str *name)
{
    em_str_cut(name, 0);
    if (r->at == r->end || !add_part(r->at, name))
        return false;
    r->at++;
    while (r->end - r->at >= 2 && r->at->len == 1 && *r->at->at == '.') {
        em_str_putc(name, '.');
        if (!add_part(r->at + 1, name))
            return true;
        r->at += 2;
    }
    return true;
}

/* ---- Parentheses -------------------------------------------------------------------------------- */

bool em_sql_eat_group(struct em_sql_reader *r, struct em_sql_reader *inside)
{
    size_t depth = 0;
    const struct em_sql_token *start = r->at;
    if (start == r->end || start->kind != EM_SQL_OPEN)
        return false;
    for (; r->at < r->end; r->at++) {
        depth += r->at->kind == EM_SQL_OPEN;
        if (r->at->kind == EM_SQL_CLOSE && --depth == 0)
            break;
    }
    if (inside)
        *inside = (struct em_sql_reader){start + 1, r->at};
    r->at += r->at < r->end;
    return true;
}

struct em_sql_reader em_sql_eat_item(struct em_sql_reader *r)
{
    struct em_sql_reader item = *r;
    while (r->at < r->end) {
        item.end = r->at;
        if (em_sql_eat_sign(r, ','))
            return item;
        if (!em_sql_eat_group(r, NULL))
            r->at++;
    }
    item.end = r->end;
    return item;
}

bool em_sql_seek(struct em_sql_reader *r, const char *words)
{
    struct em_sql_reader look = *r;
    while (look.at < look.end) {
        if (em_sql_eat(&look, words)) {
            *r = look;
            return true;
        }
        if (!em_sql_eat_group(&look, NULL))
            look.at++;
    }
    return false;
}
