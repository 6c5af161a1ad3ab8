/* Inside of [migrate] sql: the table of applied files, beside the ledger.
 *
 * A row for each file: its scope (the lock's name) and place (the schema in which the files act, as
 * in the ledger), name, SHA-256, state: applied, running, failed or
 * pending, and where it was taken over from. It is believed, and written to,
 * only where it belongs to somebody who may be trusted with it, as the ledger
 * (stages/migrate/ledger/ledger.h).
 */
#ifndef EMBARK_STAGES_MIGRATE_OWN_SQL_RECORDS_H
#define EMBARK_STAGES_MIGRATE_OWN_SQL_RECORDS_H

#include "embark/core/config/config.h"
#include "embark/core/migrations/applied.h"
#include "embark/core/migrations/elsewhere.h"
#include "embark/db/connection.h"

struct em_sql_records {
    struct em_db *db;
    const struct em_config *config;
    const char *place, *run;
    struct em_str table;        /* with its schema, quoted: a file may change search_path */
    struct em_filelist applied; /* names and hashes */
    struct em_list reset;       /* names that are to be run again, whatever a tool's table says */
    bool any;                   /* there are rows */
    struct em_filelist former;  /* what files were before they were edited */
    struct em_str half_made;    /* a file that failed, or was interrupted, half-way: what it is */
};
void em_sql_records_free(struct em_sql_records *records);

/* Makes the table where there is none, adds what an older embark's lacks, and reads it. The lock is
 * held. */
int em_sql_records_read(struct em_sql_records *records, struct em_err *err);
/* Whether a file of that name is recorded as applied; … or as one to be run again. */
bool em_sql_records_applied(const struct em_sql_records *records, const char *name);
bool em_sql_records_has(const struct em_sql_records *records, const char *name);
/* "running", "applied", "failed" or "pending". `origin` says who told it, where embark has not
 * applied it itself; NULL: it has. */
int em_sql_records_note(const struct em_sql_records *records, const char *name, const char *hash,
                        const char *state, const char *origin, struct em_err *err);
/* Files that are recorded under another name get their new ones, and those that were edited their
 * new hash: all or none. */
int em_sql_records_adopt(const struct em_sql_records *records, const struct em_filelist *files,
                         const struct em_applied *applied, struct em_err *err);
/* Of a file that isn't applied: `applied` (it was finished by hand), or to be run again.
 * EM_EXIT_CONFIG: there is no such file. In a transaction, with the lock. */
int em_sql_records_resolve(const struct em_sql_records *records, const char *name, bool applied,
                           struct em_err *err);

/* For one of these statements. */
#define EM_RECORD_LIMIT EM_SEC(30)

#endif
