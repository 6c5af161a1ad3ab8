/* The ledger: a table in the service's database that notes each migration run (embark(1), "The
 * ledger").
 *
 * Rows belong to a scope, the lock's name. They are written on short-lived connections of their
 * own: the transaction that holds the lock never gets an xid. Reading it, and the digest of the
 * migration tools' tables, is one query: the whole of a start where everything is applied.
 */
#ifndef EMBARK_STAGES_LEDGER_H
#define EMBARK_STAGES_LEDGER_H

#include "embark/core/config.h"
#include "embark/core/verdict.h"
#include "embark/db/db.h"

/* Whether there is to be one: [migrate] ledger isn't off. */
bool em_ledger_wanted(const struct em_config *config);

/* Reads the scope's newest run, its newest good run and the tools' digest. 0 with state->has_ledger
 * false when there is no table, or it may not be read (warned of once). Codes of em_db_query
 * otherwise. Works inside of a transaction that must not fail: it looks before it reads. */
int em_ledger_read(struct em_db *db, const struct em_config *config, em_time until,
                   struct em_state *state, struct em_db_failure *failure, struct em_err *err);

/* A cheaper question than em_ledger_read(), for those who wait: hundreds ask it, on a connection
 * that was opened for it, and in a fresh session the digest costs the server four milliseconds. */
enum em_ledger_news {
    EM_NEWS_NONE, /* the scope's newest run is the one in `state`, with that outcome */
    EM_NEWS_DONE, /* a run has ended well since: it is in `state` now, and with it the digest that
                     it left, which is as good as one that is computed a second later */
    EM_NEWS_UNKNOWN, /* something else, or it can't be told: `state` is as it was, to be read */
};
enum em_ledger_news em_ledger_news(struct em_db *db, const struct em_config *config, em_time until,
                                   struct em_state *state);

/* What a run is known by. */
struct em_run_id {
    char run[17];      /* 16 random hexadecimal digits */
    struct em_str row; /* the ledger's id; empty: not in the ledger */
};

/* Creates the table where it is missing and notes a run that begins. 0 also when that isn't allowed
 * (warned of; id->row stays empty then). */
int em_ledger_begin(struct em_db *db, const struct em_config *config,
                    const struct em_filelist *files, em_time until, struct em_run_id *id,
                    struct em_err *err);
/* Notes the end: outcome "done" or "failed", with the tools' digest as of now. */
int em_ledger_end(struct em_db *db, const struct em_config *config, const struct em_run_id *id,
                  const char *outcome, const char *error, const char *output, em_time until,
                  struct em_err *err);
/* Rows of the scope that still say "running", while we have the lock: their holder is gone. */
int em_ledger_bury(struct em_db *db, const struct em_config *config, em_time until,
                   struct em_err *err);

/* Somebody has mended what the last runs failed at: the next start doesn't wait for [migrate]
 * retry_after. */
int em_ledger_forgive(struct em_db *db, const struct em_config *config, em_time until,
                      struct em_err *err);

/* The scope's last `limit` runs as lines for people, newest first; "no runs yet" for none. */
int em_ledger_list(struct em_db *db, const struct em_config *config, int limit, em_time until,
                   struct em_str *out, struct em_err *err);

#endif
