#include "embark/core/base/pacing.h"

#define FIRST_GAP        EM_MS(5)
#define FIRST_OF_LOCK    EM_MS(20)
#define LARGEST_ABSENT   EM_MS(250)
#define LARGEST_OF_LOCK  EM_MS(2500)
#define LEAST_WHERE_FULL EM_MS(500)
#define LONG_GAP         EM_SEC(1)
#define LARGEST_GAP      EM_SEC(15)
#define LONGEST_TRY      EM_SEC(30)
#define TRIES_PER_GAP    20
/* Beside a migration, which is not to be slowed down. */
#define TRIES_PER_GAP_OF_LOCK 100
/* Up to here a gap is reached at once. */
#define SURELY_FINE EM_MS(2500)
/* For less than that of the time left nobody hurries. */
#define HURRY EM_SEC(1)

static em_time larger(em_time a, em_time b)
{
    return a > b ? a : b;
}

void em_pace_start(struct em_pace *pace, enum em_pace_kind kind, em_time now, em_time limit,
                   uint64_t seed)
{
    *pace = (struct em_pace){.kind = kind, .started = now, .limit = limit, .patience = limit};
    em_backoff_start(&pace->backoff, kind == EM_PACE_LOCK ? FIRST_OF_LOCK : FIRST_GAP, FIRST_GAP,
                     seed);
}

em_time em_pace_silent(const struct em_pace *pace)
{
    return pace->answered ? pace->patience : pace->limit;
}

em_time em_pace_heard(const struct em_pace *pace)
{
    em_time twice = em_time_min(em_time_add(pace->patience, pace->patience), LONGEST_TRY);
    return larger(twice, pace->patience);
}

/* Waiters that came together part with the first gaps, of which they take between half and all.
 * Long ones then need less, and the last waiter is not to be late by more than it needs. */
static em_time spread(struct em_pace *pace, em_time before, em_time gap)
{
    if (gap < LONG_GAP || before < gap / 2)
        return em_backoff_jitter(&pace->backoff, gap);
    return gap - em_backoff_within(&pace->backoff, gap / 4);
}

static em_time after_silence(const struct em_pace *pace, em_time took)
{
    return larger(2 * pace->last, took);
}

em_time em_pace_linger(struct em_pace *pace)
{
    return spread(pace, pace->last,
                  em_time_min(after_silence(pace, em_pace_silent(pace)), LARGEST_GAP));
}

/* What the time that was waited asks for: grows by half from a few milliseconds up to a share of
 * it. */
static em_time by_time(struct em_pace *pace, em_time now)
{
    bool lock = pace->kind == EM_PACE_LOCK;
    em_time waited = larger(now - pace->started, 0);
    em_time most = em_time_min(waited / (lock ? 2 : 100), lock ? LARGEST_OF_LOCK : LARGEST_ABSENT);
    pace->backoff.max = larger(most, pace->backoff.first);
    return em_backoff_grow(&pace->backoff);
}

/* The gap that a try asks for which took so long.
 *
 * So many tries, but not at once where that is long: the first one of hundreds that come together
 * takes as long as all of them, and to stay away for as long again spreads them already. From then
 * on the gap is moved towards that from either side: down by half, up by an eighth where it is less
 * than five tries, and left as it is between. */
static em_time by_cost(const struct em_pace *pace, em_time took)
{
    em_time last = pace->last;
    took = em_time_min(took, LARGEST_GAP);
    em_time wanted = took * (pace->kind == EM_PACE_LOCK ? TRIES_PER_GAP_OF_LOCK : TRIES_PER_GAP);
    if (wanted <= last)
        return larger(wanted, last / 2);
    if (took * 5 > last)
        last = larger(last + last / 8, took);
    return larger(last, em_time_min(wanted, SURELY_FINE));
}

static void note_patience(struct em_pace *pace, enum em_try_outcome tried, bool heard)
{
    pace->answered = pace->answered || heard;
    if (tried == EM_TRY_UNANSWERED && pace->answered)
        pace->patience = em_pace_heard(pace);
}

/* Each try takes a slot from those who wait, too; from the holder of the lock, the migration's. */
static em_time where_full(const struct em_pace *pace, em_time now)
{
    em_time most = larger((now - pace->started) / 4, 2 * LEAST_WHERE_FULL);
    if (pace->kind == EM_PACE_LOCK)
        return LARGEST_OF_LOCK;
    return larger(em_time_min(pace->last * 2, most), LEAST_WHERE_FULL);
}

em_time em_pace_gap(struct em_pace *pace, em_time now, em_time took, enum em_try_outcome tried,
                    bool heard)
{
    em_time gap = by_time(pace, now), before = pace->last;
    note_patience(pace, tried, heard);
    if (tried == EM_TRY_ANSWERED || tried == EM_TRY_FULL)
        gap = larger(gap, by_cost(pace, took));
    if (tried == EM_TRY_FULL)
        gap = larger(gap, where_full(pace, now));
    if (tried == EM_TRY_UNANSWERED)
        gap = larger(gap, after_silence(pace, took));
    pace->last = em_time_min(gap, LARGEST_GAP);
    return spread(pace, before, pace->last);
}

void em_pace_again(struct em_pace *pace)
{
    em_backoff_reset(&pace->backoff);
    pace->last = 0;
}

em_time em_pace_until(struct em_pace *pace, em_time gap, em_time left)
{
    if (gap < left || pace->last_try || left < HURRY)
        return em_time_min(gap, left);
    pace->last_try = true;
    return em_backoff_jitter(&pace->backoff, left / 2);
}
