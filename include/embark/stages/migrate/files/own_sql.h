/* The files of [migrate] sql = DIR: NNN_name.sql, in the order of their numbers. */
#ifndef EMBARK_STAGES_MIGRATE_FILES_OWN_SQL_H
#define EMBARK_STAGES_MIGRATE_FILES_OWN_SQL_H

#include "embark/core/config/config.h"

bool em_sql_migrations_any(const struct em_config *config);

/* The folder's files by number. EM_EXIT_CONFIG: it can't be read, holds a .sql file whose name has
 * no number, or two with the same one. */
int em_sql_migrations_list(const struct em_config *config, struct em_list *paths,
                           struct em_err *err);

#endif
