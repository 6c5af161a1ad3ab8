/* A migration's file and the transaction that it is run in.
 *
 * embark begins it, and records the file in it: a COMMIT of the file's own would leave what came
 * before it done, and not recorded. A file whose leading comments say "embark: no transaction" is
 * run without one, and may begin and end its own.
 *
 * With em_sql_lint.alone (lint_findings.h) em_sql_lint() adds
 *
 *   - an error for each statement that begins, ends or prepares a transaction; savepoints are fine
 *   - an error for each that can't run in a transaction block (the manual's pages of CREATE INDEX,
 *     VACUUM, ALTER SYSTEM… say so, and PreventInTransactionBlock() in the server's source enforces
 *     it); a warning for DROP SUBSCRIPTION, which can where the subscription has no slot
 *   - a warning for a string that is a label which ALTER TYPE … ADD VALUE adds before it: the manual
 *     has "the new value cannot be used until after the transaction has been committed" (17 and newer
 *     let it, if the type itself is made there)
 *
 * Not within an \if: the branch may be one that isn't taken.
 */
#ifndef EMBARK_CORE_SQL_LINT_TRANSACTION_H
#define EMBARK_CORE_SQL_LINT_TRANSACTION_H

#include "embark/core/sql/lint/lint_findings.h"

/* In the comments before the first statement, in any case. */
bool em_sql_wants_no_transaction(const char *text);

/* Whether a statement that starts with these words (each with one blank behind) begins, ends or
 * prepares a transaction. */
bool em_sql_is_control(const char *words);

/* Whether a statement that starts with these words (as many as EM_SQL_OPENING_WORDS tokens have)
 * can't run in a transaction block. */
bool em_sql_runs_outside(const char *words);
enum { EM_SQL_OPENING_WORDS = 40 };

/* The first statement of a text, as it is sent, that begins, ends or prepares a transaction: where
 * it stands, and its first word. False: there is none. */
bool em_sql_finds_control(const char *text, size_t length, bool std_strings, size_t *at,
                          struct em_str *word);

#endif
