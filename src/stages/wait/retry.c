#include "embark/stages/wait/retry.h"

#include <string.h>

#include "embark/os/loop/clock.h"
#include "embark/os/net/turn.h"

#define SHORT_TRY    EM_SEC(1)
#define LONGEST_TURN EM_SEC(16)

void em_retry_start(struct em_retry *tries, enum em_pace_kind kind, em_time limit)
{
    em_pace_start(&tries->pace, kind, em_now(), limit, em_random_seed());
    tries->refused_since = EM_NEVER;
}

void em_retry_take_turn(struct em_retry *tries, const struct em_url *url, em_time deadline)
{
    EM_PLACE_AUTO at = EM_PLACE_INIT;
    EM_STR_AUTO server = EM_STR_INIT;
    em_time left = deadline == EM_NEVER ? LONGEST_TURN : (deadline - em_now()) / 2;
    em_time longest = em_time_min(left, LONGEST_TURN);
    em_url_place(url, 0, &at);
    em_str_printf(&server, "%s:%s", *at.address ? at.address : at.host, at.port);
    /* Those that have to do without don't begin all at once. */
    em_turn_take(em_str_c(&server), em_in(em_backoff_jitter(&tries->pace.backoff, longest)));
}

struct em_db_patience em_retry_patience(struct em_retry *tries, em_time deadline)
{
    em_time silent = em_in(em_pace_silent(&tries->pace));
    return (struct em_db_patience){
        .silent = em_time_min(deadline, silent),
        .until = em_time_min(deadline, em_in(em_pace_heard(&tries->pace))),
        .linger = em_time_min(deadline, em_time_add(silent, em_pace_linger(&tries->pace)))};
}

enum em_try_outcome em_try_outcome_of(const struct em_db_failure *failure,
                                      const struct em_db_patience *patience)
{
    if (strncmp(failure->sqlstate, "53", 2) == 0)
        return EM_TRY_FULL;
    if (patience->late)
        return EM_TRY_UNANSWERED;
    return failure->sqlstate[0] || patience->heard ? EM_TRY_ANSWERED : EM_TRY_ABSENT;
}

bool em_retry_wait(struct em_retry *tries, em_time began, enum em_try_outcome tried, bool heard,
                   em_time deadline)
{
    em_time now = em_now(), from = now;
    /* The gap after a silence is spent listening. */
    if (tried == EM_TRY_UNANSWERED && !heard)
        from = em_time_min(now, em_time_add(began, em_pace_silent(&tries->pace)));
    em_time gap = em_pace_gap(&tries->pace, now, from - began, tried, heard);
    if (deadline != EM_NEVER)
        gap = em_pace_until(&tries->pace, gap, deadline - from);
    return em_wait_fd(-1, 0, em_time_add(from, gap)) != EM_WAKE_SIGNAL;
}

bool em_retry_was_cut_short(em_time took, em_time deadline)
{
    return em_now() >= deadline && took < SHORT_TRY;
}

bool em_retry_is_final(struct em_retry *tries, const struct em_config *config,
                       const struct em_db_failure *failure)
{
    em_time now = em_now();
    if (failure->kind != EM_DB_AUTH) {
        tries->refused_since = EM_NEVER;
        return failure->kind == EM_DB_FATAL;
    }
    if (tries->refused_since == EM_NEVER)
        tries->refused_since = now;
    return now - tries->refused_since >= config->database_auth_grace;
}
