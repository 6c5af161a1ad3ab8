/* What an SQL file's statements are, as far as transactions go.
 *
 * Tools that send a file as it is (golang-migrate, Prisma) or that look at it first (Flyway) run
 * statements that can't run in a transaction block (core/sql/lint/transaction.h) without one.
 *
 * Pure; the text is untrusted.
 */
#ifndef EMBARK_CORE_SQL_TREE_OUTLINE_H
#define EMBARK_CORE_SQL_TREE_OUTLINE_H

#include "embark/core/base/str.h"

struct em_sql_outline {
    size_t statements;
    size_t first;      /* where the first one starts */
    size_t outside;    /* of them, those that can't run in a transaction; … */
    size_t outside_at; /* … the first of these */
    size_t controls;   /* BEGIN, COMMIT, ROLLBACK… */
    /* The first statement is a plain BEGIN and the last a plain COMMIT, and there is no other
     * control between: where both stand, their semicolons included. */
    bool wrapped;
    size_t begin_at, begin_end, commit_at, commit_end;
    bool open; /* the last statement has no semicolon */
};
void em_sql_outline(const char *text, size_t length, struct em_sql_outline *outline);

#endif
