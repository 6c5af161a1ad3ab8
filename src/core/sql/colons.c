#include "embark/core/sql/colons.h"

#include <string.h>

static bool is_char(const struct em_sql_token *token, char c)
{
    return token->len == 1 && *token->at == c;
}

static void open_bracket(struct em_sql_colons *colons, bool own)
{
    if (colons->depth < EM_SQL_COLON_DEPTH)
        colons->v[colons->depth] = (struct em_sql_bracket){own, true};
    colons->depth++;
}

static struct em_sql_bracket *top(struct em_sql_colons *colons)
{
    if (!colons->depth || colons->depth > EM_SQL_COLON_DEPTH)
        return NULL;
    return &colons->v[colons->depth - 1];
}

static void feed_bracket(struct em_sql_colons *colons, const struct em_sql_token *token)
{
    struct em_sql_bracket *bracket = top(colons);

    if (token->kind == EM_SQL_OPEN) {
        open_bracket(colons, colons->json);
    } else if (is_char(token, '[')) {
        open_bracket(colons, colons->value && !colons->array);
    } else if (token->kind == EM_SQL_CLOSE || is_char(token, ']')) {
        colons->depth -= colons->depth > 0;
    } else if (is_char(token, ',')) {
        if (bracket)
            bracket->fresh = true;
    } else if (bracket) {
        bracket->fresh = false;
    }
}

static bool ends_expression(const struct em_sql_token *token)
{
    switch (token->kind) {
    case EM_SQL_STRING:
    case EM_SQL_DOLLAR:
    case EM_SQL_QUOTED:
    case EM_SQL_WORD:
    case EM_SQL_NUMBER:
    case EM_SQL_CLOSE:
    case EM_SQL_VALUE:
    case EM_SQL_LITERAL:
    case EM_SQL_IDENT:
        return true;
    default:
        return is_char(token, ']');
    }
}

void em_sql_colons_feed(struct em_sql_colons *colons, const struct em_sql_token *token)
{
    colons->end = token->at + token->len;
    colons->string = token->kind == EM_SQL_STRING && token->closes;
    colons->question = token->kind == EM_SQL_OTHER && token->at[token->len - 1] == '?';
    if (token->kind == EM_SQL_SPACE || token->kind == EM_SQL_COMMENT || token->kind == EM_SQL_BLOCK)
        return;
    if (token->kind == EM_SQL_SEMICOLON)
        colons->depth = 0;
    else
        feed_bracket(colons, token);
    colons->value = ends_expression(token);
    colons->array = em_sql_word_is(token, "array");
    colons->json = em_sql_word_is(token, "json_object") || em_sql_word_is(token, "json_objectagg");
}

bool em_sql_colons_own(const struct em_sql_colons *colons, const struct em_sql_token *token)
{
    const struct em_sql_bracket *bracket = NULL;
    const char *name;
    size_t length, digits = 0;

    if (colons->depth && colons->depth <= EM_SQL_COLON_DEPTH)
        bracket = &colons->v[colons->depth - 1];
    em_sql_token_name(token, &name, &length);
    while (digits < length && name[digits] >= '0' && name[digits] <= '9')
        digits++;
    if (token->kind == EM_SQL_TEST)
        return false;
    if (token->kind == EM_SQL_VALUE && digits == length)
        return true;
    if (bracket && bracket->colons && !bracket->fresh)
        return true;
    return colons->string && colons->end == token->at;
}
