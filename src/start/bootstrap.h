/* The bootstrap's part of a start. */
#ifndef EMBARK_START_BOOTSTRAP_H
#define EMBARK_START_BOOTSTRAP_H

#include "embark/start/context.h"

/* `refused`: how the service's login failed; NULL: it didn't, or was not tried. */
int em_start_bootstrap(struct em_start *steps, const struct em_db_failure *refused);

/* The service's login works: what it doesn't show is looked at over its connection. A look that
 * fails is no reason not to go on. */
int em_start_finish_bootstrap(struct em_start *steps, struct em_db *db);

/* Whether a login that works says all: with [bootstrap] when = missing it may be one to a set-up
 * that was interrupted. Where a ledger is kept, its absence says when to look. */
bool em_start_checks_bootstrap(const struct em_start *steps);

#endif
