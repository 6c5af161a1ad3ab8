#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embark/core/base/backoff.h"

static void grows_by_half_up_to_max(void **state)
{
    struct em_backoff b;
    em_time gap = EM_MS(5);
    (void)state;
    em_backoff_start(&b, EM_MS(5), EM_MS(250), 42);
    for (int i = 0; i < 1000; i++) {
        em_time got = em_backoff_next(&b);
        assert_true(got >= gap / 2 && got <= gap);
        gap = em_time_min(gap + gap / 2, EM_MS(250));
    }
    em_backoff_reset(&b);
    assert_true(em_backoff_next(&b) <= EM_MS(5));
}

static void same_seed_same_gaps(void **state)
{
    struct em_backoff a, b, c;
    int differ = 0;
    (void)state;
    em_backoff_start(&a, EM_MS(5), EM_MS(250), 7);
    em_backoff_start(&b, EM_MS(5), EM_MS(250), 7);
    em_backoff_start(&c, EM_MS(5), EM_MS(250), 8);
    for (int i = 0; i < 100; i++) {
        em_time gap = em_backoff_next(&a);
        assert_int_equal(gap, em_backoff_next(&b));
        differ += gap != em_backoff_next(&c);
    }
    assert_true(differ > 90);
}

/* Replicas that start together must not stay together: the gaps fill their range. */
static void jitter_is_spread(void **state)
{
    int buckets[10] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < 10000; seed++) {
        struct em_backoff b;
        em_backoff_start(&b, 2000, 2000, seed);
        size_t bucket = (size_t)(em_backoff_next(&b) - 1000) / 100;
        buckets[bucket > 9 ? 9 : bucket]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(buckets[i], 850, 1150);
}

/* The waiting stage raises max as time goes by. */
static void max_may_change(void **state)
{
    struct em_backoff b;
    em_time before = 0;
    (void)state;
    em_backoff_start(&b, EM_MS(5), EM_MS(5), 1);
    for (int i = 0; i < 100; i++)
        assert_true(em_backoff_next(&b) <= EM_MS(5));
    b.max = EM_MS(250);
    for (int i = 0; i < 100; i++)
        before = em_backoff_next(&b);
    assert_true(before >= EM_MS(125));
    b.max = EM_MS(10);
    assert_true(em_backoff_next(&b) <= EM_MS(10));
}

static void odd_limits(void **state)
{
    static const em_time firsts[] = {INT64_MIN, -1, 0, 1, 2, 3, EM_MS(5), EM_NEVER};
    static const em_time maxima[] = {INT64_MIN, -1, 0, 1, 2, 3, EM_MS(250), EM_NEVER - 1, EM_NEVER};
    (void)state;
    for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
        for (size_t m = 0; m < sizeof maxima / sizeof *maxima; m++) {
            struct em_backoff b;
            em_time limit = maxima[m] < 1 ? 1 : maxima[m];
            em_backoff_start(&b, firsts[f], maxima[m], f * 31 + m);
            for (int i = 0; i < 300; i++) {
                em_time gap = em_backoff_next(&b);
                assert_true(gap >= 1 && gap <= limit);
            }
        }
    }
}

static void within_is_spread_and_below(void **state)
{
    struct em_backoff b;
    bool low = false, high = false;
    (void)state;
    em_backoff_start(&b, 1, 1, 7);
    for (int i = 0; i < 1000; i++) {
        em_time at = em_backoff_within(&b, EM_MS(100));
        assert_true(at >= 0 && at < EM_MS(100));
        low = low || at < EM_MS(5);
        high = high || at >= EM_MS(95);
    }
    assert_true(low && high);
    assert_int_equal(em_backoff_within(&b, 1), 0);
    assert_int_equal(em_backoff_within(&b, 0), 0);
    assert_int_equal(em_backoff_within(&b, -5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_by_half_up_to_max),
        cmocka_unit_test(same_seed_same_gaps),
        cmocka_unit_test(jitter_is_spread),
        cmocka_unit_test(max_may_change),
        cmocka_unit_test(odd_limits),
        cmocka_unit_test(within_is_spread_and_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
