#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/executable/shell_script.h"

/* Words are joined by "_", commands by " / ". */
static void expect(const char *text, const char *wanted)
{
    EM_STR_AUTO got = EM_STR_INIT;

    for (;;) {
        EM_LIST_AUTO words = EM_LIST_INIT;

        if (!em_shell_next(&text, &words))
            break;
        em_str_puts(&got, got.len ? " / " : "");
        for (size_t i = 0; i < words.n; i++)
            em_str_printf(&got, "%s%s", i ? "_" : "", words.v[i]);
    }
    assert_string_equal(em_str_c(&got), wanted);
}

static void test_commands(void **state)
{
    (void)state;
    expect("", "");
    expect(" \n;; ", "");
    expect("a", "a");
    expect("a b  c\td", "a_b_c_d");
    expect("a;b\nc", "a / b / c");
    expect("a && b || c", "a / b / c");
    expect("a | b & c", "a / b / c");
    expect("(cd x; a b)", "cd_x / a_b");
    expect("{ a; b; }", "a / b");
    expect("if test -f x; then a b; else c; fi", "test_-f_x / a_b / c");
    expect("while ! a; do time b; done", "a / b");
    expect("then", "");
    expect("a then", "a_then");
}

static void test_quotes(void **state)
{
    (void)state;
    expect("a 'b c' \"d e\"", "a_b c_d e");
    expect("a'b'\"c\"d ''", "abcd_");
    expect("a \"x\\\"y\\n\" 'x\\y'", "a_x\"y\\n_x\\y");
    expect("a\\ b \\; c\\\n d", "a b_;_c_d");
    expect("a '; b' \"&& c\"", "a_; b_&& c");
    expect("a $X \"$Y\"", "a_$X_$Y");
    expect("a 'b", "");
    expect("a; b \"c", "a");
}

static void test_redirections_and_comments(void **state)
{
    (void)state;
    expect("a >out 2>&1 b", "a_b");
    expect("a 2> err <in b3 >>f", "a_b3");
    expect("a >| f b", "a_b");
    expect("a &>f b", "a_b");
    expect("a >&- b", "a_b");
    expect(">f a", "a");
    expect("a > ; b", "a / b");
    expect("a # b; c\nd", "a / d");
    expect("a b#c", "a_b#c");
}

static void test_assignments(void **state)
{
    (void)state;
    assert_int_equal(em_shell_assigns("A=1"), 1);
    assert_int_equal(em_shell_assigns("_a9="), 3);
    assert_int_equal(em_shell_assigns("9a=1"), 0);
    assert_int_equal(em_shell_assigns("=1"), 0);
    assert_int_equal(em_shell_assigns("--a=1"), 0);
    assert_int_equal(em_shell_assigns("a"), 0);
}

/* Any bytes: it ends, and reads nothing behind the end (under the sanitizers). */
static void test_random_bytes(void **state)
{
    static const char letters[] = "ab \t\n;|&()<>'\"\\#${}0=";
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        EM_STR_AUTO text = EM_STR_INIT;

        for (int i = 0; i < 24; i++) {
            seed = seed * 1103515245u + 12345u;
            em_str_putc(&text, letters[(seed >> 16) % (sizeof(letters) - 1)]);
        }
        for (const char *p = em_str_c(&text);;) {
            EM_LIST_AUTO words = EM_LIST_INIT;

            if (!em_shell_next(&p, &words))
                break;
            assert_true(words.n > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_redirections_and_comments),
        cmocka_unit_test(test_assignments),
        cmocka_unit_test(test_random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
