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

struct em_outlook {
    const struct em_config *config;
    const struct em_url *direct;
    struct em_migration_files files;
    struct em_state state;
    struct em_verdict verdict;
};
#define EM_OUTLOOK_AUTO __attribute__((cleanup(em_outlook_free))) struct em_outlook

/* What em_ledger_read() and its like want; valid as long as `look` is. */
struct em_ledger em_outlook_ledger(const struct em_outlook *look);

/* Reads the state over `db`, where nothing is changed, and decides; look->files are there already.
 * Where everything is applied that is one query; else two or three more tell why something is to be
 * run, and whether the image is older than the database. As em_ledger_read(). `failure` may be
 * NULL. */
int em_outlook_read(struct em_outlook *look, struct em_db *db, em_time until,
                    struct em_db_failure *failure, struct em_err *err);
/* The verdict where no database could be asked: something is to be run. */
void em_outlook_judge(struct em_outlook *look);
void em_outlook_free(struct em_outlook *look);

/* A connection for the ledger. As em_db_open(), within connect_timeout, or 30 s where the server
 * has begun to answer. */
int em_outlook_open(const struct em_config *config, const struct em_url *direct, struct em_db **db,
                    struct em_db_failure *failure, struct em_err *err);
/* The same beside the lock's, whose server has answered: 30 s. */
int em_outlook_open_beside(const struct em_config *config, const struct em_url *direct,
                           struct em_db **db, struct em_db_failure *failure, struct em_err *err);

#endif
