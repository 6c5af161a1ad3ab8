/* The words that a file's statements start with, one statement after the other: what each is, as far
 * as transactions go. Nothing is expanded; COPY's data and meta-commands are passed over.
 *
 *     struct em_sql_opening opening;
 *     em_sql_opening_start(&opening, &source, 3, false);
 *     while (em_sql_opening_next(&opening))
 *         …                             // opening.words: "rollback to "
 *     em_sql_opening_free(&opening);
 */
#ifndef EMBARK_CORE_SQL_OPENING_H
#define EMBARK_CORE_SQL_OPENING_H

#include "embark/core/sql/splitter.h"

struct em_sql_opening {
    struct em_str words; /* with one blank behind each */
    size_t at, end;      /* where the statement stands, its semicolon included */
    bool open;           /* it has no semicolon */

    /* Internal. */
    size_t tokens, most;
    bool quoted, over;
    struct em_sql_split split;
};

/* `most`: of a statement's first so many tokens the words are taken; `quoted`: names and strings in
 * quotes, too. `opening` must not move, and `source` must outlive it. */
void em_sql_opening_start(struct em_sql_opening *opening, struct em_sql_source *source, size_t most,
                          bool quoted);
/* False: there is no other statement. */
bool em_sql_opening_next(struct em_sql_opening *opening);
void em_sql_opening_free(struct em_sql_opening *opening);

/* Whether such words start with one of these, in any case; `any` has a NUL behind each: "begin
 * \0end \0". */
bool em_sql_opens_with(const char *words, const char *any);

#endif
