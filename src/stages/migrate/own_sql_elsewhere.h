/* Inside of [migrate] sql: what is recorded under other locks' names in the same schema
 * (core/migrations/elsewhere.h). */
#ifndef EMBARK_STAGES_MIGRATE_OWN_SQL_ELSEWHERE_H
#define EMBARK_STAGES_MIGRATE_OWN_SQL_ELSEWHERE_H

#include "embark/core/migrations/elsewhere.h"
#include "embark/core/sql/tree/tree.h"
#include "own_sql_records.h"

/* The question for all records of the schema `place` in `table`, which is quoted; and what its
 * answer in `db` tells of the folder. `found`: empty, but for its scope; its lists of files are the
 * folder's, and are not kept. */
void em_sql_elsewhere_sql(const char *table, const char *place, struct em_str *sql);
void em_sql_elsewhere_read(const struct em_db *db, const struct em_sql_tree *tree,
                           struct em_elsewhere *found);

/* With our lock held: records as applied what is so under another lock's name, while that lock is
 * held as well, so that nothing of it is under way; a migration that runs under it is waited for.
 * EM_EXIT_MIGRATION: what is applied can't be known; EM_EXIT_LOCK, 128 + n. */
int em_sql_elsewhere_take_over(struct em_sql_records *records, const struct em_sql_tree *tree,
                               struct em_err *err);

#endif
