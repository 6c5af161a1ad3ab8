/* What an image's migrations tell without a database, for `embark check`. */
#ifndef EMBARK_STAGES_MIGRATE_CHECK_H
#define EMBARK_STAGES_MIGRATE_CHECK_H

#include "embark/core/config/config.h"

/* EM_EXIT_MIGRATION: the tool would refuse the files as they are: several heads, of which `alembic
 * upgrade head` wants one. A warning: a shell's several commands, of which [migrate] files would
 * skip all or nothing; lock_retries where nothing is known to end a wait; several heads that may be one by files that embark doesn't see. What can't
 * be told is passed over. */
void em_migration_check(const struct em_config *config, struct em_errs *errs,
                        struct em_errs *warnings);

#endif
