/* Which of the image's migrations the database lacks, by name (core/migrations/pending/pending.h):
 * reads their files, and the rows of their tool's table. The tool isn't run, and nothing is
 * changed. */
#ifndef EMBARK_STAGES_MIGRATE_PENDING_H
#define EMBARK_STAGES_MIGRATE_PENDING_H

#include "embark/core/config/config.h"
#include "embark/core/migrations/filelist.h"
#include "embark/core/migrations/pending/pending.h"
#include "embark/db/connection.h"

struct em_pending_status {
    struct em_pending pending; /* .kind NULL: the tool isn't known, and nothing else is set */
    bool has_rows;             /* of a table, or there is no table yet */
    struct em_str table;       /* that the rows are of, with its schema; "": there is none */
    struct em_str schema;      /* of that table, unquoted */
    bool named;                /* that schema was named by a setting or the URL */
    struct em_str why;         /* the rows were not had */
};
#define EM_PENDING_STATUS_AUTO \
    __attribute__((cleanup(em_pending_status_free))) struct em_pending_status

/* `url` is the database's, `place` em_ledger_state.place ("" where it isn't known), `files` are
 * em_migration_files(). Asks the database at most twice; NULL: only the files are looked at. What
 * can't be read stands in `why`, or in pending.odd. */
void em_pending_status(const struct em_config *config, const struct em_url *url, const char *place,
                       const struct em_filelist *files, struct em_db *db, em_time until,
                       struct em_pending_status *look);
void em_pending_status_free(struct em_pending_status *look);

#endif
