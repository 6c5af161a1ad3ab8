/* The order of numbers in decimal digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embark/core/base/compare.h"

static void check(int (*compare)(const char *, const char *), const char *a, const char *b, int is)
{
    int order = compare(a, b), back = compare(b, a);
    assert_int_equal((order > 0) - (order < 0), is);
    assert_int_equal((back > 0) - (back < 0), -is);
}

static void test_numbers(void **state)
{
    (void)state;
    check(em_compare_numbers, "9", "10", -1);
    check(em_compare_numbers, "007", "7", 0);
    check(em_compare_numbers, "7_b", "7_a", 0);
    check(em_compare_numbers, "", "000", 0);
    check(em_compare_numbers, "x", "1", -1);
    /* No word of the machine's holds them. */
    check(em_compare_numbers, "123456789012345678901234567890", "123456789012345678901234567891",
          -1);
    check(em_compare_numbers, "99999999999999999999", "100000000000000000000", -1);
}

static void test_versions(void **state)
{
    (void)state;
    check(em_compare_versions, "1.2", "1.10", -1);
    check(em_compare_versions, "1.2", "1.2.0", 0);
    check(em_compare_versions, "1.2", "1_02", 0);
    check(em_compare_versions, "1.2", "1.2.0.1", -1);
    check(em_compare_versions, "2", "1.9.9", 1);
    check(em_compare_versions, "", "", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
