/* The start-up steps, as the commands put them together. Each logs its own failure and returns the
 * exit code, 0 when the start may go on. */
#ifndef EMBARK_START_CONTEXT_H
#define EMBARK_START_CONTEXT_H

#include "embark/core/report/report.h"
#include "embark/db/connection.h"

struct em_start {
    const struct em_config *config;
    bool build_time; /* in a Dockerfile's RUN: nothing of the deployment is known */
    bool hosts;      /* the check's report gets the hosts of the bundle */
    em_time started;
    em_time bootstrapped;  /* how long the bootstrap took, which is within the wait */
    struct em_str timings; /* "check 22 ms, wait 1.20 s" */
    bool has_database, has_direct, has_superuser;
    struct em_url url, direct; /* service's; the lock's and the migrations' */
    struct em_url superuser;   /* [bootstrap] url */
    bool foresees; /* nothing is set up: [bootstrap]'s login is tried, and `foreseen` gets what a
                      start would make, "" for nothing */
    struct em_str foreseen;
    struct em_db *kept; /* the wait's connection, when the migrations can use it; NULL otherwise */
    struct em_str raw, direct_raw; /* the same as the user gave them: secret */
};

/* Finds the targets and looks at what only shows when values are put together. EM_EXIT_CONFIG,
 * nothing started. */
int em_start_prepare(struct em_start *steps, const struct em_config *config, bool build_time);
void em_start_end(struct em_start *steps); /* may be called twice */

/* Where the lock and the migrations go: past a pooler, if [database] direct_url says how. */
const struct em_url *em_start_direct(const struct em_start *steps);

/* What needs no database. With `report` it is filled, for those who show it themselves, and nothing
 * is logged but what ends the look itself; NULL: all is logged. EMBARK_SKIP=check: 0. */
int em_start_check(struct em_start *steps, const struct em_list *service, struct em_report *report);
bool em_start_waits(const struct em_start *steps); /* whether there is anything to wait for */
int em_start_wait(struct em_start *steps);
int em_start_migrate(struct em_start *steps);

/* check, wait and migrate in their order. */
int em_start_all_steps(struct em_start *steps, const struct em_list *service);

/* The line that sums up: WHAT, the time, what the steps took, and the command when argv isn't NULL.
 */
void em_start_log_summary(const struct em_start *steps, const char *what, char *const *argv);
/* Adds "NAME 22 ms" to the timings. */
void em_start_add_timing(struct em_start *steps, const char *name, em_time started);
/* Logs what a report holds, in its order. */
void em_report_log(const struct em_report *report);
/* Logs a failure and releases it; *code is the first one's. */
void em_log_first_failure(int *code, const char *step, struct em_err *err);
/* Logs a failure and returns its code. */
int em_log_failure(const char *step, struct em_err *err);

#endif
