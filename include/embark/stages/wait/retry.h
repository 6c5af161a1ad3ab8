/* What waiting for the database, for what [wait] names and for the lock have in common: the gaps
 * between tries, and what the last one is worth. */
#ifndef EMBARK_STAGES_WAIT_RETRY_H
#define EMBARK_STAGES_WAIT_RETRY_H

#include "embark/core/base/pacing.h"
#include "embark/core/config/config.h"
#include "embark/db/connection.h"

struct em_retry {
    struct em_pace pace;   /* how long to stay away, and how long to give a try */
    em_time refused_since; /* internal: of the refusals that go on; EM_NEVER: none do */
};
/* `limit`: of a try at a server that has never answered. */
void em_retry_start(struct em_retry *tries, enum em_pace_kind kind, em_time limit);

/* Before a login is tried: takes a turn among the processes of this machine that log in to the same
 * server (os/net/turn.h), so that a crowd of them doesn't fill it up; a single one has it at once,
 * however busy the machine is. It is waited for up to 16 s, or half of what is left. The caller
 * gives it back by em_turn_end() before it stays away. */
void em_retry_take_turn(struct em_retry *tries, const struct em_url *url, em_time deadline);

/* How long the login that is tried next may take, within `deadline`; to be asked for once a try. */
struct em_db_patience em_retry_patience(struct em_retry *tries, em_time deadline);

/* What a failed try at the database came to. */
enum em_try_outcome em_try_outcome_of(const struct em_db_failure *failure,
                                      const struct em_db_patience *patience);

/* Stays away as long as the last try, which began at `began`, asks for (core/base/pacing.h): false
 * when a signal asks embark to end. The deadline ends it, too, and then nothing is left to be
 * tried. */
bool em_retry_wait(struct em_retry *tries, em_time began, enum em_try_outcome tried, bool heard,
                   em_time deadline);

/* Whether the deadline cut a try short that took so long: that it wasn't answered says less than
 * what the one before it had found, so that its state is kept. */
bool em_retry_was_cut_short(em_time took, em_time deadline);

/* Whether a login's failure ends the wait: refused for good, or a password or role that is refused
 * for longer than [database] auth_grace, from the first such refusal on. */
bool em_retry_is_final(struct em_retry *tries, const struct em_config *config,
                       const struct em_db_failure *failure);

#endif
