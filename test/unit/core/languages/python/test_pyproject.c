#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "embark/core/languages/python/pyproject.h"

static void assert_needs(const char *toml, bool found, const char *wanted)
{
    EM_LIST_AUTO list = EM_LIST_INIT;
    EM_STR_AUTO text = EM_STR_INIT;

    assert_int_equal(em_pyproject_dependencies(toml, &list), found);
    for (size_t i = 0; i < list.n; i++)
        em_str_printf(&text, "%s%s", i ? "|" : "", list.v[i]);
    assert_string_equal(em_str_c(&text), wanted);
}

static void test_project(void **state)
{
    (void)state;
    assert_needs("[project]\nname = 'x'\ndependencies = ['a>=1', \"b[c]; x == 'y'\"]\n", true,
                 "a>=1|b[c]; x == 'y'");
    assert_needs("[project]\r\ndependencies = [\r\n  \"a\", # 'no'\r\n  # \"no\",\r\n\r\n "
                 "\"b[c,d]~=1\",\r\n]\r\n"
                 "optional-dependencies = ['no']\n",
                 true, "a|b[c,d]~=1");
    assert_needs(
        "[project]\ndependencies=[]\n[project.optional-dependencies]\ndependencies = ['no']\n",
        true, "");
    assert_needs("[project]\ndynamic = ['dependencies']\n", false, "");
    assert_needs("[dependency-groups]\ndependencies = ['no']\n", false, "");
    assert_needs("[project]\ndependencies = ['a", true, "");
    assert_needs("[project]\ndependencies = ['a',\n", true, "a");
}

static void test_poetry(void **state)
{
    (void)state;
    assert_needs(
        "[tool.poetry.dependencies]\npython = '^3.9'\nDjango = \"^5\"\n\"a.b\" = '*'\n# c = 1\n"
        "d = {version = '1', optional = true}\ne = {version = '1', extras = ['x']}\n"
        "f = {version = '1', markers = \"x\"}\n\n[tool.poetry.group.dev.dependencies]\ng = 1\n",
        true, "Django|a.b|e");
}

static void test_neither(void **state)
{
    (void)state;
    assert_needs("", false, "");
    assert_needs("[tool.black]\nline-length = 100\n", false, "");
    assert_needs("dependencies = ['a']\n=\n==\n[", false, "");
    assert_needs("[project]\n\"\" = 1\n\" = 2\n= 3\n", false, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_project),
        cmocka_unit_test(test_poetry),
        cmocka_unit_test(test_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
