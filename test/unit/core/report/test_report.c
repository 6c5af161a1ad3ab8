#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/config/infer.h"
#include "embark/core/report/report.h"

/* ---- Reports --------------------------------------------------------------------------------- */

static void add_failure(struct em_report *report, const char *section, int code, const char *text)
{
    struct em_err err = EM_ERR_INIT;

    em_fail(&err, code, "%s", text);
    em_report_fail(report, section, &err);
    em_err_free(&err);
}

static void test_code(void **state)
{
    struct em_report report = EM_REPORT_INIT;

    (void)state;
    assert_int_equal(em_report_code(&report), 0);
    add_failure(&report, "x", 0, "not a failure");
    assert_int_equal(report.n, 0);
    add_failure(&report, "service", EM_EXIT_NOT_FOUND, "x: y");
    add_failure(&report, "bundle", EM_EXIT_BAKED, "x: y");
    assert_int_equal(em_report_code(&report), EM_EXIT_NOT_FOUND);
    add_failure(&report, "require", EM_EXIT_REQUIREMENT, "x: y");
    assert_int_equal(em_report_code(&report), EM_EXIT_REQUIREMENT);
    em_report_free(&report);
    em_report_free(&report);
}

/* Texts of any shape come out somewhere, whole. */
static void test_texts_of_any_shape(void **state)
{
    static const char *const texts[] = {
        "",  ":", ": ",  "file",         "file ", "file x", "file x: ", "file x (y)",
        "(", ")", " ()", "file x: y ()", "1: ",   ":1: x",  "a:1: x"};
    struct em_config config = {0};
    struct em_report report = EM_REPORT_INIT;
    struct em_findings findings;
    char *value = em_strdup("x"), *where = em_strdup("y");

    (void)state;
    config.require_file = (struct em_items){&value, &where, 1};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        add_failure(&report, i % 2 ? "require" : "bootstrap", EM_EXIT_REQUIREMENT, texts[i]);
    em_findings_of(&config, &report, false, &findings);
    assert_true(findings.n >= report.n);
    for (size_t i = 0; i < findings.n; i++) {
        assert_non_null(findings.v[i].value);
        assert_non_null(findings.v[i].found);
        assert_non_null(findings.v[i].expected);
    }
    em_findings_free(&findings);
    em_report_free(&report);
    free(value);
    free(where);
}

/* ---- What is inferred ------------------------------------------------------------------------ */

static void expect_location(const char *ini, const char *folder)
{
    struct em_str out = EM_STR_INIT;

    assert_int_equal(em_infer_script_location(ini, &out), folder != NULL);
    assert_string_equal(em_str_c(&out), folder ? folder : "");
    em_str_free(&out);
}

static void test_script_location(void **state)
{
    (void)state;
    expect_location("[alembic]\n# x\nscript_location = %(here)s/alembic\r\nx = y", "alembic");
    expect_location("script_location: a b \n", "a b");
    expect_location("script_location = package:folder\n", NULL);
    expect_location("script_location = %(x)s\n", NULL);
    expect_location("script_location =\n", NULL);
    expect_location("script_locations = x\n", NULL);
    expect_location("", NULL);
}

static void expect_gems(const char *text, const char *gems)
{
    struct em_list out = EM_LIST_INIT;
    struct em_str all = EM_STR_INIT;

    em_infer_gems(text, &out);
    for (size_t i = 0; i < out.n; i++)
        em_str_printf(&all, "%s%s", i ? " " : "", out.v[i]);
    assert_string_equal(em_str_c(&all), gems);
    em_str_free(&all);
    em_list_free(&out);
}

static void test_gems(void **state)
{
    (void)state;
    expect_gems("gem 'a'\ngem \"b\", '~> 1', require: false\n gem('c')\ngem", "a b c");
    expect_gems("group :test do\ngem 'a'\nend\ngem 'b'", "b");
    expect_gems("group :production do\ngem 'a'\nend\ngem 'b'", "a b");
    expect_gems("group :development do\nif x\ngem 'a'\nend\ngem 'c'\nend\ngem 'b'", "b");
    expect_gems("source 'x' do\ngem 'a'\nend\nend\nend\ngem 'b'", "a b");
    expect_gems(
        "gem 'a', platforms: :x\ngem 'b' if true\ngem 'c', group: :test\ngem name\ngem 'd\n", "");
}

static void expect_words(const struct em_list *words, bool can)
{
    struct em_str out = EM_STR_INIT;
    struct em_list back = EM_LIST_INIT;

    assert_int_equal(em_infer_words("command", words, &out), can);
    if (can) {
        assert_true(em_command_line_split(em_str_c(&out) + strlen("command ="), &back));
        assert_int_equal(back.n, words->n);
        for (size_t i = 0; i < back.n; i++)
            assert_string_equal(back.v[i], words->v[i]);
        for (const char *p = em_str_c(&out); *p; p += strcspn(p, "\n") + 1)
            assert_true(strcspn(p, "\n") < 199);
    } else {
        assert_int_equal(out.len, 0);
    }
    em_list_free(&back);
    em_str_free(&out);
}

static void test_words(void **state)
{
    struct em_list words = EM_LIST_INIT;

    (void)state;
    em_list_add(&words, "sh");
    em_list_add(&words, "");
    em_list_add(&words, "it's \"$HOME\" ${x} \\ #");
    for (int i = 0; i < 40; i++)
        em_list_add(&words, "--option=value");
    expect_words(&words, true);
    em_list_add(&words, "a ; b");
    expect_words(&words, false);
    em_list_free(&words);
    em_list_add(&words, "a\nb");
    expect_words(&words, false);
    em_list_free(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_texts_of_any_shape),
        cmocka_unit_test(test_script_location),
        cmocka_unit_test(test_gems),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
