/* What stands before a migration: the image's files, what the ledger says, and the verdict on both.
 * For a start, `embark migrate --dry-run` and `embark doctor` alike. */
#ifndef EMBARK_STAGES_OUTLOOK_H
#define EMBARK_STAGES_OUTLOOK_H

#include "embark/core/config.h"
#include "embark/core/verdict.h"
#include "embark/db/db.h"
#include "embark/stages/migration_files.h"

/* For a look at the ledger. */
#define EM_LEDGER_LIMIT EM_SEC(15)

struct em_outlook {
    struct em_migration_files files;
    struct em_state state;
    struct em_verdict verdict;
};
#define EM_OUTLOOK_AUTO __attribute__((cleanup(em_outlook_free))) struct em_outlook

/* The verdict anew, from the files and the state. */
void em_outlook_judge(const struct em_config *config, struct em_outlook *look);
/* The state and the verdict, over `db`, where nothing is changed; look->files are there already. As
 * em_ledger_read(). */
int em_outlook_read(const struct em_config *config, struct em_db *db, em_time until,
                    struct em_outlook *look, struct em_err *err);
void em_outlook_free(struct em_outlook *look);

/* A connection for the ledger, beside the lock's. As em_db_open(). */
int em_outlook_open(const struct em_config *config, const struct em_url *direct, struct em_db **db,
                    struct em_db_failure *failure, struct em_err *err);

#endif
