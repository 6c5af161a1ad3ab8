/* Statements that keep the service waiting: those that the server's manual says rewrite a table, or
 * read all of it, under a lock that readers or writers need.
 *
 * Only what is known counts: the statement's own words, and what the files before it have done. A
 * table that they make is empty, or nobody's yet, so that nothing is said of it. What stands in a
 * function's body or a DO block isn't looked at, nor what a variable holds.
 *
 * Sources, of the PostgreSQL manual: ALTER TABLE (Description and Notes), CREATE INDEX (Building
 * Indexes Concurrently), REINDEX (Rebuilding Indexes Concurrently), REFRESH MATERIALIZED VIEW,
 * CLUSTER, VACUUM, and 13.3 (Explicit Locking). doc/migrations-that-block.md has them rule by rule.
 *
 * The comment `-- embark: ok REASON`, on a line of its own before a statement, within it, or behind
 * it on its last line, silences what would be said of that statement.
 *
 *     struct em_sql_blocking blocking = {0};
 *     lint.blocking = &blocking;
 *     for each file, in the order in which they are applied:
 *         em_sql_blocking_file(&blocking, file->alone);
 *         em_sql_lint(&lint, &source);      // adds to lint.warnings
 *     em_sql_blocking_free(&blocking);
 */
#ifndef EMBARK_CORE_SQL_LINT_BLOCKING_H
#define EMBARK_CORE_SQL_LINT_BLOCKING_H

#include "embark/core/base/str.h"

/* A constraint that was added NOT VALID, or that says that a column is not NULL. */
struct em_sql_constraint {
    char *table, *name; /* name "": none was given */
    char *column;       /* CHECK (column IS NOT NULL); "": it says something else */
    bool valid;
    size_t transaction; /* in which it was added */
};

/* What the files so far have done. Zero it to start. */
struct em_sql_blocking {
    struct em_list tables, indexes; /* that they make; tables are materialized views, too */
    struct em_sql_constraint *constraints;
    size_t n;
    size_t transaction; /* counts them */
    bool alone;         /* each statement is one */
};

/* A file begins; `alone`: it runs without a transaction. */
void em_sql_blocking_file(struct em_sql_blocking *blocking, bool alone);
void em_sql_blocking_free(struct em_sql_blocking *blocking);

#endif
