/* What a decision means without a run, or instead of one. */
#ifndef EMBARK_STAGES_MIGRATE_CONCLUDE_H
#define EMBARK_STAGES_MIGRATE_CONCLUDE_H

#include "embark/stages/migrate/status.h"

/* Everything is applied: said, 0. The image is older than the database: EM_EXIT_OLDER, or a warning
 * and 0 (on_newer_database = continue). The last run failed a moment ago: its last lines are said,
 * and its code is returned. EM_RUN is none of these: EM_EXIT_BUG. */
int em_migration_conclude(const struct em_migration_status *look, struct em_err *err);

#endif
