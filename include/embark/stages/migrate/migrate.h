/* The migration, by one replica at a time, and only when there is something to do
 * (embark-migrate(1)).
 *
 * The ledger is read first: where everything is applied, that one query is all. Otherwise the lock
 * is taken, the state read again, the command run, its end noted.
 */
#ifndef EMBARK_STAGES_MIGRATE_MIGRATE_H
#define EMBARK_STAGES_MIGRATE_MIGRATE_H

#include "embark/core/config/config.h"
#include "embark/db/connection.h"

/* `direct_raw` is the direct URL as the user gave it: for [migrate] env, since the migration's own
 * driver reads it. `*kept` (NULL allowed) is a connection to the same database that the ledger may
 * be read over, to save a login; it is closed, and NULL afterwards. EM_EXIT_LOCK,
 * EM_EXIT_MIGRATION, EM_EXIT_OLDER, EM_EXIT_CONFIG, EM_EXIT_REFUSED, EM_EXIT_UNREACHABLE,
 * EM_EXIT_NOT_FOUND and EM_EXIT_NOT_EXECUTABLE for the command itself, 128 + n. `first` (NULL
 * allowed) is called before anything is done, over a connection to the database, when there is a
 * ledger to be kept and none is there yet, which says that nothing was migrated here before; its
 * code other than 0 ends it all. */
struct em_migrate_first {
    int (*call)(void *ctx, struct em_db *db, struct em_err *err);
    void *ctx;
};
int em_migrate(const struct em_config *config, const struct em_url *direct, const char *direct_raw,
               struct em_db **kept, const struct em_migrate_first *first, struct em_err *err);
/* What a start would do now, and why, for people: adds lines to out. Takes no lock and changes
 * nothing. */
int em_migrate_plan(const struct em_config *config, const struct em_url *direct, struct em_str *out,
                    struct em_err *err);
/* The scope's last runs, newest first. */
int em_migrate_status(const struct em_config *config, const struct em_url *direct,
                      struct em_str *out, struct em_err *err);
/* Waits until this image's migrations are applied, by the rule by which a start skips them; takes
 * no lock and runs nothing. 0; EM_EXIT_LOCK: not within [migrate] lock_timeout; EM_EXIT_MIGRATION:
 * the last run failed on these files; EM_EXIT_OLDER; EM_EXIT_CONFIG: no run could ever prove it;
 * EM_EXIT_UNREACHABLE, EM_EXIT_REFUSED, 128 + n. */
int em_migrate_await(const struct em_config *config, const struct em_url *direct,
                     struct em_err *err);
/* What somebody says by hand about a file of [migrate] sql (stages/migrate/own_sql.h). */
struct em_migrate_settle {
    const char *file;
    enum {
        EM_SETTLE_APPLIED, /* it failed half-way, and is applied now; … */
        EM_SETTLE_PENDING, /* … or is to be run again */
        EM_SETTLE_BASELINE /* it and all before it were applied in another way; "none" */
    } as;
    size_t count; /* made: of a baseline, the files that were not recorded yet */
};
int em_migrate_settle(const struct em_config *config, const struct em_url *direct,
                      struct em_migrate_settle *settle, struct em_err *err);
bool em_migrate_any(const struct em_config *config);

#endif
