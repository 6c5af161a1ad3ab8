/* The marks by which migration tools divide an SQL file, read as the tools read them.
 *
 * Sources: dbmate, pkg/dbmate/migration.go ("Creating Migrations"); goose,
 * internal/sqlparser/parser.go ("SQL Migrations", "Environment Variable Substitution");
 * sql-migrate, sqlparse/sqlparse.go ("Writing migrations"); node-pg-migrate, src/sqlMigration.ts;
 * Atlas, sql/migrate/dir.go ("File directives"). rambler, micrate, MyBatis Migrations (dbdeploy)
 * and Play are known by the mark of their way back, and no more.
 *
 * All of these look at lines, not at SQL: a mark counts within a block comment or a quoted string,
 * too. What looks like a mark and isn't one to its tool (another case, an indentation, an option
 * that the tool doesn't have) is told as such: the tool would run, as a plain comment, what stands
 * behind it.
 *
 * Pure; the text is untrusted.
 */
#ifndef EMBARK_CORE_SQL_TREE_DIALECT_H
#define EMBARK_CORE_SQL_TREE_DIALECT_H

#include "embark/core/base/str.h"

/* The layouts of a folder of SQL migrations, in the order of the words of [migrate] format. */
enum em_sql_format {
    EM_SQL_BY_FILES, /* "auto": the files tell */
    EM_SQL_OWN,
    EM_SQL_DBMATE,
    EM_SQL_GOOSE,
    EM_SQL_GOLANG,
    EM_SQL_SQLX,
    EM_SQL_FLYWAY,
    EM_SQL_NODE_PG,
    EM_SQL_MIGRATE,
    EM_SQL_PRISMA,
    EM_SQL_ATLAS,
    EM_SQL_PAIRS,   /* .up.sql and .down.sql: golang-migrate's, sqlx's or node-pg-migrate's */
    EM_SQL_FOREIGN, /* a tool whose files aren't taken */
};

enum em_sql_mark_kind {
    EM_SQL_UP,
    EM_SQL_DOWN,
    EM_SQL_BLOCK_BEGIN, /* one statement, whatever semicolons are in it */
    EM_SQL_BLOCK_END,
    EM_SQL_ALONE, /* no transaction */
    EM_SQL_VARIABLES,
    EM_SQL_NO_VARIABLES,
    EM_SQL_REMARK, /* says nothing about how the file is run */
    EM_SQL_ODD,    /* not understood: `why` */
};

struct em_sql_mark {
    enum em_sql_format format;
    const char *tool;
    enum em_sql_mark_kind kind;
    bool alone;        /* an UP without a transaction */
    size_t at, end;    /* the line, without its line end; `next` is the next one's start */
    size_t line, next; /* line counts from 1 */
    const char *why;
};

/* The next mark from `*at` on, where line `*line` starts (0 and 1 to begin with); both are moved
 * behind it. False: there is none. */
bool em_sql_mark_next(const char *text, size_t length, size_t *at, size_t *line,
                      struct em_sql_mark *mark);

#endif
