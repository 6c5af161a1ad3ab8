#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/languages/python/pep440.h"

/* In ascending order, from packaging's own tests of PEP 440. */
static const char *const ordered[] = {
    "1.0.dev456",
    "1.0a1",
    "1.0a2.dev456",
    "1.0a12.dev456",
    "1.0a12",
    "1.0b1.dev456",
    "1.0b2",
    "1.0b2.post345.dev456",
    "1.0b2.post345",
    "1.0b2-346",
    "1.0c1.dev456",
    "1.0c1",
    "1.0rc2",
    "1.0c3",
    "1.0",
    "1.0.post456.dev34",
    "1.0.post456",
    "1.1.dev1",
    "1.2+123abc",
    "1.2+123abc456",
    "1.2+abc",
    "1.2+abc123",
    "1.2+abc123def",
    "1.2+1234.abc",
    "1.2+123456",
    "1.2.r32+123456",
    "1.2.rev33+123456",
    "1!1.0.dev456",
    "1!1.0a1",
    "1!1.0",
    "1!1.0.post456.dev34",
    "1!1.1.dev1",
    "1!1.2.r32+123456",
    "1!1.2.rev33+123456",
};

static int compare(const char *a, const char *b)
{
    struct em_pep440 va, vb;

    if (!em_pep440_read(a, &va) || !em_pep440_read(b, &vb))
        fail_msg("%s or %s is no version", a, b);
    return em_pep440_compare(&va, &vb);
}

static void test_order(void **state)
{
    const size_t n = sizeof(ordered) / sizeof(ordered[0]);

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int result = compare(ordered[i], ordered[j]);

            if ((result > 0) != (i > j) || (result < 0) != (i < j))
                fail_msg("%s and %s: %d", ordered[i], ordered[j], result);
        }
}

/* Spellings that the standard makes one. */
static void test_normalised(void **state)
{
    static const char *const same[][2] = {
        {"1.0dev", "1.0.dev0"},
        {"1.0.dev", "1.0.dev0"},
        {"1.0-dev", "1.0.dev0"},
        {"1.0_dev", "1.0.dev0"},
        {"1.0DEV", "1.0.dev0"},
        {"1.0a", "1.0a0"},
        {"1.0.a", "1.0a0"},
        {"1.0-A", "1.0a0"},
        {"1.0.alpha1", "1.0a1"},
        {"1.0_ALPHA_1", "1.0a1"},
        {"1.0beta", "1.0b0"},
        {"1.0-Beta.2", "1.0b2"},
        {"1.0c4", "1.0rc4"},
        {"1.0.preview-3", "1.0rc3"},
        {"1.0pre", "1.0rc0"},
        {"1.0post", "1.0.post0"},
        {"1.0-5", "1.0.post5"},
        {"1.0.rev6", "1.0.post6"},
        {"1.0r7", "1.0.post7"},
        {"1.0+AbC", "1.0+abc"},
        {"1.0+ubuntu-1", "1.0+ubuntu.1"},
        {"1.0+ubuntu_1", "1.0+ubuntu.1"},
        {"v1.0", "1.0"},
        {"  1.0\n", "1.0"},
        {"1.00", "1.0"},
        {"1", "1.0.0"},
        {"0!1.0", "1"},
        {"1.0a.", "1.0a0"},
        {"1.0.post.dev3", "1.0post0dev3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        if (compare(same[i][0], same[i][1]) != 0)
            fail_msg("%s is not %s", same[i][0], same[i][1]);
}

static void test_no_version(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "french toast",
        "1.0+a+",
        "1.0++",
        "1.0+_foobar",
        "1.0+foo&asd",
        "1.0+1+1",
        "1..0",
        "1.0.",
        ".1",
        "1.0x",
        "a1",
        "!1",
        "1!",
        "1.0-dev-x",
        "1.0 1",
        "-1",
        "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
    };
    struct em_pep440 v;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (em_pep440_read(texts[i], &v))
            fail_msg("\"%s\" was read", texts[i]);
}

static void test_large_numbers(void **state)
{
    (void)state;
    assert_true(compare("20240131", "20240130") > 0);
    assert_true(compare("1.18446744073709551615", "1.18446744073709551614") > 0);
    assert_int_equal(compare("99999999999999999999999", "18446744073709551615"), 0);
}

struct allowed {
    const char *spec, *version;
    enum em_tristate expected;
};

static void check_allowed(const struct allowed *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (em_pep440_allows(cases[i].spec, cases[i].version) != cases[i].expected)
            fail_msg("\"%s\" and %s: not %d", cases[i].spec, cases[i].version,
                     (int)cases[i].expected);
}

static void test_operators(void **state)
{
    static const struct allowed cases[] = {
        {"==2.0", "2.0", EM_YES},
        {"==2", "2.0.0", EM_YES},
        {"== 2.0", "2.0+deadbeef", EM_YES},
        {"==2.0+deadbeef", "2.0", EM_NO},
        {"==2.0+a", "2.0+b", EM_NO},
        {"==2.*", "2.1.post1", EM_YES},
        {"==2.*", "2a1.dev1", EM_YES},
        {"==2.1.*", "2.2", EM_NO},
        {"==2.0.*", "2", EM_YES},
        {"==1!2.*", "2.1", EM_NO},
        {"==2.*", "1!2.1", EM_NO},
        {"==2.1.*", "2.1+local", EM_YES},
        {"!=2.0", "2.1", EM_YES},
        {"!=2.0", "2.0+x", EM_NO},
        {"!=2.1.*", "2.1.9", EM_NO},
        {"!=2.*", "3", EM_YES},
        {"~=2.2", "2.2.0", EM_YES},
        {"~=2.2", "2.9", EM_YES},
        {"~=2.2", "3.0", EM_NO},
        {"~=1.4.5", "1.4.9", EM_YES},
        {"~=1.4.5", "1.5.0", EM_NO},
        {"~=1.4.5", "1.4.4", EM_NO},
        {"~=2.2.post3", "2.9", EM_YES},
        {"~=2.2.post3", "2.2.post2", EM_NO},
        {"~=1.4.5a4", "1.4.5a3", EM_NO},
        {"~=1.4.5a4", "1.4.5", EM_YES},
        {"~=1!2.0", "2.1", EM_NO},
        {">=1.7", "1.7", EM_YES},
        {">=1.7", "1.7rc1", EM_NO},
        {">=1.7", "1.7.post1", EM_YES},
        {">=1.7", "1!0", EM_YES},
        {"<=1.7", "1.7+x", EM_YES},
        {"<=1.7", "1.7.post1", EM_NO},
        {">1.7", "1.7.1", EM_YES},
        {">1.7", "1.7.post1", EM_NO},
        {">1.7", "1.7+x", EM_NO},
        {">1.7.post2", "1.7.post3", EM_YES},
        {">1.7.post2", "1.7.post1", EM_NO},
        {">1.7", "1.7.0.post1", EM_NO},
        {"<3.1", "3.1.dev0", EM_NO},
        {"<3.1", "3.1rc1", EM_NO},
        {"<3.1rc2", "3.1rc1", EM_YES},
        {"<3.1", "3.0.dev1", EM_YES},
        {"<3.1", "3.0.9", EM_YES},
        {"<3.1.0", "3.1a1", EM_NO},
        {"===1.0-Foo", "1.0-foo", EM_YES},
        {"===1.0", "1.0.0", EM_NO},
        {"===lolwat", "LOLWAT", EM_YES},
    };

    (void)state;
    check_allowed(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_sets(void **state)
{
    static const struct allowed cases[] = {
        {"", "1.0", EM_YES},
        {"", "french toast", EM_YES},
        {">=1.14,<2", "1.14.1", EM_YES},
        {">=1.14 , < 2", "2.0", EM_NO},
        {">=1.14,<2,!=1.15.*", "1.15.2", EM_NO},
        {">=1.14,", "1.15.2", EM_YES},
        {"~=3.1,!=3.5", "3.5.0", EM_NO},
        {">=1", "no version", EM_UNKNOWN},
        {">=x", "1", EM_UNKNOWN},
        {"1.0", "1.0", EM_UNKNOWN},
    };

    (void)state;
    check_allowed(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "1.0",    "=1.0",    "=>1.0",     ">=",        "==",          "~=1",         ">=1.*",
        "<1.*",   "~=1.*",   "==1.0a1.*", "==1.0+x.*", ">=1.0+local", "~=1.0+local", "==1.*.1",
        ">=1 <2", ">=1,,<2", ",>=1",      "^1",        "===",         "lolwat",
    };
    static const char *const good[] = {"",      "==1.0+local",        "!=1.0+local",
                                       "~=1.0", "===anything-at_all", "  >= 1 ,<2"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (em_pep440_is_spec(bad[i]))
            fail_msg("\"%s\" was read", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!em_pep440_is_spec(good[i]))
            fail_msg("\"%s\" was not read", good[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),         cmocka_unit_test(test_normalised),
        cmocka_unit_test(test_no_version),    cmocka_unit_test(test_operators),
        cmocka_unit_test(test_large_numbers), cmocka_unit_test(test_sets),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
