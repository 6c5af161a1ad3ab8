/* The folder of [migrate] sql, read (core/sql/tree/tree.h). */
#ifndef EMBARK_STAGES_MIGRATE_FILES_OWN_SQL_H
#define EMBARK_STAGES_MIGRATE_FILES_OWN_SQL_H

#include "embark/core/config/config.h"
#include "embark/core/sql/tree/tree.h"

bool em_sql_migrations_any(const struct em_config *config);

/* Reads the names and the bytes, and finds the format and the order. What is wrong stands in
 * tree->errs. `tree` is zeroed. */
void em_sql_folder_look(const struct em_config *config, struct em_sql_tree *tree);
/* The same, and what of each file is run; the first error. */
int em_sql_folder_read(const struct em_config *config, struct em_sql_tree *tree,
                       struct em_err *err);

#endif
