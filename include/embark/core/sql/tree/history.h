/* The tables in which migration tools note what they have applied: which rows stand for which files
 * of a folder (tree.h), and the statements that add one.
 *
 * Several tools call their table schema_migrations: which one's it is, its columns tell. Sources:
 * dbmate, pkg/driver/postgres; goose, internal/dialect; golang-migrate, database/pgx; sqlx,
 * sqlx-postgres/src/migrate.rs; Flyway's manual, "Schema history table" and its createSchemaHistory
 * script; node-pg-migrate, src/runner.ts; sql-migrate, migrate.go; Prisma's manual, "About
 * migration histories", and its schema engine's source; Atlas, cmd/atlas/internal/migrate/ent.
 *
 * Pure; rows are hostile.
 */
#ifndef EMBARK_CORE_SQL_TREE_HISTORY_H
#define EMBARK_CORE_SQL_TREE_HISTORY_H

#include "embark/core/sql/tree/tree.h"

struct em_sql_tool_table {
    enum em_sql_format format;
    const char *table, *home; /* its schema; NULL: the session's current one */
    const char *wants;        /* the columns that it must have, with their types; commas between */
    bool only;                /* … and no others */
    const char *columns;      /* of a SELECT: id, letter, checksum */
    const char *order;        /* oldest first */
    const char *create;       /* the columns of a CREATE TABLE */
};

/* The tables of a format, one after the other: `after` NULL begins. NULL: no more. Those of
 * EM_SQL_PAIRS are three tools', and so are embark's own format's, where a plain name may be. */
const struct em_sql_tool_table *em_sql_tool_table(enum em_sql_format format,
                                                  const struct em_sql_tool_table *after);
/* Whether a table of these columns ("version character varying,dirty boolean") is the tool's. */
bool em_sql_tool_table_is(const struct em_sql_tool_table *table, const char *columns);

/* The variable of the environment by which the tool calls its table otherwise, "table" or
 * "schema.table": DBMATE_MIGRATIONS_TABLE. NULL: it has none. (Flyway's FLYWAY_DEFAULT_SCHEMA names
 * the schema.) */
const char *em_sql_tool_table_variable(enum em_sql_format format);

/* A row. Letters: 'a' applied; 'f' failed half-way; 'u' taken back; 'b' this and all before it
 * count as applied. */
struct em_sql_row {
    char *id, *checksum; /* checksum "": none */
    char letter;
};

enum em_sql_past { EM_SQL_PENDING, EM_SQL_APPLIED, EM_SQL_FAILED };

struct em_sql_history {
    const struct em_sql_tool_table *table; /* NULL: there is none */
    struct em_sql_row *rows;
    size_t n;
    /* Made by em_sql_history_judge(): */
    enum em_sql_past *past; /* of tree->v */
    bool *noted;            /* has a row of its own, or one that stands for it */
    struct em_list changed; /* names whose checksum isn't the row's */
    struct em_list unknown; /* ids that no file has, and that come after the first file's */
    struct em_str failed;   /* the first id that failed half-way; "": none */
};
void em_sql_history_row(struct em_sql_history *h, const char *id, const char *letter,
                        const char *checksum);
void em_sql_history_judge(struct em_sql_history *h, const struct em_sql_tree *tree);
void em_sql_history_free(struct em_sql_history *h);
#define EM_SQL_HISTORY_AUTO __attribute__((cleanup(em_sql_history_free))) struct em_sql_history

/* The tool's checksums of a file, any of which its table may have, with blanks between; the one
 * that it would note first. "": it keeps none. */
void em_sql_checksum(enum em_sql_format format, const struct em_sql_tree *tree,
                     const struct em_sql_tree_file *file, struct em_str *out);

/* The statement that notes `file` as applied in the table `name` (quoted). `took` in milliseconds;
 * `unique` tells rows apart where the tool wants that. */
void em_sql_history_note(const struct em_sql_tool_table *table, const char *name,
                         const struct em_sql_tree *tree, const struct em_sql_tree_file *file,
                         long long took, const char *unique, struct em_str *sql);
/* What it takes to make the table, as its tool would. */
void em_sql_history_create(const struct em_sql_tool_table *table, const char *name,
                           struct em_str *sql);

#endif
