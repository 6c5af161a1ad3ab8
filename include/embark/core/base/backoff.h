/* Gaps between tries: short at first, growing by half, never above a maximum, with jitter so that
 * replicas don't march in step.
 *
 *     em_backoff_start(&b, EM_MS(5), EM_MS(250), em_random_seed());
 *     for (;;) { try; sleep(em_backoff_next(&b)); }        2.5–5, 3.7–7.5, 5.6–11 … 125–250 ms
 *
 * Pure: the caller seeds it (os/loop/clock.h has a random seed), the same seed gives the same gaps.
 */
#ifndef EMBARK_CORE_BASE_BACKOFF_H
#define EMBARK_CORE_BASE_BACKOFF_H

#include <stdint.h>

#include "embark/core/base/time.h"

struct em_backoff {
    em_time first, max; /* limits of the gap before jitter; the caller may change max at any time */
    em_time next;       /* the gap that comes next, before jitter and before max */
    uint64_t random;    /* state of a splitmix64 */
};

/* `first` and `max` below 1 µs count as 1 µs; a `max` below `first` is the gap at once. */
void em_backoff_start(struct em_backoff *b, em_time first, em_time max, uint64_t seed);
em_time em_backoff_next(
    struct em_backoff *b); /* the gap to wait now: between half of it and all of it */
/* The same in two parts, for a caller that has more to say on the gap between them: the gap without
 * jitter, and a length between half of `gap` and all of it. */
em_time em_backoff_grow(struct em_backoff *b);
em_time em_backoff_jitter(struct em_backoff *b, em_time gap);
/* Somewhere from 0 to below `length`, evenly; 0 where length is. */
em_time em_backoff_within(struct em_backoff *b, em_time length);
void em_backoff_reset(
    struct em_backoff *b); /* something changed: short gaps again; the jitter goes on */

#endif
