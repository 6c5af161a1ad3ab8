#include "outline.h"

#include <string.h>
#include <strings.h>

#include "embark/core/sql/lint/transaction.h"
#include "embark/core/sql/splitter.h"

enum { WORDS = 12 };

static bool starts_with_any(const char *words, const char *const *any)
{
    for (; *any; any++)
        if (strncasecmp(words, *any, strlen(*any)) == 0)
            return true;
    return false;
}

bool em_sql_runs_outside(const char *words)
{
    static const char *const always[] = {"vacuum ",
                                         "create database ",
                                         "drop database ",
                                         "alter system ",
                                         "create tablespace ",
                                         "drop tablespace ",
                                         "commit prepared ",
                                         "rollback prepared ",
                                         "discard all ",
                                         "reindex database ",
                                         "reindex system ",
                                         "reindex schema ",
                                         "drop subscription ",
                                         "create subscription ",
                                         NULL};
    static const char *const concurrently[] = {"create index ", "create unique index ",
                                               "drop index ", "reindex ", NULL};
    if (starts_with_any(words, always))
        return true;
    if (strncasecmp(words, "alter table ", 12) == 0)
        return strcasestr(words, " detach partition ") && strcasestr(words, " concurrently ");
    /* CREATE INDEX concurrently_made ON …: the key word stands alone. */
    return starts_with_any(words, concurrently) && strcasestr(words, " concurrently ");
}

/* The statement that is being read. */
struct opening {
    struct em_str words;
    size_t at, end, n;
};

static void on_token(void *ctx, struct em_sql_split *split, const struct em_sql_token *token,
                     size_t offset)
{
    struct opening *opening = ctx;
    (void)split;
    if (token->kind == EM_SQL_SPACE || token->kind == EM_SQL_COMMENT ||
        token->kind == EM_SQL_BLOCK || token->kind == EM_SQL_BACKSLASH)
        return;
    if (opening->n == 0)
        opening->at = offset;
    opening->end = offset + token->len;
    if (opening->n++ >= WORDS)
        return;
    if (token->kind == EM_SQL_WORD || token->kind == EM_SQL_QUOTED) {
        em_str_add(&opening->words, token->at, token->len);
        em_str_putc(&opening->words, ' ');
    }
}

/* A BEGIN or COMMIT that says nothing more. */
static bool is_plain(const char *words, bool begins)
{
    static const char *const begin[] = {"begin ", "begin work ", "begin transaction ",
                                        "start transaction ", NULL};
    static const char *const commit[] = {"commit ", "commit work ", "commit transaction ",
                                         "end ",    "end work ",    "end transaction ",
                                         NULL};
    for (const char *const *p = begins ? begin : commit; *p; p++)
        if (strcasecmp(words, *p) == 0)
            return true;
    return false;
}

static void take_statement(struct em_sql_outline *o, struct opening *opening, bool *begun)
{
    const char *words = em_str_c(&opening->words);
    bool control = em_sql_is_control(words);
    if (o->statements++ == 0) {
        o->first = opening->at;
        *begun = is_plain(words, true);
        o->begin_at = opening->at;
        o->begin_end = opening->end;
    }
    if (control)
        o->controls++;
    o->wrapped = *begun && o->controls == 2 && is_plain(words, false);
    o->commit_at = opening->at;
    o->commit_end = opening->end;
    if (em_sql_runs_outside(words) && o->outside++ == 0)
        o->outside_at = opening->at;
}

static void finish(struct em_sql_outline *o, struct opening *opening, bool *begun)
{
    if (opening->n)
        take_statement(o, opening, begun);
    em_str_cut(&opening->words, 0);
    opening->n = 0;
}

void em_sql_outline(const char *text, size_t length, struct em_sql_outline *outline)
{
    struct em_sql_source source = em_sql_source("", text, length);
    struct opening opening = {EM_STR_INIT, 0, 0, 0};
    struct em_sql_split split;
    enum em_sql_event event;
    size_t start, data;
    bool closed, begun = false;
    memset(outline, 0, sizeof *outline);
    em_sql_split_start(&split, &source, NULL);
    split.token = on_token;
    split.ctx = &opening;
    while ((event = em_sql_split_next(&split)) != EM_SQL_END) {
        if (event == EM_SQL_META) {
            split.lex.at = split.lex.end; /* its words are no SQL */
            continue;
        }
        outline->open = event == EM_SQL_REST && opening.n > 0;
        finish(outline, &opening, &begun);
        for (; split.copies > 0; split.copies--)
            em_sql_split_data(&split, &start, &data, &closed);
        em_sql_split_clear(&split);
        if (event == EM_SQL_REST)
            break;
    }
    em_sql_split_free(&split);
    em_str_free(&opening.words);
}
