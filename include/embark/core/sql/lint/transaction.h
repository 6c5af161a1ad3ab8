/* A migration's file and the transaction that it is run in.
 *
 * embark begins it, and records the file in it: a COMMIT of the file's own would leave what came
 * before it done, and not recorded. A file whose leading comments say "embark: no transaction" is
 * run without one, and may begin and end its own.
 */
#ifndef EMBARK_CORE_SQL_LINT_TRANSACTION_H
#define EMBARK_CORE_SQL_LINT_TRANSACTION_H

#include "embark/core/sql/lint/lint_findings.h"

/* In the comments before the first statement, in any case. */
bool em_sql_wants_no_transaction(const char *text);

/* Whether a statement that starts with these words (each with one blank behind) begins, ends or
 * prepares a transaction. */
bool em_sql_is_control(const char *words);

/* Adds an error for each statement that begins, ends or prepares a transaction; savepoints are
 * fine. */
void em_sql_lint_transaction(struct em_sql_lint *lint, struct em_sql_source *source);

#endif
