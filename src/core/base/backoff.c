#include "embark/core/base/backoff.h"

/* splitmix64 (Steele, Lea and Flood, 2014): any seed will do, 0 too, and the state is one word. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static em_time at_least_one(em_time length)
{
    return length < 1 ? 1 : length;
}

void em_backoff_start(struct em_backoff *b, em_time first, em_time max, uint64_t seed)
{
    b->first = at_least_one(first);
    b->max = max;
    b->next = b->first;
    b->random = seed;
}

em_time em_backoff_grow(struct em_backoff *b)
{
    em_time gap = em_time_min(b->next, at_least_one(b->max));
    /* A gap of 1 µs has no half to grow by. */
    b->next = em_time_add(gap, at_least_one(gap / 2));
    return gap;
}

em_time em_backoff_jitter(struct em_backoff *b, em_time gap)
{
    em_time half = at_least_one(gap) / 2;
    /* The remainder is a little uneven, which matters to nobody: gaps are far below 2^64 µs. */
    em_time jitter = (em_time)(draw(&b->random) % (uint64_t)(at_least_one(gap) - half + 1));
    return at_least_one(half + jitter);
}

em_time em_backoff_next(struct em_backoff *b)
{
    return em_backoff_jitter(b, em_backoff_grow(b));
}

em_time em_backoff_within(struct em_backoff *b, em_time length)
{
    return length < 1 ? 0 : (em_time)(draw(&b->random) % (uint64_t)length);
}

void em_backoff_reset(struct em_backoff *b)
{
    b->next = b->first;
}
