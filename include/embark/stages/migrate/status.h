/* What stands before a migration: the image's files, what the ledger and the tool's table say, and
 * the verdict on all of it. One decision for a start, `embark migrate --dry-run` and `embark
 * doctor` alike. */
#ifndef EMBARK_STAGES_MIGRATE_STATUS_H
#define EMBARK_STAGES_MIGRATE_STATUS_H

#include "embark/core/config/config.h"
#include "embark/core/migrations/decision.h"
#include "embark/db/connection.h"
#include "embark/stages/migrate/files/files.h"
#include "embark/stages/migrate/ledger/ledger.h"

/* For a look at the ledger. */
#define EM_LEDGER_LIMIT EM_SEC(15)

struct em_migration_status {
    const struct em_config *config;
    const struct em_url *direct;
    struct em_migration_files files;
    struct em_ledger_state state;
    struct em_decision verdict;
};
#define EM_OUTLOOK_AUTO \
    __attribute__((cleanup(em_migration_status_free))) struct em_migration_status

/* What em_ledger_read() and its like want; valid as long as `look` is. */
struct em_ledger em_migration_status_ledger(const struct em_migration_status *look);

/* Reads the state over `db`, where nothing is changed, and decides; look->files are there already.
 * Where everything is applied that is one query; else two or three more tell why something is to be
 * run, and whether the image is older than the database. As em_ledger_read(). `failure` may be
 * NULL. */
int em_migration_status_read(struct em_migration_status *look, struct em_db *db, em_time until,
                             struct em_db_failure *failure, struct em_err *err);
/* The verdict where no database could be asked: something is to be run. */
void em_migration_status_decide(struct em_migration_status *look);
/* 0: a run can prove that everything is applied, as far as the configuration and the files go.
 * EM_EXIT_CONFIG: none could ever, and why. */
int em_migration_status_provable(const struct em_migration_status *look, struct em_err *err);
void em_migration_status_free(struct em_migration_status *look);

/* A connection for the ledger. As em_db_open(), within connect_timeout, or 30 s where the server
 * has begun to answer. */
int em_migration_status_open(const struct em_config *config, const struct em_url *direct,
                             struct em_db **db, struct em_db_failure *failure, struct em_err *err);
/* The same beside the lock's, whose server has answered: 30 s. */
int em_migration_status_open_beside(const struct em_config *config, const struct em_url *direct,
                                    struct em_db **db, struct em_db_failure *failure,
                                    struct em_err *err);

#endif
