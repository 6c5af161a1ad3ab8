/* What is wrong with a SQL file, before anything of it is sent.
 *
 * Errors (EM_EXIT_SQL) are what can't work:
 *
 *   - a variable inside of a DO block's or a function's dollar quotes: psql expands none there, and
 *     the server says syntax error at or near ":"
 *   - a variable that isn't set
 *   - :'name' that isn't one, since a string was opened earlier and ends at its first quote
 *   - a quote, dollar quote, comment, parenthesis, BEGIN ATOMIC or \if that isn't closed at the
 *     file's end
 *   - a meta-command that embark refuses (core/sql/meta.h) or that there isn't
 *   - NUL bytes; a dump in another format than SQL, or compressed (dump.h)
 *
 * Warnings are what looks like a mistake: ':name' in single quotes, a variable in other dollar
 * quotes, COPY's data without the line \. at its end; and, for a migration's files, statements that
 * keep the service waiting (blocking.h).
 *
 * A body in dollar quotes is lexed as SQL and PL/pgSQL: what stands in its strings and comments,
 * casts (::), assignments (:=), slices ([1:n]), ?: and the colons of JSON_OBJECT are no variables.
 * A body in another language (LANGUAGE plpython3u) and dollar quotes that hold no code give warnings at
 * most, and only for a :'name' or :"name" that is set.
 *
 * Both branches of an \if are looked at, but what is refused or not set is no error there: the
 * branch may be one that isn't taken.
 */
#ifndef EMBARK_CORE_SQL_LINT_LINT_H
#define EMBARK_CORE_SQL_LINT_LINT_H

#include "embark/core/sql/lint/lint_findings.h"

/* Adds what is wrong with `source`. True: no error was added. */
bool em_sql_lint(struct em_sql_lint *lint, struct em_sql_source *source);

#endif
