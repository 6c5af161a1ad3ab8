#include "embark/stages/tries.h"

#include "embark/os/clock.h"

#define FIRST_GAP   EM_MS(5)
#define LARGEST_GAP EM_MS(250)
#define SHORT_TRY   EM_SEC(1)

void em_tries_start(struct em_tries *tries)
{
    em_backoff_start(&tries->backoff, FIRST_GAP, FIRST_GAP, em_random_seed());
    tries->started = em_now();
    tries->refused_since = EM_NEVER;
}

em_time em_tries_gap(struct em_tries *tries)
{
    em_time largest = (em_now() - tries->started) / 100;
    tries->backoff.max = largest < FIRST_GAP ? FIRST_GAP : em_time_min(largest, LARGEST_GAP);
    return em_backoff_next(&tries->backoff);
}

bool em_tries_cut(em_time took, em_time deadline)
{
    return em_now() >= deadline && took < SHORT_TRY;
}

bool em_tries_final(struct em_tries *tries, const struct em_config *config,
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
