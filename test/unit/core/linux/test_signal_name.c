#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "embark/core/linux/signal_name.h"

static void every_name_is_found(void **state)
{
    (void)state;
    for (int number = 1; number <= EM_SIGNAL_RTMAX; number++)
        if (number != 32 && number != 33)
            assert_int_equal(em_signal_find(em_signal_name(number)), number);
    assert_string_equal(em_signal_name(SIGTERM), "SIGTERM");
    assert_string_equal(em_signal_name(64), "SIGRTMIN+30");
    assert_string_equal(em_signal_name(77), "an unknown signal");
}

static void each_form(void **state)
{
    (void)state;
    assert_int_equal(em_signal_find("TERM"), SIGTERM);
    assert_int_equal(em_signal_find("SIGWINCH"), SIGWINCH);
    assert_int_equal(em_signal_find("9"), 9);
    assert_int_equal(em_signal_find("RTMIN"), 34);
    assert_int_equal(em_signal_find("SIGRTMIN+3"), 37);
    assert_int_equal(em_signal_find("RTMAX"), 64);
    assert_int_equal(em_signal_find("RTMAX-30"), 34);
}

static void what_is_none(void **state)
{
    static const char *const none[] = {"",           "0",
                                       "-1",         "65",
                                       "32",         "33",
                                       "9x",         "1e1",
                                       "term",       "SIG",
                                       "SIGSIGTERM", "SIG15",
                                       "RTMIN+",     "RTMIN-1",
                                       "RTMIN+31",   "RTMAX+1",
                                       "RTMAX-31",   "RTMIN+1x",
                                       "RTMINx",     " TERM",
                                       "TERM ",      "99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(em_signal_find(none[i]), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(each_form),
        cmocka_unit_test(what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
