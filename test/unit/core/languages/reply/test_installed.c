#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/languages/python/requirements.h"
#include "embark/core/languages/reply/imports.h"
#include "embark/core/languages/ruby/gems.h"

#define AT "@embark "

static const char answer[] =
    "noise\n" AT "more \n" AT "marker python_version 3.11\n" AT "marker sys_platform linux\n" AT
    "dist Alembic\n" AT "dist-version 1.13.0\n" AT "dist-at /s/Alembic-1.13.0.dist-info\n" AT
    "dist u\n" AT "dist-version 1.0\n" AT "requires-of u\n" AT "requires v>=2 ; extra == 'x'\n" AT
    "requires w\n" AT "requires u[x]; extra == 'all'\n" AT "provider yaml\n" AT "dist PyYAML\n" AT
    "dist-version 6.0\n" AT "provider none\n" AT "toml p.toml\n" AT "toml-needs a>1\n" AT
    "toml-python >=3\n" AT "toml-doubt d\n" AT "toml-extra e\n" AT "end \n" AT "cut off";

static void test_answer(void **state)
{
    struct em_python_inventory more;

    (void)state;
    em_python_inventory_read(&more, answer, sizeof(answer) - 1);
    assert_true(more.answered);
    assert_int_equal(more.dist_count, 3);
    assert_string_equal(em_python_dist_of(&more, "alembic")->version, "1.13.0");
    assert_string_equal(em_python_provider_of(&more, "yaml")->name, "PyYAML");
    assert_null(em_python_provider_of(&more, "none"));
    assert_int_equal(em_python_needs_of(&more, "u")->lines.n, 3);
    assert_string_equal(em_python_toml_of(&more, "p.toml")->lines.v[0], "a>1");
    assert_int_equal(em_python_toml_of(&more, "p.toml")->extras.n, 1);
    em_python_inventory_free(&more);
}

/* "error|error…; doubt|doubt…" for requirements separated by newlines */
static void expect_pip(const char *lines, const char *constraint, const char *expected)
{
    struct em_python_inventory more;
    struct em_pip_needs needs = {0};
    struct em_pip_context context = {"r.txt", "e.ini:1", "/py", "3.11.2"};
    struct em_errs errs = EM_ERRS_INIT;
    struct em_list doubts = EM_LIST_INIT;
    struct em_str out = EM_STR_INIT;
    char *copy = em_strdup(lines);

    em_python_inventory_read(&more, answer, sizeof(answer) - 1);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        em_list_add(&needs.texts, line);
        em_list_add(&needs.places, "r.txt:1");
    }
    if (constraint) {
        em_list_add(&needs.constraints, constraint);
        em_list_add(&needs.constraint_places, "c.txt:1");
    }
    em_pip_check(&more, &needs, &context, &errs, &doubts);
    for (size_t i = 0; i < errs.n; i++)
        em_str_printf(&out, "%s|", em_str_c(&errs.v[i].text));
    for (size_t i = 0; i < doubts.n; i++)
        em_str_printf(&out, "? %s|", doubts.v[i]);
    assert_string_equal(em_str_c(&out), expected);
    em_python_inventory_free(&more);
    em_pip_needs_free(&needs);
    em_errs_free(&errs);
    em_list_free(&doubts);
    em_str_free(&out);
    free(copy);
}

static void test_check(void **state)
{
    (void)state;
    expect_pip("alembic>=1,<2\nPyYAML\nwin; sys_platform == 'win32'", NULL, "");
    expect_pip("alembic>=1.14", NULL,
               "manifest r.txt: alembic>=1.14 is needed (r.txt:1), 1.13.0 is installed: "
               "/s/Alembic-1.13.0.dist-info (e.ini:1)|");
    expect_pip(
        "alembic\nnope>=1", NULL,
        "manifest r.txt: nope>=1 (r.txt:1) is not installed for /py (Python 3.11.2) (e.ini:1)|");
    expect_pip(
        "a\nb\nc", NULL,
        "manifest r.txt: nothing of it is installed for /py (Python 3.11.2): a, b, c (e.ini:1)|");
    expect_pip("u[x]", NULL,
               "manifest r.txt: v (r.txt:1, for u[x]) is not installed for /py (Python 3.11.2) "
               "(e.ini:1)|");
    expect_pip("u[all]", NULL,
               "manifest r.txt: v (r.txt:1, for u[all]) is not installed for /py (Python 3.11.2) "
               "(e.ini:1)|");
    expect_pip("pyyaml[x]", NULL, "? pyyaml (r.txt:1: its extras)|");
    expect_pip("what is this", NULL, "? what is this (r.txt:1: \"is this\" says no version)|");
    expect_pip("pyyaml; platform_release > '1'", NULL,
               "? pyyaml; platform_release > '1' (r.txt:1: its marker)|");
    expect_pip("pyyaml @ https://x/y", NULL,
               "? pyyaml (r.txt:1: whether it is the one of that address)|");
    expect_pip("pyyaml", "alembic<1",
               "manifest r.txt: alembic<1 is needed (c.txt:1), 1.13.0 is installed: "
               "/s/Alembic-1.13.0.dist-info (e.ini:1)|");
    expect_pip("pyyaml", "nope<1", "");
}

static void expect_import(const char *bytes, const char *name, const char *text, const char *hint)
{
    struct em_imports imports;
    struct em_err err = EM_ERR_INIT;

    em_imports_read(&imports, bytes, strlen(bytes));
    assert_int_equal(
        em_import_check(&imports, name, "py", "was killed by SIGSEGV", "py -c x", &err),
        text == NULL);
    assert_string_equal(em_str_c(&err.text), text ? text : "");
    assert_non_null(strstr(em_str_c(&err.hint), hint));
    em_imports_free(&imports);
    em_err_free(&err);
}

static void test_imports(void **state)
{
    static const char bytes[] = AT
        "importing a\n" AT "imported a\n" AT "importing b\n" AT
        "import-error libx.so.1: cannot open shared object file\n" AT "import-type ImportError\n" AT
        "import-name \n" AT "import-at /b.py:1\n" AT "importing c\n" AT
        "import-error No module named 'd'\n" AT "import-name d\n" AT "importing e\n";
    struct em_imports imports;

    (void)state;
    expect_import(bytes, "a", NULL, "");
    expect_import(bytes, "b",
                  "import b: fails in py: the shared library libx.so.1 is missing: ImportError: "
                  "libx.so.1: cannot "
                  "open shared object file, at /b.py:1",
                  "libx.so.1");
    expect_import(bytes, "c", "import c: fails in py: Error: No module named 'd'", "it needs d");
    expect_import(bytes, "e", "import e: py was killed by SIGSEGV while importing it",
                  "try py -c x");
    expect_import(bytes, "f", "import f: not tried, as py was killed by SIGSEGV before it", "");
    em_imports_read(&imports, bytes, strlen(bytes));
    assert_string_equal(em_imports_hanging(&imports)->name, "e");
    em_imports_free(&imports);
}

static void expect_gem(size_t i, const char *allowed, const char *text)
{
    static const char bytes[] =
        AT "ruby 3.1\n" AT "gem-path /g\n" AT "gem a\n" AT "gem-version 2\n" AT "gem-at /g/a-2\n" AT
           "gem-found 2\n" AT "gem b\n" AT "gem-version 1\n" AT "gem-at /g/b-1\n" AT "gem c\n" AT
           "gem-near cc\n" AT "gem d\n" AT "gem-feature \n" AT "gem e\n" AT "gem-hollow /g/e\n" AT
           "end \n";
    struct em_gems gems;
    struct em_err err = EM_ERR_INIT;

    em_gems_read(&gems, bytes, strlen(bytes));
    assert_true(gems.complete);
    assert_int_equal(em_gem_check(&gems, i, allowed, "ruby", &err), text == NULL);
    assert_string_equal(em_str_c(&err.text), text ? text : "");
    em_gems_free(&gems);
    em_err_free(&err);
}

static void test_gems(void **state)
{
    (void)state;
    expect_gem(0, ">=1", NULL);
    expect_gem(1, ">=2", "module b: >=2 is needed, installed for ruby: 1 (/g/b-1)");
    expect_gem(2, "", "module c: no gem of that name for ruby (Ruby 3.1); looked in /g");
    expect_gem(3, "", NULL);
    expect_gem(3, ">=1",
               "module d: >=1 is needed, and Ruby's own library, in which it is, has no version of "
               "its own");
    expect_gem(4, "", "module e: its specification is there, its files are not: /g/e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_imports),
        cmocka_unit_test(test_gems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
