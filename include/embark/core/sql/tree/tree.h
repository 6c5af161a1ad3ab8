/* A folder of SQL migrations, in the layout of embark's own or of a tool's: which file is what, in
 * which order they are applied, and what of each is run.
 *
 *     struct em_sql_tree tree = {.folder = "migrations", .format = EM_SQL_BY_FILES};
 *     em_sql_tree_names(&tree, &names);          all that is below the folder
 *     … tree.v[i].text: the bytes of each file that it wants; tree.sum: atlas.sum's
 *     em_sql_tree_judge(&tree);
 *     em_sql_tree_cut(&tree);
 *     … tree.v[i] in order, tree.errs …
 *     em_sql_tree_free(&tree);
 *
 * The rules are the tools' own:
 *   dbmate           NNN_name.sql by name (pkg/dbmate/db.go, FindMigrations)
 *   goose            NNN_name.sql by number (goose.go, NumericComponent)
 *   golang-migrate   NNN_name.up.sql by number (source/parse.go)
 *   sqlx             NNN_name.sql, NNN_name.up.sql by number (sqlx-core/src/migrate/source.rs)
 *   Flyway           V1_2__name.sql by version, then R__name.sql by description; B1__name.sql for
 *                    an empty database; in folders, too ("Migrations", "Baseline migrations")
 *   node-pg-migrate  NNN_name.sql by number, one of 17 digits being a time (utils/fileNameUtils.ts,
 *                    utils/comparators.ts)
 *   sql-migrate      by number where there is one, then by name (migrate.go, Less)
 *   Prisma           NNN_name/migration.sql by the folder's name
 *   Atlas            by name, with atlas.sum (sql/migrate/dir.go)
 *
 * What a tool passes over in silence, and what it would take for something else than it looks like,
 * is an error here: nothing is taken for applied that isn't.
 *
 * Pure; names and bytes are hostile.
 */
#ifndef EMBARK_CORE_SQL_TREE_TREE_H
#define EMBARK_CORE_SQL_TREE_TREE_H

#include "embark/core/base/err.h"
#include "embark/core/migrations/filelist.h"
#include "embark/core/sql/tree/dialect.h"

enum em_sql_part {
    EM_SQL_ONCE,
    EM_SQL_REPEATED, /* Flyway's R__: again whenever it has changed */
    EM_SQL_BASELINE, /* Flyway's B__: instead of all up to its version, in an empty database */
    EM_SQL_SETTINGS, /* Flyway's V1__name.sql.conf */
    EM_SQL_BACK,     /* takes back: never run */
};

struct em_sql_tree_file {
    char *path; /* for messages: the folder's in front */
    char *name; /* below the folder */
    char *id; /* as the tool's table has it: "20240101", "1.2"; Flyway's R__views.sql: "R views" */
    char *title; /* "add users" */
    enum em_sql_part part;
    struct em_str text; /* the file's bytes */
    struct em_str run;  /* of them, what is run: the rest is blank, and lines keep their numbers */
    bool alone;         /* without a transaction */
    bool placeholders;  /* Flyway's are put in */
    char hash[EM_HEX_DIGEST]; /* of `text`; of `run` for a repeated one */
};

struct em_sql_tree {
    const char *folder;
    enum em_sql_format format; /* EM_SQL_BY_FILES: told by the files */
    bool told;                 /* it was given */
    /* A variable of the environment, for ENVSUB and placeholders; NULL: it isn't set. */
    const char *(*variable)(void *ctx, const char *name);
    void *ctx;
    struct em_sql_tree_file *v; /* after em_sql_tree_judge(): in order, without what isn't run */
    size_t n;
    char *sum_path; /* atlas.sum, where the folder has one */
    struct em_str sum;
    bool by_table; /* told by neither, but by a tool's table that is there */
    bool judged;   /* the files are sorted and hashed; there may be errors all the same */
    struct em_errs errs;
    struct em_errs unset; /* variables that aren't set: errors, where their values are needed */
};

void em_sql_tree_free(struct em_sql_tree *tree);
#define EM_SQL_TREE_AUTO __attribute__((cleanup(em_sql_tree_free))) struct em_sql_tree

/* Of the names below the folder ("a.sql", "sub/b.sql"; sorted), which files there are. */
void em_sql_tree_names(struct em_sql_tree *tree, const struct em_list *names);
/* Once their bytes are there: format, ids, order, hashes. */
void em_sql_tree_judge(struct em_sql_tree *tree);
/* What of each file is run. */
void em_sql_tree_cut(struct em_sql_tree *tree);

/* The files are this tool's, as its table tells: they get its ids. */
void em_sql_tree_become(struct em_sql_tree *tree, enum em_sql_format format);

/* "dbmate", "golang-migrate or sqlx". */
const char *em_sql_format_tool(enum em_sql_format format);
/* How a file of the format is marked that is not to run in a transaction: an advice. */
const char *em_sql_format_alone(enum em_sql_format format);
/* Whether two ids are of the same migration: "007" and "7" for goose, "1" and "1.0" for Flyway. */
bool em_sql_same_id(enum em_sql_format format, const char *a, const char *b);
/* How the format orders them: < 0, 0, > 0. */
int em_sql_compare_ids(enum em_sql_format format, const char *a, const char *b);
/* By its name below the folder, its path, its last component or its id. tree->n: none, or several.
 */
size_t em_sql_tree_find(const struct em_sql_tree *tree, const char *name);

#endif
