#include "embark/core/sql/lint/lint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "blocking_rules.h"
#include "embark/core/sql/lint/dump.h"
#include "lint_meta.h"
#include "lint_quoted.h"

/* ---- Statements ---- */

static void new_statement(struct em_sql_walk *walk)
{
    walk->n = walk->words = 0;
    walk->as = walk->language = walk->other_code = false;
    memset(walk->first, 0, sizeof(walk->first));
}

/* DO, or CREATE [OR REPLACE] {FUNCTION|PROCEDURE}. */
static bool holds_code(const struct em_sql_walk *walk)
{
    const char *w = walk->first;
    char what = w[1] == 'o' && w[2] == 'r' ? w[3] : w[1];

    return w[0] == 'd' || (w[0] == 'c' && (what == 'f' || what == 'p'));
}

static void end_statement(struct em_sql_walk *walk)
{
    for (size_t i = 0; i < walk->n; i++) {
        const struct em_sql_dollar *d = &walk->dollars[i];

        em_sql_lint_dollar(walk->lint, walk->source, d->start, d->end,
                           holds_code(walk) && d->body && !walk->other_code);
    }
    em_sql_lint_transaction_end(walk);
    em_sql_blocking_end(walk);
    new_statement(walk);
}

static void take_word(struct em_sql_walk *walk, const struct em_sql_token *token)
{
    static const char *const known[] = {"do", "create", "or", "replace", "function", "procedure"};

    for (size_t i = 0; i < EM_COUNT(known); i++)
        if (walk->words < sizeof(walk->first) && em_sql_word_is(token, known[i]))
            walk->first[walk->words] = *known[i];
    walk->words++;
}

/* Behind LANGUAGE: a name, in quotes or not. */
static void take_language(struct em_sql_walk *walk, const struct em_sql_token *token)
{
    const char *name = token->at;
    size_t length = token->len;

    if ((*name == '\'' || *name == '"') && length > 2) {
        name++;
        length -= 2;
    }
    walk->other_code = !(length == 3 && strncasecmp(name, "sql", 3) == 0) &&
                       !(length == 7 && strncasecmp(name, "plpgsql", 7) == 0);
}

static void take_dollar(struct em_sql_walk *walk, size_t end)
{
    if (walk->n == walk->cap) {
        walk->cap = walk->cap ? walk->cap * 2 : 4;
        walk->dollars = em_realloc(walk->dollars, walk->cap, sizeof(*walk->dollars));
    }
    walk->dollars[walk->n++] = (struct em_sql_dollar){walk->split.opened_at, end, walk->body};
}

static void take_quoted(struct em_sql_walk *walk, const struct em_sql_token *token, size_t offset)
{
    size_t start = token->opens ? offset : walk->split.opened_at, end = offset + token->len;

    if (token->opens) {
        walk->split.opened_at = offset;
        walk->body = walk->as || walk->first[0] == 'd';
    }
    if (!token->closes)
        return;
    if (token->kind == EM_SQL_DOLLAR) {
        take_dollar(walk, end);
    } else if (token->kind == EM_SQL_STRING) {
        em_sql_lint_string(walk->lint, walk->source, start, end);
        em_sql_lint_inverted(walk->lint, walk->source, start, end);
    }
}

static void on_token(void *ctx, struct em_sql_split *split, const struct em_sql_token *token,
                     size_t offset)
{
    struct em_sql_walk *walk = ctx;
    const char *name;
    size_t length;

    em_sql_blocking_token(walk, token, offset);
    if (token->kind == EM_SQL_SPACE || token->kind == EM_SQL_COMMENT || token->kind == EM_SQL_BLOCK)
        return;
    if (walk->lint->alone)
        em_sql_lint_transaction(walk, token, offset);
    take_quoted(walk, token, offset);
    if (walk->language)
        take_language(walk, token);
    if (token->kind == EM_SQL_WORD)
        take_word(walk, token);
    walk->as = em_sql_word_is(token, "as");
    walk->language = em_sql_word_is(token, "language");
    if (!em_sql_is_variable(token->kind) || em_sql_colons_own(&split->colons, token))
        return;
    em_sql_token_name(token, &name, &length);
    if (token->kind != EM_SQL_TEST && !em_sql_vars_find(&walk->lint->vars, name, length))
        em_sql_lint_unset(walk, name, length, offset);
}

/* SET standard_conforming_strings = off changes how the rest is to be lexed. */
static void follow_settings(struct em_sql_walk *walk)
{
    static const char setting[] = "standard_conforming_strings";
    const char *text = em_str_c(&walk->split.text.bytes), *p;
    EM_FREE char *value = NULL;

    if (strncasecmp(text, "set", 3) != 0 && strncasecmp(text, "reset", 5) != 0)
        return;
    p = strcasestr(text, setting);
    if (!p)
        return;
    p += strlen(setting);
    p += strspn(p, " \t\r\n=");
    if (strncasecmp(p, "to ", 3) == 0)
        p += 3;
    p += strspn(p, " \t\r\n'");
    value = em_strndup(p, strcspn(p, " \t\r\n';"));
    if (!em_sql_bool(value, &walk->split.std_strings))
        walk->split.std_strings = true; /* DEFAULT, RESET */
}

static void skip_data(struct em_sql_walk *walk)
{
    size_t start, length;
    bool closed;

    for (size_t i = 0; i < walk->split.copies; i++) {
        em_sql_split_data(&walk->split, &start, &length, &closed);
        if (!closed) {
            em_sql_finding(
                walk->lint, walk->source, false, walk->split.statement,
                "no line \\. ends the data of this COPY: all the rest of the file is data");
            return;
        }
    }
}

/* ---- Files ---- */

/* What is still open at the file's end. */
static void look_at_end(struct em_sql_walk *walk)
{
    const struct em_sql_split *split = &walk->split;
    static const char *const what[] = {
        [EM_SQL_IN_BLOCK] = "this comment",       [EM_SQL_IN_BITS] = "this string",
        [EM_SQL_IN_STRING] = "this string",       [EM_SQL_IN_ESCAPES] = "this string",
        [EM_SQL_IN_DOLLAR] = "this dollar quote", [EM_SQL_IN_QUOTED] = "this quoted identifier",
    };
    size_t at = split->opened_at;

    if (split->lex.mode != EM_SQL_PLAIN)
        em_sql_finding(walk->lint, walk->source, true, at, "%s%s%s is not closed at the file's end",
                       what[split->lex.mode], split->lex.mode == EM_SQL_IN_DOLLAR ? " " : "",
                       split->lex.mode == EM_SQL_IN_DOLLAR ? em_str_c(&split->lex.tag) : "");
    else if (split->parens)
        em_sql_finding(walk->lint, walk->source, true, split->paren_at,
                       "this parenthesis is not closed at the file's end");
    else if (split->begins)
        em_sql_finding(walk->lint, walk->source, true, split->begin_at,
                       "this BEGIN has no END at the file's end");
    for (size_t i = 0; i < walk->conds.n; i++)
        em_sql_finding(walk->lint, walk->source, true, walk->conds.v[i].offset,
                       "this \\if has no \\endif at the file's end");
}

static void walk_file(struct em_sql_walk *walk)
{
    enum em_sql_event event = EM_SQL_META;

    while (!walk->quit && event != EM_SQL_END && event != EM_SQL_REST) {
        event = em_sql_split_next(&walk->split);
        if (event == EM_SQL_STATEMENT) {
            end_statement(walk);
            follow_settings(walk);
            skip_data(walk);
            em_sql_split_clear(&walk->split);
        } else if (event == EM_SQL_META) {
            em_sql_lint_meta(walk);
            if (!walk->statement)
                continue;
            end_statement(walk);
            skip_data(walk);
            em_sql_split_reset(&walk->split);
        }
    }
    end_statement(walk);
    if (!walk->quit)
        look_at_end(walk);
}

/* False: it isn't SQL at all, which is a finding. */
static bool is_text(struct em_sql_lint *lint, struct em_sql_source *source)
{
    EM_STR_AUTO hint = EM_STR_INIT;
    size_t at;
    const char *what = em_sql_no_text(source->bytes, source->length, &at, &hint);
    struct em_err *err = what ? em_sql_finding(lint, source, true, at, "%s", what) : NULL;

    if (err)
        em_hint(err, "%s", em_str_c(&hint));
    return !what;
}

bool em_sql_lint(struct em_sql_lint *lint, struct em_sql_source *source)
{
    struct em_sql_walk walk = {.lint = lint, .source = source};
    size_t before = lint->errs.n;

    if (!is_text(lint, source))
        return false;
    em_sql_split_start(&walk.split, source, NULL);
    walk.split.token = on_token;
    walk.split.ctx = &walk;
    walk_file(&walk);
    em_sql_conds_free(&walk.conds);
    em_sql_split_free(&walk.split);
    em_str_free(&walk.opening);
    free(walk.dollars);
    free(walk.row.v);
    return lint->errs.n == before;
}
