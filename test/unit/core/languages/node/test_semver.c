#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/languages/node/semver.h"

/* In ascending order: semver.org's own example, and a few more. */
static void test_order(void **state)
{
    static const char *const ordered[] = {
        "0.0.0-0",          "0.0.0",      "0.9.9",        "1.0.0-1",
        "1.0.0-2",          "1.0.0-10",   "1.0.0-alpha",  "1.0.0-alpha.1",
        "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
        "1.0.0-rc.1",       "1.0.0",      "1.0.1",        "1.2.0",
        "1.10.0",           "2.0.0",      "10.0.0",
    };
    const size_t n = sizeof(ordered) / sizeof(ordered[0]);

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            struct em_semver a, b;
            int result;

            assert_true(em_semver_read(ordered[i], &a));
            assert_true(em_semver_read(ordered[j], &b));
            result = em_semver_compare(&a, &b);
            if ((result > 0) != (i > j) || (result < 0) != (i < j))
                fail_msg("%s and %s: %d", ordered[i], ordered[j], result);
        }
}

static void test_versions(void **state)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "1.2",
                                      "1.2.x",
                                      "01.2.3",
                                      "1.2.3-",
                                      "1.2.3-01",
                                      "1.2.3-a..b",
                                      "1.2.3+",
                                      "1.2.3.4",
                                      "1.2.3 4",
                                      "latest",
                                      "9007199254740992.0.0",
                                      "-1.0.0",
                                      "1.2.3-\xff"};
    static const char *const good[] = {"1.2.3",
                                       "v1.2.3",
                                       "=1.2.3",
                                       " 1.2.3 ",
                                       "1.2.3+001",
                                       "1.2.3-0a",
                                       "1.2.3--",
                                       "9007199254740991.0.0",
                                       "1.2.3-x.7.z.92+exp.sha.5114f85"};
    struct em_semver v;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (em_semver_read(bad[i], &v))
            fail_msg("\"%s\" was read", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!em_semver_read(good[i], &v))
            fail_msg("\"%s\" was not read", good[i]);
}

struct allowed {
    const char *range, *version;
};

/* Most are of node-semver's own fixtures. */
static const struct allowed included[] = {
    {"1.0.0 - 2.0.0", "1.2.3"},
    {"^1.2.3+build", "1.2.3"},
    {"^1.2.3+build", "1.3.0"},
    {"1.2.3-pre+asdf - 2.4.3-pre+asdf", "1.2.3"},
    {"1.2.3-pre+asdf - 2.4.3-pre+asdf", "1.2.3-pre.2"},
    {"1.2.3-pre+asdf - 2.4.3-pre+asdf", "2.4.3-alpha"},
    {"1.2.3+asdf - 2.4.3+asdf", "1.2.3"},
    {"1.0.0", "1.0.0"},
    {">=*", "0.2.4"},
    {"", "1.0.0"},
    {"*", "1.2.3"},
    {">=1.0.0", "1.0.1"},
    {">=1.0.0", "1.1.0"},
    {">1.0.0", "1.0.1"},
    {"<=2.0.0", "2.0.0"},
    {"<=2.0.0", "0.2.9"},
    {"<2.0.0", "1.9999.9999"},
    {">= 1.0.0", "1.0.1"},
    {">=  1.0.0", "1.1.0"},
    {">\t1.0.0", "1.1.0"},
    {"<=   2.0.0", "1.9999.9999"},
    {"<    2.0.0", "0.2.9"},
    {">=0.1.97", "v0.1.97"},
    {"0.1.20 || 1.2.4", "1.2.4"},
    {">=0.2.3 || <0.0.1", "0.0.0"},
    {">=0.2.3 || <0.0.1", "0.2.4"},
    {"||", "1.3.4"},
    {"2.x.x", "2.1.3"},
    {"1.2.x", "1.2.3"},
    {"1.2.x || 2.x", "2.1.3"},
    {"1.2.x || 2.x", "1.2.3"},
    {"x", "1.2.3"},
    {"2.*.*", "2.1.3"},
    {"1.2.* || 2.*", "2.1.3"},
    {"2", "2.1.2"},
    {"2.3", "2.3.1"},
    {"~0.0.1", "0.0.2"},
    {"~x", "0.0.9"},
    {"~2", "2.9.9"},
    {"~2.4", "2.4.5"},
    {"~>3.2.1", "3.2.2"},
    {"~1", "1.2.3"},
    {"~> 1", "1.2.3"},
    {"~1.0", "1.0.2"},
    {"~ 1.0.3", "1.0.12"},
    {">=1", "1.0.0"},
    {">= 1", "1.0.0"},
    {"<1.2", "1.1.1"},
    {"~v0.5.4-pre", "0.5.5"},
    {"~v0.5.4-pre", "0.5.4"},
    {"=0.7.x", "0.7.2"},
    {"<=0.7.x", "0.7.2"},
    {">=0.7.x", "0.7.2"},
    {"<=0.7.x", "0.6.2"},
    {"~1.2.1 >=1.2.3", "1.2.3"},
    {"~1.2.1 =1.2.3", "1.2.3"},
    {"~1.2.1 1.2.3", "1.2.3"},
    {">=1.2.1 1.2.3", "1.2.3"},
    {"1.2.3 >=1.2.1", "1.2.3"},
    {">=1.2", "1.2.8"},
    {"^1.2.3", "1.8.1"},
    {"^0.1.2", "0.1.2"},
    {"^0.1", "0.1.2"},
    {"^0.0.1", "0.0.1"},
    {"^1.2", "1.4.2"},
    {"^1.2 ^1", "1.4.2"},
    {"^1.2.3-alpha", "1.2.3-pre"},
    {"^1.2.0-alpha", "1.2.0-pre"},
    {"^0.0.1-alpha", "0.0.1-beta"},
    {"^0.1.1-alpha", "0.1.1-beta"},
    {"^x", "1.2.3"},
    {"x - 1.0.0", "0.9.7"},
    {"x - 1.x", "0.9.7"},
    {"1.0.0 - x", "1.9.7"},
    {"1.x - x", "1.9.7"},
    {"<=7.x", "7.9.9"},
    {"^4.18", "4.21.2"},
    {">=4", "5.0.0"},
    {"^0", "0.9.0"},
    {"^0.0", "0.0.9"},
    {">=18.0.0 <19.0.0-0", "18.9.9"},
};

static const struct allowed excluded[] = {
    {"1.0.0 - 2.0.0", "2.2.3"},
    {"1.2.3+asdf - 2.4.3+asdf", "1.2.3-pre.2"},
    {"^1.2.3+build", "2.0.0"},
    {"^1.2.3+build", "1.2.0"},
    {"^1.2.3", "1.2.3-pre"},
    {"^1.2", "1.2.0-pre"},
    {">1.2", "1.3.0-beta"},
    {"<=1.2.3", "1.2.3-beta"},
    {"=0.7.x", "0.7.0-asdf"},
    {">=0.7.x", "0.7.0-asdf"},
    {"1", "1.0.0-beta"},
    {"<1", "1.0.0-beta"},
    {"1.0.0", "1.0.1"},
    {">=1.0.0", "0.0.0"},
    {">=1.0.0", "0.1.0"},
    {">1.0.0", "0.0.1"},
    {"<=2.0.0", "3.0.0"},
    {"<2.0.0", "2.2.9"},
    {"0.1.20 || 1.2.4", "1.2.3"},
    {">=0.2.3 || <0.0.1", "0.0.3"},
    {"2.x.x", "1.1.3"},
    {"1.2.x", "1.3.3"},
    {"1.2.x || 2.x", "3.1.3"},
    {"2", "1.1.2"},
    {"2.3", "2.4.1"},
    {"~0.0.1", "0.1.0-alpha"},
    {"~0.0.1", "0.1.0"},
    {"~2.4", "2.5.0"},
    {"~2.4", "2.3.9"},
    {"~>3.2.1", "3.3.2"},
    {"~1", "0.2.3"},
    {"~1", "2.2.3"},
    {"~1.0", "1.1.0"},
    {"<1", "1.0.0"},
    {">=1.2", "1.1.1"},
    {"~v0.5.4-beta", "0.5.4-alpha"},
    {"=0.7.x", "0.8.2"},
    {"<0.7.x", "0.7.2"},
    {"<=0.7.x", "0.8.0"},
    {"<1.2.3", "1.2.3-beta"},
    {"=1.2.3", "1.2.3-beta"},
    {">1.2", "1.2.8"},
    {"^0.0.1", "0.0.2-alpha"},
    {"^0.0.1", "0.0.2"},
    {"^1.2.3", "2.0.0-alpha"},
    {"^1.2.3", "1.2.2"},
    {"^1.2", "1.1.9"},
    {"*", "v1.2.3-foo"},
    {"^1.0.0", "2.0.0-rc1"},
    {"1 - 2", "3.0.0-pre"},
    {"1 - 2", "2.0.0-pre"},
    {"1 - 2", "1.0.0-pre"},
    {"1.0 - 2", "1.0.0-pre"},
    {"1.1.x", "1.0.0-a"},
    {"1.1.x", "1.2.0-a"},
    {"1.x", "1.1.0-a"},
    {">=1.0.0 <1.1.0", "1.1.0"},
    {">=1.0.0 <1.1.0", "1.1.0-pre"},
    {"<x", "0.0.0"},
    {">x", "1.0.0"},
    {"^0", "1.0.0"},
    {"^0.1", "0.2.0"},
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(included) / sizeof(included[0]); i++)
        if (em_semver_allows(included[i].range, included[i].version) != EM_YES)
            fail_msg("\"%s\" must allow %s", included[i].range, included[i].version);
    for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
        if (em_semver_allows(excluded[i].range, excluded[i].version) != EM_NO)
            fail_msg("\"%s\" must not allow %s", excluded[i].range, excluded[i].version);
}

static void test_no_range(void **state)
{
    static const char *const bad[] = {"latest",
                                      "next",
                                      "git+ssh://git@github.com/a/b.git",
                                      "github:a/b",
                                      "a/b",
                                      "file:../x",
                                      "link:../x",
                                      "workspace:^",
                                      "npm:x@^1",
                                      "https://x/y.tgz",
                                      "1 |2",
                                      "|",
                                      "blerg",
                                      ">01.02.03",
                                      "^1.2.3foo",
                                      "1.2.3-",
                                      "^^1",
                                      "1.2.3 - ",
                                      "\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (em_semver_is_range(bad[i]))
            fail_msg("\"%s\" was read", bad[i]);
        assert_int_equal(em_semver_allows(bad[i], "1.0.0"), EM_UNKNOWN);
    }
    assert_int_equal(em_semver_allows("^1", "one"), EM_UNKNOWN);
    assert_true(em_semver_is_range(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_no_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
