#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/config/dir_rule.h"

static void expect(const char *value, const char *path, bool not_empty, uint64_t size)
{
    struct em_dir_rule rule;
    struct em_err err = EM_ERR_INIT;

    assert_int_equal(em_dir_rule_read(value, &rule, &err), 0);
    assert_string_equal(rule.path, path);
    assert_int_equal(rule.not_empty, not_empty);
    assert_int_equal(rule.free, size);
    em_dir_rule_free(&rule);
    em_dir_rule_free(&rule);
    em_err_free(&err);
}

static void expect_bad(const char *value, const char *text)
{
    struct em_dir_rule rule;
    struct em_err err = EM_ERR_INIT;

    assert_int_equal(em_dir_rule_read(value, &rule, &err), EM_EXIT_CONFIG);
    assert_string_equal(em_str_c(&err.text), text);
    em_dir_rule_free(&rule);
    em_err_free(&err);
}

static void test_rules(void **state)
{
    (void)state;
    expect("public", "public", false, 0);
    expect("public : not-empty", "public", true, 0);
    expect("/data : free 100M", "/data", false, 100 << 20);
    expect("/my data  :  not-empty ,free  2 GiB ", "/my data", true, 2ULL << 30);
    expect("C:/x:y", "C:/x:y", false, 0);
    expect("a : b : not-empty", "a : b", true, 0);
    expect("x :not-empty", "x :not-empty", false, 0);
    expect_bad("x : empty", "\"empty\" is neither not-empty nor free SIZE");
    expect_bad("x : free", "\"free\" is neither not-empty nor free SIZE");
    expect_bad("x : free lots", "\"free lots\" is neither not-empty nor free SIZE");
    expect_bad("x : not-empty,", "\"\" is neither not-empty nor free SIZE");
    expect_bad(" : not-empty", "\" : not-empty\" names no directory");
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
    } good[] = {{"1", 1},
                {"512B", 512},
                {"1k", 1024},
                {"1KiB", 1024},
                {"3mb", 3 << 20},
                {"1T", 1ULL << 40},
                {"16777215T", 16777215ULL << 40},
                {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {
        "", "0", "-1", "1X", "1KK", "M", "1.5G", "18446744073709551616", "16777216T", "1 2", "1iB"};
    uint64_t size;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(em_size_read(good[i].text, &size));
        assert_true(size == good[i].size);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(em_size_read(bad[i], &size));
}

static void expect_printed(uint64_t size, const char *text)
{
    struct em_str out = EM_STR_INIT;

    em_size_print(size, &out);
    assert_string_equal(em_str_c(&out), text);
    em_str_free(&out);
}

static void test_printed(void **state)
{
    (void)state;
    expect_printed(0, "0 bytes");
    expect_printed(1023, "1023 bytes");
    expect_printed(1536, "1.5 KiB");
    expect_printed(100 << 20, "100 MiB");
    expect_printed(UINT64_MAX, "16 EiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
