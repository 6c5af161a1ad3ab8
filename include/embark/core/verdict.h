/* What to do about migrations, from what the ledger says and the image holds. Pure: the whole
 * decision is here, and nothing else decides.
 *
 * embark(1), "The ledger". The database's own state is the digest of the migration tools' tables:
 * "" when there is none, and then nothing is ever skipped.
 */
#ifndef EMBARK_CORE_VERDICT_H
#define EMBARK_CORE_VERDICT_H

#include "embark/core/filelist.h"
#include "embark/core/time.h"

/* One row of the ledger, as text. All NULL: there is no such row. */
struct em_run_row {
    char *id, *run, *outcome; /* outcome: running, done, failed, interrupted */
    char *host, *build, *started;
    char *files;  /* em_filelist_print() */
    char *digest; /* of the tools' tables at its end */
    char *error, *output;
    em_time age; /* since its end (its start, while running) */
};
void em_run_row_free(struct em_run_row *row);

struct em_state {
    bool has_ledger;          /* false: no table, or it may not be read */
    struct em_run_row newest; /* of the scope */
    struct em_run_row good;   /* the newest with outcome done */
    struct em_str digest;     /* of the tools' tables now */
};
void em_state_free(struct em_state *state);

enum em_decision {
    EM_RUN,      /* take the lock and run */
    EM_SKIP,     /* everything is applied */
    EM_IS_OLDER, /* the image is older than the database */
    EM_FAILED,   /* the newest run failed with these very files, less than retry_after ago */
};

struct em_verdict {
    enum em_decision decision;
    bool diverged;
    bool half_way; /* EM_IS_OLDER against the newest run, which failed, not the last good one */
    struct em_list lacking, added, changed; /* file names, against that run */
    struct em_str why;                      /* one line for people: "nothing was run yet" */
};
void em_verdict_free(struct em_verdict *verdict);

void em_judge(const struct em_filelist *ours, const struct em_state *state, em_time retry_after,
              struct em_verdict *verdict);

#endif
