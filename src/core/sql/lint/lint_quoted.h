/* Inside of core: what the linter (lint.h) makes of quoted text. */
#ifndef EMBARK_CORE_SQL_LINT_LINT_QUOTED_H
#define EMBARK_CORE_SQL_LINT_LINT_QUOTED_H

#include "embark/core/sql/lexer.h"
#include "embark/core/sql/lint/lint_findings.h"

/* The whole $tag$…$tag$ at start…end. `code`: of a DO block or of a function in SQL or PL/pgSQL. */
void em_sql_lint_dollar(struct em_sql_lint *lint, struct em_sql_source *source, size_t start,
                        size_t end, bool code);

/* The whole '…', E'…' … at start…end. */
void em_sql_lint_string(struct em_sql_lint *lint, struct em_sql_source *source, size_t start,
                        size_t end);

/* Whether it ends in a colon, and "name'" follows: quotes are the wrong way round, and what looks
 * like :'name' is none. Reported then. */
void em_sql_lint_inverted(struct em_sql_lint *lint, struct em_sql_source *source, size_t start,
                          size_t end);

#endif
