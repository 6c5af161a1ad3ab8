#include "embark/core/sql/opening.h"

#include <string.h>
#include <strings.h>

static void on_token(void *ctx, struct em_sql_split *split, const struct em_sql_token *token,
                     size_t offset)
{
    struct em_sql_opening *opening = ctx;
    (void)split;
    if (token->kind == EM_SQL_SPACE || token->kind == EM_SQL_COMMENT ||
        token->kind == EM_SQL_BLOCK || token->kind == EM_SQL_BACKSLASH)
        return;
    if (opening->tokens == 0)
        opening->at = offset;
    opening->end = offset + token->len;
    if (opening->tokens++ >= opening->most)
        return;
    if (token->kind == EM_SQL_WORD || (opening->quoted && token->kind == EM_SQL_QUOTED)) {
        em_str_add(&opening->words, token->at, token->len);
        em_str_putc(&opening->words, ' ');
    }
}

void em_sql_opening_start(struct em_sql_opening *opening, struct em_sql_source *source, size_t most,
                          bool quoted)
{
    memset(opening, 0, sizeof *opening);
    opening->most = most;
    opening->quoted = quoted;
    em_sql_split_start(&opening->split, source, NULL);
    opening->split.token = on_token;
    opening->split.ctx = opening;
}

bool em_sql_opening_next(struct em_sql_opening *opening)
{
    struct em_sql_split *split = &opening->split;
    enum em_sql_event event;
    size_t start, length;
    bool closed;
    em_str_cut(&opening->words, 0);
    opening->tokens = 0;
    while (!opening->over && (event = em_sql_split_next(split)) != EM_SQL_END) {
        if (event == EM_SQL_META) {
            split->lex.at = split->lex.end; /* its words are no SQL */
            continue;
        }
        for (; split->copies > 0; split->copies--)
            em_sql_split_data(split, &start, &length, &closed);
        em_sql_split_clear(split);
        opening->over = opening->open = event == EM_SQL_REST;
        if (opening->tokens)
            return true;
    }
    return false;
}

void em_sql_opening_free(struct em_sql_opening *opening)
{
    em_sql_split_free(&opening->split);
    em_str_free(&opening->words);
}

bool em_sql_opens_with(const char *words, const char *any)
{
    for (; *any; any += strlen(any) + 1)
        if (strncasecmp(words, any, strlen(any)) == 0)
            return true;
    return false;
}
