#include "embark/core/sql/splitter.h"

#include <stdlib.h>
#include <string.h>

/* Variables expanded in one statement; more than that are a bomb of values that hold each other. */
enum { MOST_EXPANSIONS = 100000 };

/* A variable's value while it is lexed. */
struct em_sql_value {
    char *name, *bytes;
    const char *at, *end; /* what is left of the chunk that the variable stands in */
    size_t origin;
    struct em_sql_value *outer;
};

void em_sql_split_start(struct em_sql_split *split, struct em_sql_source *source,
                        const struct em_sql_vars *vars)
{
    memset(split, 0, sizeof(*split));
    split->source = source;
    split->vars = vars;
    split->active = split->std_strings = true;
    split->next = source->start;
    split->statement = split->newline = EM_SQL_NOWHERE;
    em_sql_lex_start(&split->lex);
}

static void end_value(struct em_sql_split *split)
{
    struct em_sql_value *value = split->values;

    split->values = value->outer;
    split->colons.end = NULL; /* it may point into the value */
    em_sql_lex_chunk(&split->lex, value->at, (size_t)(value->end - value->at), false);
    free(value->name);
    explicit_bzero(value->bytes, strlen(value->bytes));
    free(value->bytes);
    free(value);
}

void em_sql_split_free(struct em_sql_split *split)
{
    while (split->values)
        end_value(split);
    em_sql_text_free(&split->text);
    em_str_free(&split->trouble_name);
    em_sql_lex_free(&split->lex);
}

void em_sql_split_clear(struct em_sql_split *split)
{
    em_sql_text_cut(&split->text, 0);
    split->statement = split->newline = EM_SQL_NOWHERE;
    split->trouble = EM_SQL_FINE;
    split->copies = split->expansions = 0;
    split->compound = false;
}

void em_sql_split_reset(struct em_sql_split *split)
{
    em_sql_split_clear(split);
    split->parens = split->begins = split->word_count = 0;
    split->colons.depth = 0;
}

size_t em_sql_split_offset(const struct em_sql_split *split, const char *at)
{
    if (split->values)
        return split->values->origin;
    return (size_t)(at - split->source->bytes);
}

/* ---- Lines ---- */

static size_t line_end(const struct em_sql_source *source, size_t at)
{
    const char *newline = memchr(source->bytes + at, '\n', source->length - at);

    return newline ? (size_t)(newline - source->bytes) : source->length;
}

static bool next_line(struct em_sql_split *split)
{
    const struct em_sql_source *source = split->source;

    while (split->next < source->length) {
        size_t start = split->next, end = line_end(source, start);

        split->next = end + 1;
        if (end == start && split->lex.mode == EM_SQL_PLAIN)
            continue;
        split->newline = EM_SQL_NOWHERE;
        if (split->text.bytes.len) {
            em_sql_text_copy(&split->text, "\n", 1, start - 1);
            split->newline = split->text.bytes.len;
        }
        split->lex.std_strings = split->std_strings;
        em_sql_lex_chunk(&split->lex, source->bytes + start, end - start, true);
        return true;
    }
    return false;
}

/* ---- COPY's data ---- */

static bool is_end_of_data(const char *line, size_t length)
{
    if (length && line[length - 1] == '\r')
        length--;
    return length == 2 && memcmp(line, "\\.", 2) == 0;
}

void em_sql_split_data(struct em_sql_split *split, size_t *start, size_t *length, bool *closed)
{
    const struct em_sql_source *source = split->source;
    size_t at = split->next < source->length ? split->next : source->length;

    *start = at;
    *closed = false;
    while (at < source->length && !*closed) {
        size_t end = line_end(source, at);

        *closed = is_end_of_data(source->bytes + at, end - at);
        if (!*closed)
            at = end < source->length ? end + 1 : end;
        split->next = end + 1;
    }
    *length = at - *start;
}

bool em_sql_split_has_data(const struct em_sql_split *split)
{
    const struct em_sql_source *source = split->source;
    size_t end;

    for (size_t at = split->next; at < source->length; at = end + 1) {
        const char *line = source->bytes + at;
        size_t length;

        end = line_end(source, at);
        length = end - at;
        if (is_end_of_data(line, length))
            return true;
        while (length && strchr(" \t\r", line[length - 1]))
            length--;
        if (length && line[length - 1] == ';')
            return false;
    }
    return false;
}

/* ---- Variables ---- */

static void trouble(struct em_sql_split *split, enum em_sql_trouble kind, const char *name,
                    size_t length, size_t offset)
{
    if (split->trouble != EM_SQL_FINE)
        return; /* the first one counts */
    split->trouble = kind;
    split->trouble_at = offset;
    em_str_cut(&split->trouble_name, 0);
    em_str_add(&split->trouble_name, name, length);
}

static bool is_being_expanded(const struct em_sql_split *split, const char *name, size_t length)
{
    for (const struct em_sql_value *v = split->values; v; v = v->outer)
        if (strlen(v->name) == length && memcmp(v->name, name, length) == 0)
            return true;
    return false;
}

static void start_value(struct em_sql_split *split, const char *name, size_t length,
                        const char *bytes, size_t origin)
{
    struct em_sql_value *value = em_alloc(sizeof(*value));

    value->name = em_strndup(name, length);
    value->bytes = em_strdup(bytes);
    value->at = split->lex.at;
    value->end = split->lex.end;
    value->origin = origin;
    value->outer = split->values;
    split->values = value;
    em_sql_lex_chunk(&split->lex, value->bytes, strlen(value->bytes), false);
}

static void add_raw(struct em_sql_split *split, const char *at, size_t length, size_t offset)
{
    if (split->values)
        em_sql_text_made(&split->text, at, length, offset);
    else
        em_sql_text_copy(&split->text, at, length, offset);
}

static void add_quoted(struct em_sql_split *split, enum em_sql_kind kind, const char *value,
                       size_t offset)
{
    EM_STR_WIPED quoted = EM_STR_INIT;

    if (kind == EM_SQL_LITERAL)
        em_sql_quote_literal(&quoted, value);
    else
        em_sql_quote_ident(&quoted, value);
    em_sql_text_made(&split->text, em_str_c(&quoted), quoted.len, offset);
}

static void take_variable(struct em_sql_split *split, const struct em_sql_token *token,
                          size_t offset)
{
    const struct em_sql_vars *vars = split->active ? split->vars : NULL;
    const char *name, *value;
    size_t length;

    em_sql_token_name(token, &name, &length);
    value = vars ? em_sql_vars_find(vars, name, length) : NULL;
    if (token->kind == EM_SQL_TEST && (vars || !split->active)) {
        em_sql_text_made(&split->text, value ? "TRUE" : "FALSE", value ? 4 : 5, offset);
        return;
    }
    if (!value) {
        if (vars && !em_sql_colons_own(&split->colons, token))
            trouble(split, EM_SQL_UNSET, name, length, offset);
    } else if (is_being_expanded(split, name, length)) {
        trouble(split, EM_SQL_RECURSIVE, name, length, offset);
    } else if (++split->expansions > MOST_EXPANSIONS || split->text.bytes.len > EM_SQL_LONGEST) {
        trouble(split, EM_SQL_TOO_LONG, name, length, offset);
    } else if (token->kind == EM_SQL_VALUE) {
        start_value(split, name, length, value, offset);
        return;
    } else {
        add_quoted(split, token->kind, value, offset);
        return;
    }
    add_raw(split, token->at, token->len, offset);
}

/* ---- Words ---- */

/* CREATE [OR REPLACE] {FUNCTION|PROCEDURE}, by first letters, as psql knows it. */
static bool is_routine(const struct em_sql_split *split)
{
    const char *w = split->words;
    char what = w[1] == 'o' && w[2] == 'r' ? w[3] : w[1];

    return w[0] == 'c' && (what == 'f' || what == 'p');
}

static void count_word(struct em_sql_split *split, const struct em_sql_token *token)
{
    static const char *const known[] = {"create", "function", "procedure", "or", "replace"};

    if (split->word_count == 0)
        memset(split->words, 0, sizeof(split->words));
    for (size_t i = 0; i < EM_COUNT(known); i++)
        if (split->word_count < sizeof(split->words) && em_sql_word_is(token, known[i]))
            split->words[split->word_count] = *known[i];
    split->word_count++;
}

static void take_word(struct em_sql_split *split, const struct em_sql_token *token, size_t offset)
{
    if (split->word_count == 0)
        split->copy = em_sql_word_is(token, "copy");
    count_word(split, token);
    /* The server doesn't tell STDIN from STDOUT. */
    if (split->copy && split->from && split->parens == 0 &&
        (em_sql_word_is(token, "stdin") || em_sql_word_is(token, "stdout")))
        split->copies++;
    if (!is_routine(split) || split->parens)
        return;
    if (em_sql_word_is(token, "begin")) {
        if (split->begins++ == 0)
            split->begin_at = offset;
    } else if (em_sql_word_is(token, "case")) {
        split->begins += split->begins > 0;
    } else if (em_sql_word_is(token, "end")) {
        split->begins -= split->begins > 0;
    }
}

/* ---- Tokens ---- */

static bool is_blank(enum em_sql_kind kind)
{
    return kind == EM_SQL_SPACE || kind == EM_SQL_COMMENT || kind == EM_SQL_BLOCK;
}

/* What a token means for what is open. */
static void count(struct em_sql_split *split, const struct em_sql_token *token, size_t offset)
{
    if (token->kind == EM_SQL_OPEN) {
        if (split->parens++ == 0)
            split->paren_at = offset;
    } else if (token->kind == EM_SQL_CLOSE) {
        split->parens -= split->parens > 0;
    } else if (token->kind == EM_SQL_WORD) {
        take_word(split, token, offset);
    } else if (token->kind == EM_SQL_FORCED && token->at[1] == ';') {
        split->word_count = 0;
        split->compound = true;
    }
    if (token->opens)
        split->opened_at = offset;
    if (!is_blank(token->kind))
        split->from = em_sql_word_is(token, "from");
    if (!is_blank(token->kind) && split->statement == EM_SQL_NOWHERE)
        split->statement = offset;
}

static enum em_sql_event start_meta(struct em_sql_split *split)
{
    /* A line that holds nothing else leaves no newline in the statement. */
    if (split->text.bytes.len == split->newline)
        em_sql_text_cut(&split->text, split->newline - 1);
    split->newline = EM_SQL_NOWHERE;
    split->in_value = split->values != NULL;
    return EM_SQL_META;
}

/* EM_SQL_END: go on. */
static enum em_sql_event take(struct em_sql_split *split, const struct em_sql_token *token)
{
    size_t offset = em_sql_split_offset(split, token->at);

    if (split->token)
        split->token(split->ctx, split, token, offset);
    if (token->kind == EM_SQL_BACKSLASH)
        return start_meta(split);
    count(split, token, offset);
    if (em_sql_is_variable(token->kind))
        take_variable(split, token, offset);
    else if (token->kind == EM_SQL_FORCED)
        add_raw(split, token->at + 1, 1, split->values ? offset : offset + 1);
    else if ((token->kind != EM_SQL_SPACE && token->kind != EM_SQL_COMMENT) ||
             split->text.bytes.len)
        add_raw(split, token->at, token->len, offset);
    em_sql_colons_feed(&split->colons, token);
    if (token->kind != EM_SQL_SEMICOLON || split->parens || split->begins)
        return EM_SQL_END;
    split->word_count = 0;
    return EM_SQL_STATEMENT;
}

enum em_sql_event em_sql_split_next(struct em_sql_split *split)
{
    struct em_sql_token token;

    for (;;) {
        enum em_sql_event event;

        if (!em_sql_lex_next(&split->lex, &token)) {
            if (split->values)
                end_value(split);
            else if (!next_line(split))
                return split->text.bytes.len ? EM_SQL_REST : EM_SQL_END;
            continue;
        }
        event = take(split, &token);
        if (event != EM_SQL_END)
            return event;
    }
}
