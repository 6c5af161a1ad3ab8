/* What waiting for the database, for what [wait] names and for the lock have in common: the gaps
 * between tries, and what the last one is worth. */
#ifndef EMBARK_STAGES_TRIES_H
#define EMBARK_STAGES_TRIES_H

#include "embark/core/backoff.h"
#include "embark/core/config.h"
#include "embark/db/db.h"

struct em_tries {
    struct em_backoff backoff;
    em_time started;
    em_time refused_since; /* internal: of the refusals that go on; EM_NEVER: none do */
};
void em_tries_start(struct em_tries *tries);

/* The gap before the next try: of a few milliseconds at first, then below a hundredth of what was
 * waited already, so that waiting adds at most one per cent and a server that appears after 2 s is
 * seen within 20 ms; 250 ms at most. */
em_time em_tries_gap(struct em_tries *tries);

/* Whether the deadline cut a try short that took so long: that it wasn't answered says less than
 * what the one before it had found, so that its state is kept. */
bool em_tries_cut(em_time took, em_time deadline);

/* Whether a login's failure ends the wait: refused for good, or a password or role that is refused
 * for longer than [database] auth_grace, from the first such refusal on. */
bool em_tries_final(struct em_tries *tries, const struct em_config *config,
                    const struct em_db_failure *failure);

#endif
