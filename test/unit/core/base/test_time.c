#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "embark/core/base/time.h"

#define DAY EM_SEC(86400)

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        em_time length;
    } good[] = {
        {"0", 0},
        {"0s", 0},
        {"5", EM_SEC(5)},
        {"1.5", EM_MS(1500)},
        {"500ms", EM_MS(500)},
        {"0.5ms", 500},
        {"60s", EM_SEC(60)},
        {"10m", EM_SEC(600)},
        {"1.5m", EM_SEC(90)},
        {"2h", EM_SEC(7200)},
        {"1d", DAY},
        {"1m30s", EM_SEC(90)},
        {"1d2h3m4s5ms", DAY + EM_SEC(2 * 3600 + 3 * 60 + 4) + EM_MS(5)},
        {"1h0.5s", EM_SEC(3600) + EM_MS(500)},
        {"90m", EM_SEC(5400)},
        {"0.0000019", 1},
        {"007", EM_SEC(7)},
        {"3653d", DAY * 3653},
        {"none", EM_NEVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        em_time length = -1;

        if (!em_time_parse(good[i].text, &length))
            fail_msg("\"%s\" is a duration", good[i].text);
        assert_int_equal(length, good[i].length);
    }
}

static void test_parse_bad(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "s",
        "-1",
        "-5s",
        "+5s",
        "1 s",
        " 1s",
        "1s ",
        "5sec",
        "5S",
        "5M",
        "1m30",
        "30s1m",
        "1s1s",
        "1ms1s",
        ".5s",
        "5.",
        "5.s",
        "1,5",
        "1e3",
        "0x10",
        "five",
        "None",
        "never",
        "5us",
        "5w",
        "5y",
        "1m none",
        "nones",
        "inf",
        "nan",
        "3654d",
        "3653d1s",
        "9999999999999999",
        "99999999999999999999999999999999",
        "87673h",
        "1d99999h",
        "315619200001ms",
        "\xff",
        "5\xc2\xb5s",
        "1m\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        em_time length = -1;

        if (em_time_parse(bad[i], &length))
            fail_msg("\"%s\" is no duration", bad[i]);
        assert_int_equal(length, -1); /* left as it was */
    }
}

static void test_print(void **state)
{
    static const struct {
        em_time length;
        const char *text;
    } forms[] = {
        {0, "0 s"},
        {-5, "0 s"},
        {INT64_MIN, "0 s"},
        {50, "0.0 ms"},
        {999, "0.9 ms"},
        {EM_MS(1), "1 ms"},
        {EM_MS(640), "640 ms"},
        {999999, "999 ms"},
        {EM_SEC(1), "1 s"},
        {EM_MS(1200), "1.20 s"},
        {EM_MS(1840) + 999, "1.84 s"},
        {9999999, "9.99 s"},
        {EM_MS(12400), "12.4 s"},
        {EM_SEC(60), "60 s"},
        {119999999, "119.9 s"},
        {EM_SEC(120), "2 min"},
        {EM_SEC(125), "2 min 5 s"},
        {EM_SEC(600), "10 min"},
        {EM_SEC(7199), "119 min 59 s"},
        {EM_SEC(7200), "2 h"},
        {EM_SEC(3 * 3600 + 4 * 60 + 5), "3 h 4 min"},
        {DAY, "24 h"},
        {2 * DAY, "2 d"},
        {3 * DAY + EM_SEC(5 * 3600), "3 d 5 h"},
        {EM_NEVER, "no limit"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        EM_STR_AUTO out = EM_STR_INIT;

        em_time_print(&out, forms[i].length);
        assert_string_equal(em_str_c(&out), forms[i].text);
    }
}

static void test_add(void **state)
{
    (void)state;
    assert_int_equal(em_time_add(5, 7), 12);
    assert_int_equal(em_time_add(5, -7), -2);
    assert_int_equal(em_time_add(EM_NEVER, 1), EM_NEVER);
    assert_int_equal(em_time_add(EM_NEVER, -1), EM_NEVER);
    assert_int_equal(em_time_add(1, EM_NEVER), EM_NEVER);
    assert_int_equal(em_time_add(EM_NEVER - 1, 5), EM_NEVER);
    assert_int_equal(em_time_add(INT64_MIN, -5), INT64_MIN);
    assert_int_equal(em_time_min(3, EM_NEVER), 3);
    assert_int_equal(em_time_min(3, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_bad),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
