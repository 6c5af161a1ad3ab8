#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/postgres/xml_rows.h"

static const char two_rows[] = "<row xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
                               "  <id>7</id>\n  <host>a &lt;&amp;&gt; b&#x0d;</host>\n</row>\n\n"
                               "<row>\n  <id>8</id>\n</row>\n";

static void test_columns(void **state)
{
    EM_STR_AUTO value = EM_STR_INIT;

    (void)state;
    const char *next = em_xml_column(two_rows, "id", &value);
    assert_string_equal(em_str_c(&value), "7");
    assert_non_null(em_xml_column(next, "id", &value));
    assert_string_equal(em_str_c(&value), "8");
    assert_non_null(em_xml_column(two_rows, "host", &value));
    assert_string_equal(em_str_c(&value), "a <&> b\r");
    assert_null(em_xml_column(two_rows, "build", &value));
    assert_int_equal(value.len, 0);
}

static void test_hostile(void **state)
{
    static const char *const texts[] = {"",         "<id",       "<id>", "<id>7",
                                        "<id>7</i", "</id><id>", "&",    "<id>&amp"};
    EM_STR_AUTO value = EM_STR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_null(em_xml_column(texts[i], "id", &value));
    assert_null(em_xml_column(NULL, "id", &value));
    assert_non_null(em_xml_column("<id>&amp;lt;</id>", "id", &value));
    assert_string_equal(em_str_c(&value), "&lt;");
    assert_non_null(em_xml_column("<id></id>", "id", &value));
    assert_int_equal(value.len, 0);
    assert_non_null(em_xml_column("<id>&nbsp; & &</id>", "id", &value));
    assert_string_equal(em_str_c(&value), "&nbsp; & &");
}

static void test_hex(void **state)
{
    EM_STR_AUTO bytes = EM_STR_INIT;

    (void)state;
    assert_true(em_hex_decode("", &bytes));
    assert_int_equal(bytes.len, 0);
    assert_true(em_hex_decode("61ff0a", &bytes));
    assert_string_equal(em_str_c(&bytes), "a\xff\n");
    assert_false(em_hex_decode("6", &bytes));
    assert_false(em_hex_decode("6g", &bytes));
    assert_false(em_hex_decode("g6", &bytes));
    assert_false(em_hex_decode("6100", &bytes));
    assert_false(em_hex_decode("6A", &bytes));
    assert_int_equal(bytes.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
