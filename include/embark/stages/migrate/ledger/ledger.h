/* The ledger: a table in the service's database that notes each migration run (embark-migrate(1), "The
 * ledger").
 *
 * Rows belong to a scope: the lock's name, and the schema in which the migration acts. They are
 * written on short-lived connections of their own: the transaction that holds the lock never gets
 * an xid. Reading the newest run, and the table of the command's tool, is one query: the whole of a
 * start where everything is applied.
 *
 * Others may have made tables of these names. A table is read only if that runs nobody's code: a
 * plain one with columns of pg_catalog's types, without a policy, and, if it isn't our role's own,
 * without a CHECK, an index or statistics on expressions, which the planner evaluates. The ledger
 * must also belong to somebody who may be trusted with it: our role, a role that it is a member of,
 * the database's owner, a superuser.
 */
#ifndef EMBARK_STAGES_MIGRATE_LEDGER_LEDGER_H
#define EMBARK_STAGES_MIGRATE_LEDGER_LEDGER_H

#include "embark/core/config/config.h"
#include "embark/core/migrations/decision.h"
#include "embark/db/connection.h"
#include "embark/stages/migrate/files/files.h"
#include "embark/stages/migrate/ledger/tables.h"

/* Whether there is to be one: [migrate] ledger isn't off. */
bool em_ledger_wanted(const struct em_config *config);

/* Where the ledger is, and whose runs are read and written. */
struct em_ledger {
    const struct em_config *config;
    const struct em_url *url;               /* of the database: names a schema, maybe */
    const struct em_migration_files *files; /* its tool's table is read */
};

/* Reads the place, the scope's newest run and the tool's table, in one query. 0 with
 * state->has_ledger false when there is no ledger, or it may not be read or trusted. Codes of
 * em_db_query otherwise. Run rows lack what em_ledger_read_rows() adds. */
int em_ledger_read(struct em_db *db, const struct em_ledger *ledger, em_time until,
                   struct em_ledger_state *state, struct em_db_failure *failure,
                   struct em_err *err);
/* The scope's newest run and newest good run, with their files, errors and output. */
int em_ledger_read_rows(struct em_db *db, const struct em_ledger *ledger, em_time until,
                        struct em_ledger_state *state, struct em_err *err);

/* A cheaper question than em_ledger_read(), for those who wait: whether the scope's newest run is
 * still the one in `state`, with that outcome. False also when it can't be told. */
bool em_ledger_unchanged(struct em_db *db, const struct em_ledger *ledger, em_time until,
                         const struct em_ledger_state *state);

/* What a run is known by. */
struct em_run_id {
    char run[17];      /* 16 random hexadecimal digits */
    struct em_str row; /* the ledger's id; empty: not in the ledger */
    /* Of a command whose tool isn't known: the tools' tables as they were, and those (a line each)
     * that earlier runs have changed. */
    struct em_tables before;
    struct em_str tables;
};
void em_run_id_free(struct em_run_id *id);

/* Creates the table where it is missing, adds the columns that an older embark didn't know, and
 * notes a run that begins. 0 also when that isn't allowed (warned of; id->row stays empty then).
 * `state` is what em_ledger_read() found over `db`; it is read again where the table is made. */
int em_ledger_begin(struct em_db *db, const struct em_ledger *ledger, em_time until,
                    struct em_ledger_state *state, struct em_run_id *id, struct em_err *err);
/* Notes the end: outcome "done" or "failed", with the tool's table as of now. Only a row that still
 * says "running" is written: a holder of the lock that came after us has called ours interrupted,
 * and what the database holds then is its business. EM_EXIT_MIGRATION: that has happened. */
int em_ledger_end(struct em_db *db, const struct em_ledger *ledger, const struct em_run_id *id,
                  const char *outcome, const char *error, const char *output, em_time until,
                  struct em_err *err);
/* Rows of the lock's name that still say "running", while we have the lock: their holder is gone.
 */
int em_ledger_mark_interrupted(struct em_db *db, const struct em_ledger *ledger,
                               const struct em_ledger_state *state, em_time until,
                               struct em_err *err);
/* Somebody has mended what the last runs failed at: the next start doesn't wait for [migrate]
 * retry_after. */
int em_ledger_clear_failures(struct em_db *db, const struct em_ledger *ledger,
                             const struct em_ledger_state *state, em_time until,
                             struct em_err *err);

/* The lock's last `limit` runs as lines for people, newest first; "no runs yet" for none. */
int em_ledger_list(struct em_db *db, const struct em_ledger *ledger,
                   const struct em_ledger_state *state, int limit, em_time until,
                   struct em_str *out, struct em_err *err);

/* The command as a row has it: passwords replaced. */
void em_ledger_command(const struct em_config *config, struct em_str *out);

/* The digest that makes two runs the same (core/migrations/identity.h), with the place that `state`
 * tells. */
void em_ledger_identity(const struct em_ledger *ledger, const struct em_ledger_state *state,
                        char hex[EM_HEX_DIGEST]);

#endif
