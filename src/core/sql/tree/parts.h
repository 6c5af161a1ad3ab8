/* Inside of core: the parts that core/sql/tree/tree.c puts together. */
#ifndef EMBARK_CORE_SQL_TREE_PARTS_H
#define EMBARK_CORE_SQL_TREE_PARTS_H

#include "embark/core/sql/tree/tree.h"

/* ---- names.c ---- */

/* Whether `base` is a name of Flyway's: V1_2__x.sql, U1__x.sql, B1__x.sql, R__x.sql. */
bool em_sql_is_flyway(const char *base);
/* Whether `name`, below the tree's folder, is FOLDER/migration.sql. */
bool em_sql_is_prisma(const char *name);
/* Whether it is one of a pair: x.up.sql, x.down.sql. */
bool em_sql_is_half(const char *base);
/* Fills part, id and title from a file's name. False: it is no name of a migration in this format.
 */
bool em_sql_name_parse(enum em_sql_format format, struct em_sql_tree_file *file);
int em_sql_compare_files(enum em_sql_format format, const struct em_sql_tree_file *a,
                         const struct em_sql_tree_file *b);
const char *em_sql_name_example(enum em_sql_format format);

/* ---- cut.c ---- */

/* Sets run and alone. What isn't understood goes to tree->errs. */
void em_sql_cut(struct em_sql_tree *tree, struct em_sql_tree_file *file);

/* ---- substitute.c ---- */

/* ${NAME}, $NAME, ${NAME:-default}, ${NAME-default} between `from` and `to` of run, as goose has it
 * after ENVSUB ON (github.com/mfridman/interpolate). */
void em_sql_substitute_env(struct em_sql_tree *tree, struct em_sql_tree_file *file, size_t from,
                           size_t to);
/* Flyway's ${name} in all of run: FLYWAY_PLACEHOLDERS_NAME's value. */
void em_sql_substitute_flyway(struct em_sql_tree *tree, struct em_sql_tree_file *file);
/* `settings`: of the file's .conf. */
void em_sql_flyway_settings(struct em_sql_tree *tree, struct em_sql_tree_file *file,
                            const struct em_sql_tree_file *settings);

/* ---- atlas_sum.c ---- */

/* Whether atlas.sum is of just these files (in order of their names). Else an error. */
bool em_atlas_sum_check(const struct em_sql_tree *tree, struct em_err *err);
/* The file's own hash in it: "…="; "" for one that isn't there. */
void em_atlas_sum_of(const struct em_sql_tree *tree, const char *name, struct em_str *hash);

#endif
