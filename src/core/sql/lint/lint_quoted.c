#include "lint_quoted.h"

#include <string.h>
#include <strings.h>

#include "embark/core/sql/colons.h"

/* Names shorter than that are too likely to be in a text by chance. */
enum { LEAST_NAME = 3 };

static bool is_known(const struct em_sql_lint *lint, const char *name, size_t length)
{
    return em_sql_vars_find(&lint->vars, name, length) != NULL;
}

/* ---- Variables inside of dollar quotes ---- */

static void hint_setting(struct em_err *err, const char *name, int length)
{
    if (!err)
        return;
    if (*name >= '0' && *name <= '9') {
        em_hint(err,
                "before the block: SELECT set_config('embark.v%.*s', :'%.*s', false); in it: "
                "current_setting('embark.v%.*s')",
                length, name, length, name, length, name);
        return;
    }
    em_hint(
        err,
        "write current_setting('embark.%.*s') in its place, embark sets every variable so: EXECUTE "
        "format('ALTER ROLE app PASSWORD %%L', current_setting('embark.%.*s')). For psql, too, put "
        "SELECT set_config('embark.%.*s', :'%.*s', false); before the block",
        length, name, length, name, length, name, length, name);
}

static void report(struct em_sql_lint *lint, struct em_sql_source *source, bool fatal,
                   const struct em_sql_token *token, size_t quote)
{
    struct em_sql_place opened = em_sql_place(source, quote);
    struct em_err *err;
    const char *name;
    size_t length;

    em_sql_token_name(token, &name, &length);
    err =
        em_sql_finding(lint, source, fatal, (size_t)(token->at - source->bytes),
                       "%.*s stands inside of dollar quotes (opened at %zu:%zu), where no variable "
                       "is expanded: the server would see the colon%s",
                       (int)token->len, token->at, opened.line, opened.column,
                       fatal ? ", and say: syntax error at or near \":\"" : "");
    hint_setting(err, name, (int)length);
}

/* The inside of $tag$…$tag$. */
static void strip_tags(const char *bytes, size_t *start, size_t *end)
{
    const char *mark = memchr(bytes + *start + 1, '$', *end - *start - 1);
    size_t n = mark ? (size_t)(mark - bytes) - *start + 1 : 0;

    *start += n;
    *end -= n;
    if (*end < *start)
        *end = *start;
}

/* Text that isn't known to be code: only what is surely meant. A quote or letter before the colon
 * makes it JSON or something like it. In a `statement`, which may be a piece of one, no name needs to
 * be known, and it is an error. */
static void look_for_known(struct em_sql_lint *lint, struct em_sql_source *source, size_t start,
                           size_t end, size_t quote, bool statement)
{
    struct em_sql_lex lex;
    struct em_sql_token token;
    const char *p = source->bytes + start, *stop = source->bytes + end;

    em_sql_lex_start(&lex);
    for (; p < stop && (p = memchr(p, ':', (size_t)(stop - p))) != NULL; p++) {
        const char *name;
        size_t length;
        bool apart = p == source->bytes + start || strchr(" \t\r\n(=,", p[-1]);

        em_sql_lex_chunk(&lex, p, (size_t)(stop - p), false);
        if (!apart || !em_sql_lex_next(&lex, &token) ||
            (token.kind != EM_SQL_LITERAL && token.kind != EM_SQL_IDENT))
            continue;
        em_sql_token_name(&token, &name, &length);
        if (statement || is_known(lint, name, length))
            report(lint, source, statement, &token, quote);
    }
    em_sql_lex_free(&lex);
}

struct body {
    struct em_sql_lint *lint;
    struct em_sql_source *source;
    struct em_sql_colons colons;
    size_t quote;   /* where the body's dollar quote is opened */
    bool statement; /* what comes next is one: behind EXECUTE, and behind the format( of it */
};

/* A body's EXECUTE $q$ … $q$ and EXECUTE format($q$ … $q$, …). */
static bool leads_to_statement(const struct body *body, const struct em_sql_token *token)
{
    if (token->kind == EM_SQL_OPEN || token->kind == EM_SQL_SPACE ||
        token->kind == EM_SQL_COMMENT || token->kind == EM_SQL_BLOCK)
        return body->statement;
    return em_sql_word_is(token, "execute") || (body->statement && em_sql_word_is(token, "format"));
}

static void look_at_token(struct body *body, const struct em_sql_token *token)
{
    struct em_sql_source *source = body->source;
    size_t start = (size_t)(token->at - source->bytes), end = start + token->len;
    bool question = body->colons.question && body->colons.end == token->at; /* (?:…), a ?:b */

    if (em_sql_is_variable(token->kind)) {
        if (!em_sql_colons_own(&body->colons, token) && !(question && token->kind == EM_SQL_VALUE))
            report(body->lint, source, true, token, body->quote);
    } else if (token->kind == EM_SQL_DOLLAR && token->opens && token->closes) {
        strip_tags(source->bytes, &start, &end);
        look_for_known(body->lint, source, start, end, body->quote, body->statement);
    } else if (token->kind == EM_SQL_STRING && token->opens && token->closes) {
        em_sql_lint_string(body->lint, source, start, end);
    }
}

void em_sql_lint_dollar(struct em_sql_lint *lint, struct em_sql_source *source, size_t start,
                        size_t end, bool code)
{
    struct body body = {.lint = lint, .source = source, .quote = start};
    struct em_sql_lex lex;
    struct em_sql_token token;

    strip_tags(source->bytes, &start, &end);
    if (!code) {
        look_for_known(lint, source, start, end, body.quote, false);
        return;
    }
    em_sql_lex_start(&lex);
    em_sql_lex_chunk(&lex, source->bytes + start, end - start, true);
    while (em_sql_lex_next(&lex, &token)) {
        look_at_token(&body, &token);
        body.statement = leads_to_statement(&body, &token);
        em_sql_colons_feed(&body.colons, &token);
    }
    em_sql_lex_free(&lex);
}

/* ---- Variables inside of single quotes ---- */

static void report_string(struct em_sql_lint *lint, struct em_sql_source *source, const char *at,
                          size_t length, bool whole)
{
    struct em_err *err = em_sql_finding(
        lint, source, false, (size_t)(at - source->bytes),
        "%.*s stands inside of single quotes, where no variable is expanded", (int)length + 1, at);

    if (err && whole)
        em_hint(err, "write :'%.*s' in place of ':%.*s'", (int)length, at + 1, (int)length, at + 1);
    else if (err)
        em_hint(err, "end the string before it: '…' || :'%.*s' || '…'", (int)length, at + 1);
}

void em_sql_lint_string(struct em_sql_lint *lint, struct em_sql_source *source, size_t start,
                        size_t end)
{
    const char *first = memchr(source->bytes + start, '\'', end - start), *p, *stop;

    if (!first || end - start < 3)
        return;
    stop = source->bytes + end - 1;
    for (p = ++first; p < stop && (p = memchr(p, ':', (size_t)(stop - p))) != NULL; p++) {
        size_t length = 0;
        bool apart = p == first || (!em_sql_name_byte(p[-1]) && !strchr(":\"'", p[-1]));
        bool whole;

        while (p + 1 + length < stop && em_sql_name_byte(p[1 + length]))
            length++;
        apart = apart && p[1 + length] != ':';
        whole = p == first && p + 1 + length == stop && length && !(p[1] >= '0' && p[1] <= '9');
        if (whole && lint->guess)
            report_string(lint, source, p, length, true);
        else if (apart && (whole || length >= LEAST_NAME) && is_known(lint, p + 1, length))
            report_string(lint, source, p, length, whole);
    }
}

/* ---- Quotes the wrong way round ---- */

void em_sql_lint_inverted(struct em_sql_lint *lint, struct em_sql_source *source, size_t start,
                          size_t end)
{
    const char *name = source->bytes + end, *stop = source->bytes + source->length;
    struct em_sql_place opened = em_sql_place(source, start);
    struct em_err *err;
    size_t length = 0;

    if (end - start < 3 || name[-2] != ':')
        return;
    while (name + length < stop && em_sql_name_byte(name[length]))
        length++;
    /* U&'…:'UESCAPE'!' is SQL. */
    if (!length || name + length == stop || name[length] != '\'' ||
        (length == 7 && strncasecmp(name, "uescape", 7) == 0))
        return;
    err = em_sql_finding(
        lint, source, true, end - 2,
        ":'%.*s' is no variable here: its first quote ends the string that was opened "
        "at %zu:%zu",
        (int)length, name, opened.line, opened.column);
    if (err)
        em_hint(
            err,
            "a quote before it is missing or one too many; the apostrophe of a comment behind an "
            "open quote counts, too");
}
