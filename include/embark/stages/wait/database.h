/* Waiting for the database and for what [wait] names (embark-wait(1)). */
#ifndef EMBARK_STAGES_WAIT_DATABASE_H
#define EMBARK_STAGES_WAIT_DATABASE_H

#include "embark/core/config/config.h"
#include "embark/core/report/rows.h"
#include "embark/db/connection.h"

/* A login as the service's role to the service's database succeeds and the server is not in
 * recovery. EM_EXIT_UNREACHABLE at the deadline (the last state in the text), EM_EXIT_REFUSED at
 * once for what waiting can't mend, 128 + n. `name` names the URL in messages ("$DATABASE_URL").
 * The connection is handed over in *kept, for whoever needs one next, unless kept is NULL; what the
 * last try failed with in *last (NULL allowed). */
int em_wait_database(const struct em_config *config, const struct em_url *url, const char *name,
                     struct em_db **kept, struct em_db_failure *last, struct em_err *err);

/* Logged in: is it the kind of server that is wanted? EM_EXIT_UNREACHABLE: it is a standby, and a
 * primary is needed (failure->sqlstate is "" then); em_db_query()'s codes. */
int em_wait_primary(struct em_db *db, const struct em_url *url, em_time until,
                    struct em_db_failure *failure, struct em_err *err);

/* [wait] tcp, http, unix, file: one after the other in this order, each within the one deadline
 * ([wait] timeout, from the first on).
 *
 * tcp and unix are ready when they accept a connection, http when a GET is answered by 2xx or 3xx
 * (redirects aren't followed), file when it exists. One try takes 5 s at most, twice as long after
 * each one that took all of its time, so that a connection that got stuck doesn't use up the
 * deadline and a service that is just slow has its chance. EM_EXIT_CONFIG at once, with its place,
 * for a malformed value; else the codes as above. */
int em_wait_endpoints(const struct em_config *config, struct em_err *err);

/* Whether all values of [wait] are well-formed; adds one error (EM_EXIT_CONFIG, "embark.ini:3:
 * [wait] tcp: …") for each that isn't. Touches nothing: to be called before anything is started. */
bool em_wait_validate(const struct em_config *config, struct em_errs *errs);

/* Tries each once, all of them within `until`: rows of the section "wait" for `embark doctor`. */
void em_wait_endpoints_try(const struct em_config *config, em_time until,
                           struct em_doctor_rows *looks);

/* The lines that waiting says: one when the state changes, one every 5 s, none else. Used by both,
 * and by the lock.
 *
 * Two states that alternate (one of two addresses refuses, the other swallows) don't count as
 * changes more than once a second. */
struct em_progress {
    const char *step; /* "wait"; must outlive it */
    em_time started, timeout;
    em_time next_line;    /* internal: of an unchanged state */
    em_time next_change;  /* internal: of a return to the state before */
    struct em_str last;   /* internal: the state that was logged last */
    struct em_str before; /* internal: and the one before that */
};
void em_progress_start(struct em_progress *p, const char *step, em_time timeout);
/* Says `state` ("db:5432 refuses connections") with " (1.2 s of 60 s)" when it is new, or when 5 s
 * have passed. */
void em_progress_log(struct em_progress *p, const char *state);
/* The end of it: says `state` ("db:5432 accepts connections") with " (after 1.2 s)", if anything
 * was said before. What was ready at once isn't worth a line (a debug line it is). */
void em_progress_ready(struct em_progress *p, const char *state);
void em_progress_free(struct em_progress *p);

#endif
