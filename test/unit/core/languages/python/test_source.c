#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/languages/python/source.h"

/* What is assigned to `x`: "a|b" for its strings, "?" behind them if it is not plain, "-" for no
 * assignment. */
static void strings(const char *text, const char *expected)
{
    EM_STR_AUTO out = EM_STR_INIT;
    struct em_py_span rest = {text, strlen(text)}, value;
    struct em_py_statement s = {0, {NULL, 0}};
    bool found = false;
    while (em_py_next(&rest, &s)) {
        EM_LIST_AUTO list = EM_LIST_INIT;
        if (!em_py_assigns(&s, "x", &value))
            continue;
        found = true;
        bool plain = em_py_strings(&value, &list);
        for (size_t i = 0; i < list.n; i++)
            em_str_printf(&out, "%s%s", i ? "|" : "", list.v[i]);
        em_str_puts(&out, plain ? "" : "?");
    }
    assert_string_equal(found ? em_str_c(&out) : "-", expected);
}

static void test_strings(void **state)
{
    (void)state;
    strings("x = 'a'", "a");
    strings("x=\"a\"\n", "a");
    strings("x: str = 'a'", "a");
    strings("x: Union[str, Sequence[str], None] = ('a', 'b')", "a|b");
    strings("x : \"str = 'no'\" = 'a'", "a");
    strings("x = None", "");
    strings("x: str | None = None  # 'none'", "");
    strings("x = ()", "");
    strings("x = ('a',)", "a");
    strings("x = ['a', \"b\"]", "a|b");
    strings("x = {'a', 'b',}", "a|b");
    strings("x = (\n    'a',  # one\n    'b'\n)\n", "a|b");
    strings("x = ('a'\n     'b',\n 'c')", "ab|c");
    strings("x = \\\n  'a'", "a");
    strings("x = '''a'''", "a");
    strings("x = \"\"\"a\n\"b\"\"\"\"", "a\n\"b");
    strings("x = r'a\\n'", "a\\n");
    strings("x = u'a\\'b\\\\'", "a'b\\");
    strings("x = 'a'; y = 'b'", "a");
    strings("y = 'b'; x = 'a'", "a");
    strings("y = '''\nx = 'no'\n'''\n", "-");
    strings("# x = 'no'\n", "-");
    strings("y = (\nx = 'no'\n)\n", "-");
    strings("x == 'a'", "-");
    strings("xx = 'a'", "-");
    strings("x.y = 'a'", "-");
    strings("x(y='a')", "-");
    strings("x: str", "-");
}

static void test_what_is_not_plain(void **state)
{
    (void)state;
    strings("x = f'a{b}'", "?");
    strings("x = b'a'", "?");
    strings("x = call('a')", "?");
    strings("x = 'a' + y", "a?");
    strings("x = y", "?");
    strings("x = 1", "?");
}

static void test_broken_source(void **state)
{
    (void)state;
    strings("x = 'a", "a");
    strings("x = '''a", "a");
    strings("x = ('a'", "a");
    strings("x = 'a'))", "a");
    strings("x = \"", "");
    strings("x = '\\", "\\");
    strings("", "-");
    strings("\\", "-");
    strings(";;;\n;", "-");
}

static void test_statements(void **state)
{
    (void)state;
    static const char text[] =
        "\n# c\nclass  Migration (a.B) :\n    x = [\n  'a']\n\ty = 1; z = 2\nend";
    static const size_t indents[] = {0, 4, 8, 8, 0};
    struct em_py_span rest = {text, sizeof text - 1};
    struct em_py_statement s = {0, {NULL, 0}};
    for (size_t i = 0; i < 5; i++) {
        assert_true(em_py_next(&rest, &s));
        assert_int_equal(s.indent, indents[i]);
        assert_int_equal(em_py_begins(&s, "class", "Migration"), i == 0);
    }
    assert_false(em_py_next(&rest, &s));
}

static void pairs(const char *value, const char *expected)
{
    EM_STR_AUTO out = EM_STR_INIT;
    EM_LIST_AUTO list = EM_LIST_INIT;
    struct em_py_span span = {value, strlen(value)};
    em_py_pairs(&span, &list);
    assert_int_equal(list.n % 2, 0);
    for (size_t i = 0; i < list.n; i++)
        em_str_printf(&out, "%s%s", i == 0 ? "" : i % 2 ? "." : " ", list.v[i]);
    assert_string_equal(em_str_c(&out), expected);
}

static void test_pairs(void **state)
{
    (void)state;
    pairs("[('a', '1'), (\"b\", \"2\")]", "a.1 b.2");
    pairs("[\n  ('a',\n   '1'),  # c\n  "
          "migrations.swappable_dependency(settings.AUTH_USER_MODEL),\n  ['b', '2'],\n]",
          "a.1 b.2");
    pairs("[swappable('a', '1')]", "");
    pairs("[('a', name), ('b', '2')]", "b.2");
    pairs("[('a', '1', '2'), ('a',), ()]", "");
    pairs("[('a', '1')] + [('b', '2')]", "a.1 b.2");
    pairs("[]", "");
    pairs("[('a'", "");
    pairs("None", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),       cmocka_unit_test(test_what_is_not_plain),
        cmocka_unit_test(test_broken_source), cmocka_unit_test(test_statements),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
