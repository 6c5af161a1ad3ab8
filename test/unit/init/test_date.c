#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "init/date.h"

/* As the C library has it. */
static void check(int64_t us)
{
    char got[] = "0000-00-00T00:00:00.000Z", wanted[64], part[32];
    time_t seconds = (time_t)(us / 1000000);
    struct tm utc;
    assert_non_null(gmtime_r(&seconds, &utc));
    strftime(part, sizeof part, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(wanted, sizeof wanted, "%s.%03dZ", part, (int)(us % 1000000 / 1000));
    put_time(got, us);
    assert_string_equal(got, wanted);
}

static void each_day_of_two_eras(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 800 * 366; day++)
        check(day * 86400 * 1000000);
}

static void times_of_a_day(void **state)
{
    (void)state;
    for (int64_t second = 0; second < 86400; second += 7)
        check((INT64_C(20421) * 86400 + second) * 1000000 + second * 11 % 1000 * 1000);
    check(INT64_C(4102444799999999)); /* the last microsecond of 2099 */
    check(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_day_of_two_eras),
        cmocka_unit_test(times_of_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
