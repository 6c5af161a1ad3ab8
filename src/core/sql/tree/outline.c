#include "outline.h"

#include <string.h>
#include <strings.h>

#include "embark/core/sql/lint/transaction.h"
#include "embark/core/sql/opening.h"

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

static void take_statement(struct em_sql_outline *o, const struct em_sql_opening *opening,
                           bool *begun)
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
    o->open = opening->open;
}

void em_sql_outline(const char *text, size_t length, struct em_sql_outline *outline)
{
    struct em_sql_source source = em_sql_source("", text, length);
    struct em_sql_opening opening;
    bool begun = false;
    memset(outline, 0, sizeof *outline);
    em_sql_opening_start(&opening, &source, EM_SQL_OPENING_WORDS, true);
    while (em_sql_opening_next(&opening))
        take_statement(outline, &opening, &begun);
    em_sql_opening_free(&opening);
}
