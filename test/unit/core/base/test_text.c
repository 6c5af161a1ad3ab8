/* Bytes and texts. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/base/text.h"

/* As the C locale has it, whatever locale there is. */
static void test_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool ascii = i < 128;
        assert_int_equal(em_is_digit(c), ascii && isdigit(i) != 0);
        assert_int_equal(em_is_lower(c), ascii && islower(i) != 0);
        assert_int_equal(em_is_upper(c), ascii && isupper(i) != 0);
        assert_int_equal(em_is_letter(c), ascii && isalpha(i) != 0);
        assert_int_equal(em_is_space(c), ascii && isspace(i) != 0);
        assert_int_equal(em_is_blank(c), ascii && isblank(i) != 0);
    }
}

static void test_words(void **state)
{
    static const char *const words[] = {"file", "path", NULL};
    static const char text[] = " \t x";
    (void)state;
    assert_true(em_is_one_of("PATH=", 4, words));
    assert_false(em_is_one_of("pathname", 8, words));
    assert_false(em_is_one_of("pat", 3, words));
    assert_true(em_word_among("run", "run exec x"));
    assert_true(em_word_among("exec", "run exec x"));
    assert_true(em_word_among("x", "run exec  x "));
    assert_false(em_word_among("exe", "run exec x"));
    assert_false(em_word_among("exec x", "run exec x"));
    assert_false(em_word_among("", "run  exec "));
    assert_false(em_word_among("", ""));
    assert_ptr_equal(em_skip_blanks(text, text + 4), text + 3);
    assert_ptr_equal(em_skip_blanks(text, text + 2), text + 2);
}

static void test_base_names(void **state)
{
    (void)state;
    assert_string_equal(em_base_name("/usr/bin/python3"), "python3");
    assert_string_equal(em_base_name("node"), "node");
    assert_string_equal(em_base_name("/usr/bin/"), "");
    assert_true(em_is_versioned("/usr/bin/ruby3.1", "ruby"));
    assert_true(em_is_versioned("php", "php"));
    assert_false(em_is_versioned("php-fpm8.2", "php"));
    assert_false(em_is_versioned("/opt/ruby/irb", "ruby"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_base_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
