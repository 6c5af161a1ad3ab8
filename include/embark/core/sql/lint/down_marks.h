/* Marks of other migration tools in an SQL file: comments that begin the part which takes a
 * migration back.
 *
 * A file with both parts, run whole, undoes what it has just done, or drops what was there before.
 * What the marks look like is the tools' own documentation: dbmate ("Creating Migrations"), goose
 * ("SQL Migrations"), sql-migrate
 * ("Writing migrations"), node-pg-migrate (its source, sqlMigration.ts), rambler, micrate, MyBatis
 * Migrations and dbdeploy (//@UNDO), Play (evolutions).
 *
 * Pure; the text is untrusted.
 */
#ifndef EMBARK_CORE_SQL_LINT_DOWN_MARKS_H
#define EMBARK_CORE_SQL_LINT_DOWN_MARKS_H

#include "embark/core/base/err.h"

/* Whether `text` has none. Else an error (EM_EXIT_SQL) with its place, the tool's name and a hint.
 * A name that ends in .down.sql says the same of the whole file (golang-migrate, sqlx). */
bool em_sql_has_no_down_marks(const char *path, const char *text, struct em_err *err);

#endif
