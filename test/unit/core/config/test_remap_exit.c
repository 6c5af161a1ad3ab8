#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embark/core/config/remap_exit.h"

static void each_as_itself(void **state)
{
    struct em_remap_exit map;
    (void)state;
    em_remap_exit_init(&map);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(map.code[i], i);
}

static void as_another(void **state)
{
    struct em_remap_exit map;
    (void)state;
    em_remap_exit_init(&map);
    assert_true(em_remap_exit_add(&map, "143:0"));
    assert_true(em_remap_exit_add(&map, "0:255"));
    assert_true(em_remap_exit_add(&map, "143:0")); /* again */
    assert_int_equal(map.code[143], 0);            /* and not 255: it is mapped once */
    assert_int_equal(map.code[0], 255);
    assert_int_equal(map.code[1], 1);
    assert_false(em_remap_exit_add(&map, "143:1"));
    assert_int_equal(map.code[143], 0);
}

static void what_is_none(void **state)
{
    static const char *const none[] = {
        "",    ":",    "1",    "1:",   ":1",   "256:0",  "0:256",  "1:2:3", "a:1",
        "1:a", "1 :2", "1: 2", "-1:0", "+1:0", "0001:0", "1:0000", "1,2",   "99999999999:0"};
    struct em_remap_exit map;
    (void)state;
    em_remap_exit_init(&map);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(em_remap_exit_add(&map, none[i]));
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(map.code[i], i);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_as_itself),
        cmocka_unit_test(as_another),
        cmocka_unit_test(what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
