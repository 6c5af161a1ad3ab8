/* The set-up's statements, with the lock in hand: role, database, ownership, SQL files, grants, and
 * last of all the login. */
#ifndef EMBARK_STAGES_BOOTSTRAP_MAKE_H
#define EMBARK_STAGES_BOOTSTRAP_MAKE_H

#include "embark/core/config/config.h"
#include "embark/core/sql/bootstrap_sql.h"
#include "embark/db/connection.h"

struct em_bootstrap_run {
    const struct em_config *config;
    const struct em_bootstrap_plan *setup;
    const struct em_url *superuser, *maintenance;
    const char *mark; /* em_bootstrap_mark() */
    /* application_name of its connections, and the beginning that those of all runs of this set-up
     * have (em_run_prefix): what a killed one has left running is ended first. */
    const char *application, *prefix;
    const char *why; /* the refusal of the service's login that led to it, or NULL */
    bool refused;    /* that was one with 28P01 */
};

/* Every statement may be repeated, so that an interrupted run is taken up by another one.
 * EM_EXIT_SQL: a statement failed; EM_EXIT_REFUSED, EM_EXIT_UNREACHABLE, EM_EXIT_LOCK, 128 + n. */
int em_bootstrap_make(const struct em_bootstrap_run *run, struct em_err *err);

/* The name of the setting that stands at the maintenance database from the run's beginning to its
 * end ("embark.bootstrap_0123456789abcdef"). Any role can see it, from any database. */
void em_bootstrap_mark(const char *database, struct em_str *out);

#endif
