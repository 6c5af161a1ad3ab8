#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <string.h>

#include "embark/core/base/nearest.h"

static void test_distance(void **state)
{
    char long_one[66];

    (void)state;
    assert_int_equal(em_distance("", ""), 0);
    assert_int_equal(em_distance("", "abc"), 3);
    assert_int_equal(em_distance("abc", ""), 3);
    assert_int_equal(em_distance("timeout", "timeout"), 0);
    assert_int_equal(em_distance("timeout", "timout"), 1);
    assert_int_equal(em_distance("timeout", "tiemout"), 1);
    assert_int_equal(em_distance("timeout", "timeouts"), 1);
    assert_int_equal(em_distance("timeout", "timequt"), 1);
    assert_int_equal(em_distance("direct-url", "DIRECT_URL"), 0);
    assert_int_equal(em_distance("kitten", "sitting"), 3);
    assert_int_equal(em_distance("ca", "abc"),
                     3); /* a pair is swapped once, and not edited after */
    memset(long_one, 'x', 65);
    long_one[65] = '\0';
    assert_int_equal(em_distance(long_one, "x"), SIZE_MAX);
    assert_int_equal(em_distance("x", long_one), SIZE_MAX);
    assert_int_equal(em_distance(long_one + 1, long_one + 1), 0);
}

static const char *nearest(const char *word)
{
    static const char *const words[] = {"url", "unix", "timeout", "lock_timeout", "connect_timeout",
                                        "file"};
    struct em_nearest near;

    em_nearest_start(&near, word);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        em_nearest_try(&near, words[i]);
    return near.found ? near.found : "";
}

static void test_nearest(void **state)
{
    (void)state;
    assert_string_equal(nearest("timeout"), "timeout");
    assert_string_equal(nearest("tiemout"), "timeout");
    assert_string_equal(nearest("locktimeout"), "lock_timeout");
    assert_string_equal(nearest("conect_timeot"), "connect_timeout");
    assert_string_equal(nearest("URL"), "url");
    assert_string_equal(nearest("ulr"), "url");
    assert_string_equal(nearest("files"), "file");
    assert_string_equal(nearest("dir"), "");
    assert_string_equal(nearest("uri"), "url");
    assert_string_equal(nearest("x"), "");
    assert_string_equal(nearest(""), "");
    assert_string_equal(nearest("something_else"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
