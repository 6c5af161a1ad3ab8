#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/report/screen.h"

static void test_rows(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;

    (void)state;
    em_doctor_row_hint(&looks, "for no row");
    em_doctor_row_add(&looks, "image", "build", EM_MARK_NONE, 72, "%s", "abc");
    em_doctor_row_hint(&looks, "%s", "");
    assert_int_equal(looks.n, 1);
    assert_string_equal(looks.v[0].key, "build");
    assert_string_equal(looks.v[0].text, "abc");
    assert_null(looks.v[0].hint);
    assert_int_equal(looks.v[0].code, 0); /* nothing failed */
    em_doctor_row_hint(&looks, "one");
    em_doctor_row_hint(&looks, "the %s", "other");
    assert_string_equal(looks.v[0].hint, "the other");
}

static void test_code(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;

    (void)state;
    assert_int_equal(em_doctor_rows_code(&looks, NULL), 0);
    em_doctor_row_add(&looks, "image", "", EM_MARK_WARN, 70, "x");
    em_fail(&err, EM_EXIT_REFUSED, "refused");
    em_hint(&err, "log in");
    em_doctor_row_add_err(&looks, "database", "login", EM_MARK_BAD, &err);
    em_doctor_row_add(&looks, "database", "", EM_MARK_BAD, EM_EXIT_LOCK, "y");
    em_doctor_row_add(&looks, "service", "", EM_MARK_BAD, EM_EXIT_NOT_FOUND, "z");
    assert_string_equal(looks.v[1].text, "refused");
    assert_string_equal(looks.v[1].hint, "log in");
    assert_int_equal(em_doctor_rows_code(&looks, NULL), EM_EXIT_REFUSED);
    assert_int_equal(em_doctor_rows_code(&looks, "service"), EM_EXIT_NOT_FOUND);
    assert_int_equal(em_doctor_rows_code(&looks, "image"), 0);
    assert_int_equal(em_doctor_rows_count(&looks, EM_MARK_BAD), 3);
    assert_int_equal(em_doctor_rows_count(&looks, EM_MARK_OK), 0);
    em_doctor_rows_free(&looks);
    em_doctor_rows_free(&looks);
}

static void test_order(void **state)
{
    static const char *const given[] = {"service",  "database", "image",
                                        "database", "unheard",  "configuration"};
    static const char *const wanted[] = {"image",    "configuration", "database",
                                         "database", "service",       "unheard"};
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        em_doctor_row_add(&looks, given[i], "", EM_MARK_NONE, 0, "%zu", i);
    em_doctor_rows_sort(&looks);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        assert_string_equal(looks.v[i].section, wanted[i]);
    assert_string_equal(looks.v[2].text, "1"); /* rows of a section keep their order */
    assert_string_equal(looks.v[3].text, "3");
}

/* ---- The screen ------------------------------------------------------------------------------ */

static void expect_screen(const struct em_doctor_rows *looks, const char *expected)
{
    EM_STR_AUTO out = EM_STR_INIT;
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;

    em_secrets_add(&secrets, "hunter22");
    em_screen_print(looks, &secrets, false, &out);
    assert_string_equal(em_str_c(&out), expected);
}

static void test_screen(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;

    (void)state;
    expect_screen(&looks, "");
    em_doctor_row_add(&looks, "image", "build", EM_MARK_OK, 0, "abc");
    em_doctor_row_add(&looks, "image", "", EM_MARK_NONE, 0, "%s", "");
    em_doctor_row_add(&looks, "database", "login", EM_MARK_BAD, 77,
                      "refused to role äpp with the password hunter22 by the server db:5432\nand "
                      "a second line \033[31m");
    em_doctor_row_hint(&looks, "another password");
    em_doctor_row_add(&looks, "database", "a key that is longer than all", EM_MARK_WARN, 0, "text");
    expect_screen(&looks, "image\n"
                          "  build       ✓ abc\n"
                          "\n"
                          "database\n"
                          "  login                       ✗ refused to role äpp with the password "
                          "**** by\n"
                          "                                the server db:5432\\nand a second line "
                          "\\x1b[31m\n"
                          "                                hint: another password\n"
                          "  a key that is longer than all\n"
                          "                              ! text\n");
}

static void test_long_words_are_whole(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    char word[201];

    (void)state;
    memset(word, 'x', 200);
    word[200] = '\0';
    em_doctor_row_add(&looks, "image", "", EM_MARK_OK, 0, "a %s b", word);
    em_screen_print(&looks, NULL, false, &out);
    assert_non_null(strstr(em_str_c(&out), word));
    assert_non_null(strstr(em_str_c(&out), "✓ a\n"));
    assert_non_null(strstr(em_str_c(&out), "\n                b\n"));
}

static void test_good_rows_are_folded(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;

    (void)state;
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_OK, 0, "a");
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_OK, 0, "b");
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_BAD, 72, "c: is missing");
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_OK, 0, "d");
    em_doctor_row_add(&looks, "requirements", "module", EM_MARK_OK, 0, "python: x, y");
    em_doctor_row_add(&looks, "requirements", "module", EM_MARK_OK, 0, "node: z");
    em_doctor_row_add(&looks, "database", "address", EM_MARK_OK, 0, "1");
    em_doctor_row_add(&looks, "database", "address", EM_MARK_OK, 0, "2");
    em_doctor_row_add(&looks, "database", "address", EM_MARK_NONE, 0, "3");
    expect_screen(&looks, "requirements\n"
                          "  file        ✓ a, b\n"
                          "              ✗ c: is missing\n"
                          "              ✓ d\n"
                          "  module      ✓ python: x, y; node: z\n"
                          "database\n"
                          "  address     ✓ 1\n"
                          "              ✓ 2\n"
                          "  address       3\n");
}

static void test_the_same_hint_is_said_once(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;

    (void)state;
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_BAD, 72, "a");
    em_doctor_row_hint(&looks, "copy it");
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_BAD, 72, "b");
    em_doctor_row_hint(&looks, "copy it");
    em_doctor_row_add(&looks, "database", "login", EM_MARK_BAD, 72, "c");
    em_doctor_row_hint(&looks, "copy it");
    expect_screen(&looks, "requirements\n"
                          "  file        ✗ a\n"
                          "              ✗ b\n"
                          "                hint: copy it\n"
                          "database\n"
                          "  login       ✗ c\n"
                          "                hint: copy it\n");
}

static void test_colours(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    (void)state;
    em_doctor_row_add(&looks, "image", "build", EM_MARK_OK, 0, "abc");
    em_screen_print(&looks, NULL, true, &out);
    em_screen_print_verdict(EM_MARK_BAD, "no", NULL, NULL, true, &out);
    assert_string_equal(em_str_c(&out), "\033[1mimage\033[0m\n"
                                        "  build       \033[32m✓\033[0m abc\n"
                                        "\033[31m✗\033[0m no\n");
}

static void test_the_cause_below_the_verdict(void **state)
{
    EM_DOCTOR_ROWS_AUTO looks = EM_DOCTOR_ROWS_INIT;
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    EM_STR_AUTO wide = EM_STR_INIT;

    (void)state;
    em_secrets_add(&secrets, "sesame");
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_WARN, 69, "not this one");
    em_doctor_row_add(&looks, "requirements", "file", EM_MARK_BAD, EM_EXIT_REQUIREMENT, "nor this");
    em_doctor_row_add(&looks, "database", "login", EM_MARK_BAD, EM_EXIT_REFUSED, "sesame \033[2J");
    em_doctor_row_hint(&looks, "open sesame");
    em_str_printf(&wide, "%0130d %s", 0, "the end is cut off");
    em_doctor_row_add(&looks, "service", "x", EM_MARK_BAD, EM_EXIT_SYSTEM, "%s", em_str_c(&wide));
    assert_null(em_doctor_rows_cause(&looks, 0));
    assert_null(em_doctor_rows_cause(&looks, EM_EXIT_LOCK));
    em_screen_print_verdict(EM_MARK_BAD, "no", em_doctor_rows_cause(&looks, EM_EXIT_REFUSED),
                            &secrets, false, &out);
    assert_string_equal(em_str_c(&out), "✗ no\n"
                                        "  database, login: **** \\x1b[2J\n"
                                        "  hint: open ****\n");
    em_str_cut(&out, 0);
    em_screen_print_verdict(EM_MARK_BAD, "no", em_doctor_rows_cause(&looks, EM_EXIT_SYSTEM),
                            &secrets, false, &out);
    assert_non_null(strstr(em_str_c(&out), "  the …\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_the_cause_below_the_verdict),
        cmocka_unit_test(test_screen),
        cmocka_unit_test(test_long_words_are_whole),
        cmocka_unit_test(test_good_rows_are_folded),
        cmocka_unit_test(test_the_same_hint_is_said_once),
        cmocka_unit_test(test_colours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
