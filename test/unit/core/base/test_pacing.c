#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embark/core/base/pacing.h"

#define LIMIT EM_SEC(5)

/* A gap that may be between half and all of `most`. */
#define assert_gap(gap, most) assert_in_range(gap, (most) / 2, most)

static struct em_pace started(enum em_pace_kind kind)
{
    struct em_pace pace;
    em_pace_start(&pace, kind, EM_SEC(1000), LIMIT, 42);
    return pace;
}

static em_time gap(struct em_pace *pace, em_time waited, em_time took, enum em_try_outcome tried)
{
    return em_pace_gap(pace, EM_SEC(1000) + waited, took, tried, tried != EM_TRY_UNANSWERED);
}

/* A server that isn't there yet is seen soon after it is. */
static void absent_server_is_polled(void **state)
{
    struct em_pace pace = started(EM_PACE_LOGIN);
    (void)state;
    assert_gap(gap(&pace, 0, 100, EM_TRY_ABSENT), EM_MS(5));
    for (int i = 0; i < 100; i++)
        assert_true(gap(&pace, EM_SEC(2), 100, EM_TRY_ABSENT) <= EM_MS(20));
    for (int i = 0; i < 100; i++)
        assert_true(gap(&pace, EM_SEC(600), 100, EM_TRY_ABSENT) <= EM_MS(250));
    assert_gap(gap(&pace, EM_SEC(600), 100, EM_TRY_ABSENT), EM_MS(250));
    em_pace_again(&pace);
    assert_gap(gap(&pace, EM_SEC(600), 100, EM_TRY_ABSENT), EM_MS(5));
}

static void gaps_are_twenty_tries(void **state)
{
    static const em_time took[] = {EM_MS(2), EM_MS(10), EM_MS(99)};
    (void)state;
    for (size_t i = 0; i < sizeof took / sizeof *took; i++) {
        struct em_pace pace = started(EM_PACE_LOGIN);
        assert_gap(gap(&pace, 0, took[i], EM_TRY_ANSWERED), 20 * took[i]);
        assert_gap(gap(&pace, 0, took[i], EM_TRY_ANSWERED), 20 * took[i]);
    }
}

/* The first try of hundreds that came together takes as long as all of them. */
static void slow_first_try_is_no_reason_for_twenty(void **state)
{
    struct em_pace pace = started(EM_PACE_LOCK);
    em_time first = gap(&pace, 0, EM_SEC(4), EM_TRY_ANSWERED);
    (void)state;
    assert_in_range(first, EM_SEC(3), EM_SEC(4));
    for (int i = 0; i < 100; i++)
        assert_true(gap(&pace, 0, EM_SEC(4), EM_TRY_ANSWERED) <= EM_SEC(15));
    assert_in_range(gap(&pace, 0, EM_SEC(4), EM_TRY_ANSWERED), EM_MS(11250), EM_SEC(15));
}

static void gaps_come_down_again_by_half(void **state)
{
    struct em_pace pace = started(EM_PACE_LOCK);
    (void)state;
    for (int i = 0; i < 100; i++)
        gap(&pace, 0, EM_SEC(4), EM_TRY_ANSWERED);
    assert_in_range(gap(&pace, 0, EM_MS(10), EM_TRY_ANSWERED), EM_MS(5625), EM_MS(7500));
    assert_in_range(gap(&pace, 0, EM_MS(10), EM_TRY_ANSWERED), EM_MS(2812), EM_MS(3750));
    for (int i = 0; i < 10; i++)
        gap(&pace, 0, EM_MS(10), EM_TRY_ANSWERED);
    assert_gap(gap(&pace, 0, EM_MS(10), EM_TRY_ANSWERED), EM_SEC(1));
}

static void gaps_double_after_a_time_out(void **state)
{
    struct em_pace pace = started(EM_PACE_LOGIN);
    (void)state;
    assert_in_range(gap(&pace, EM_SEC(5), LIMIT, EM_TRY_UNANSWERED), EM_MS(3750), EM_SEC(5));
    assert_in_range(gap(&pace, EM_SEC(15), LIMIT, EM_TRY_UNANSWERED), EM_MS(7500), EM_SEC(10));
    for (int i = 0; i < 5; i++)
        assert_in_range(gap(&pace, EM_SEC(30), LIMIT, EM_TRY_UNANSWERED), EM_MS(11250), EM_SEC(15));
}

static void gaps_double_where_it_is_full(void **state)
{
    struct em_pace login = started(EM_PACE_LOGIN), lock = started(EM_PACE_LOCK);
    (void)state;
    assert_gap(gap(&login, 0, EM_MS(1), EM_TRY_FULL), EM_MS(500));
    assert_gap(gap(&login, EM_SEC(1), EM_MS(1), EM_TRY_FULL), EM_SEC(1));
    /* A quarter of the time waited, so that a slot is found before long. */
    assert_gap(gap(&login, EM_SEC(2), EM_MS(1), EM_TRY_FULL), EM_SEC(1));
    assert_gap(gap(&login, EM_SEC(8), EM_MS(1), EM_TRY_FULL), EM_SEC(2));
    assert_true(gap(&lock, 0, EM_MS(1), EM_TRY_FULL) >= EM_MS(1250));
}

static void lock_is_asked_for_by_the_time_waited(void **state)
{
    struct em_pace pace = started(EM_PACE_LOCK);
    (void)state;
    assert_gap(gap(&pace, 0, EM_MS(1), EM_TRY_ANSWERED), EM_MS(100));
    for (int i = 0; i < 20; i++)
        assert_true(gap(&pace, EM_SEC(1), EM_MS(1), EM_TRY_ANSWERED) <= EM_MS(500));
    for (int i = 0; i < 20; i++)
        assert_true(gap(&pace, EM_SEC(600), EM_MS(1), EM_TRY_ANSWERED) <= EM_MS(2500));
    assert_true(gap(&pace, EM_SEC(600), EM_MS(1), EM_TRY_ANSWERED) >= EM_MS(1875));
}

/* connect_timeout holds for a server that never answered; one that did gets twice as long each
 * time, to 30 s. */
static void patience_is_for_servers_that_answer(void **state)
{
    struct em_pace pace = started(EM_PACE_LOGIN);
    static const em_time later[] = {EM_SEC(10), EM_SEC(20), EM_SEC(30), EM_SEC(30)};
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(em_pace_silent(&pace), LIMIT);
        assert_int_equal(em_pace_heard(&pace), EM_SEC(10));
        gap(&pace, 0, LIMIT, EM_TRY_UNANSWERED);
    }
    gap(&pace, 0, EM_MS(3), EM_TRY_FULL);
    assert_int_equal(em_pace_silent(&pace), LIMIT);
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        gap(&pace, 0, LIMIT, EM_TRY_UNANSWERED);
        assert_int_equal(em_pace_silent(&pace), later[i]);
    }
    assert_int_equal(em_pace_heard(&pace), EM_SEC(30));
}

static void own_limits_stay(void **state)
{
    struct em_pace pace;
    (void)state;
    em_pace_start(&pace, EM_PACE_LOGIN, 0, EM_SEC(100), 1);
    assert_int_equal(em_pace_heard(&pace), EM_SEC(100));
    em_pace_start(&pace, EM_PACE_LOGIN, 0, EM_NEVER, 1);
    assert_true(em_pace_silent(&pace) == EM_NEVER && em_pace_heard(&pace) == EM_NEVER);
    assert_true(em_pace_gap(&pace, EM_NEVER, EM_NEVER, EM_TRY_UNANSWERED, true) <= EM_SEC(15));
    assert_true(em_pace_gap(&pace, 0, EM_NEVER, EM_TRY_ANSWERED, true) <= EM_SEC(15));
}

/* Before the deadline there is one more try, and not at the same moment for all. */
static void long_gap_makes_room_for_a_last_try(void **state)
{
    struct em_pace pace = started(EM_PACE_LOGIN);
    (void)state;
    assert_int_equal(em_pace_until(&pace, EM_SEC(5), EM_SEC(20)), EM_SEC(5));
    assert_gap(em_pace_until(&pace, EM_SEC(15), EM_SEC(8)), EM_SEC(4));
    assert_int_equal(em_pace_until(&pace, EM_SEC(15), EM_SEC(8)), EM_SEC(8));
    pace = started(EM_PACE_LOGIN);
    assert_int_equal(em_pace_until(&pace, EM_SEC(15), EM_MS(400)), EM_MS(400));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_server_is_polled),
        cmocka_unit_test(gaps_are_twenty_tries),
        cmocka_unit_test(slow_first_try_is_no_reason_for_twenty),
        cmocka_unit_test(gaps_come_down_again_by_half),
        cmocka_unit_test(gaps_double_after_a_time_out),
        cmocka_unit_test(gaps_double_where_it_is_full),
        cmocka_unit_test(lock_is_asked_for_by_the_time_waited),
        cmocka_unit_test(patience_is_for_servers_that_answer),
        cmocka_unit_test(own_limits_stay),
        cmocka_unit_test(long_gap_makes_room_for_a_last_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
