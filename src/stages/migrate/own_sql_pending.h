/* Which files of [migrate] sql are pending: the parts of stages/migrate/pending.c that are theirs.
 */
#ifndef EMBARK_STAGES_MIGRATE_OWN_SQL_PENDING_H
#define EMBARK_STAGES_MIGRATE_OWN_SQL_PENDING_H

#include "embark/core/config/config.h"
#include "embark/core/migrations/pending/pending.h"
#include "embark/core/sql/tree/tree.h"
#include "embark/db/connection.h"

/* Reads the folder, and adds its files in their order. False: `why` says why it can't be. */
bool em_own_sql_add_files(const struct em_config *config, struct em_sql_tree *tree,
                          struct em_pending *p, struct em_str *why);
/* The letter of a row of embark's own records (core/migrations/pending/pending.h): a file that is
 * repeated is pending when it has changed. `hash` may be NULL. */
char em_own_sql_letter(const struct em_sql_tree *tree, const char *name, char letter,
                       const char *hash);
/* Once the records' rows are there: what the files' own tool has noted, in `table` ("": there is
 * none, or `why` says why it isn't known); and what is no part of the plan. */
void em_own_sql_add_history(const struct em_url *url, struct em_sql_tree *tree, struct em_db *db,
                            em_time until, struct em_pending *p, struct em_str *table,
                            struct em_str *why);

#endif
