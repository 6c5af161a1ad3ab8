#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/str.h"

static void test_empty(void **state)
{
    struct em_str s = EM_STR_INIT;
    char *text;

    (void)state;
    assert_string_equal(em_str_c(&s), "");
    em_str_free(&s);
    em_str_free(&s);
    em_str_wipe(&s);
    em_str_cut(&s, 0);
    text = em_str_take(&s);
    assert_string_equal(text, "");
    free(text);
    em_str_add(&s, NULL, 0);
    assert_non_null(s.data);
    assert_string_equal(em_str_c(&s), "");
    em_str_free(&s);
    assert_null(s.data);
}

static void test_add(void **state)
{
    EM_STR_AUTO s = EM_STR_INIT;

    (void)state;
    em_str_puts(&s, "ab");
    em_str_putc(&s, 'c');
    em_str_add(&s, "d\0e", 3);
    assert_int_equal(s.len, 6);
    assert_memory_equal(s.data, "abcd\0e", 7);
    em_str_cut(&s, 100);
    assert_int_equal(s.len, 6);
    em_str_cut(&s, 2);
    assert_string_equal(em_str_c(&s), "ab");
    em_str_insert(&s, 0, "<", 1);
    em_str_insert(&s, 2, "-", 1);
    em_str_insert(&s, 99, ">", 1);
    em_str_insert(&s, 1, NULL, 0);
    assert_string_equal(em_str_c(&s), "<a-b>");
}

static void test_printf(void **state)
{
    EM_STR_AUTO s = EM_STR_INIT;
    EM_STR_AUTO long_one = EM_STR_INIT;

    (void)state;
    em_str_printf(&s, "%s:%d", "db", 5432);
    assert_string_equal(em_str_c(&s), "db:5432");
    for (int i = 0; i < 5000; i++)
        em_str_putc(&long_one, 'x');
    em_str_printf(&s, "/%s/", em_str_c(&long_one));
    assert_int_equal(s.len, 7 + 5002);
    assert_int_equal(strlen(s.data), s.len);
    em_str_printf(&s, "%s", "");
    assert_int_equal(s.len, 7 + 5002);
}

static void test_take(void **state)
{
    struct em_str s = EM_STR_INIT;
    char *text;

    (void)state;
    em_str_puts(&s, "mine");
    text = em_str_take(&s);
    assert_string_equal(text, "mine");
    assert_null(s.data);
    assert_int_equal(s.len, 0);
    em_str_puts(&s, "other");
    assert_string_equal(text, "mine");
    free(text);
    em_str_wipe(&s);
    assert_null(s.data);
}

static void test_copies(void **state)
{
    char *whole = em_strdup("text"), *part = em_strndup("text", 2), *over = em_strndup("text", 99);
    char unterminated[2] = {'a', 'b'};
    char *two = em_strndup(unterminated, 2);

    (void)state;
    assert_string_equal(whole, "text");
    assert_string_equal(part, "te");
    assert_string_equal(over, "text");
    assert_string_equal(two, "ab");
    free(whole);
    free(part);
    free(over);
    free(two);
}

static void test_list(void **state)
{
    struct em_list l = EM_LIST_INIT;

    (void)state;
    assert_false(em_list_has(&l, "0"));
    for (int i = 0; i < 1000; i++) {
        EM_STR_AUTO s = EM_STR_INIT;

        em_str_printf(&s, "%d", i);
        if (i % 2)
            em_list_add(&l, em_str_c(&s));
        else
            em_list_take(&l, em_str_take(&s));
        assert_int_equal(l.n, i + 1);
        assert_null(l.v[l.n]); /* execv() can have it at any time */
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(atoi(l.v[i]), i);
    assert_true(em_list_has(&l, "999"));
    assert_false(em_list_has(&l, "1000"));
    for (int i = 0; i < 1000; i++) { /* as a queue */
        assert_int_equal(atoi(l.v[0]), i);
        em_list_drop_first(&l);
        if (i % 3 == 0)
            em_list_add(&l, "more");
        assert_null(l.v[l.n]);
    }
    assert_int_equal(l.n, 334);
    while (l.n)
        em_list_drop_first(&l);
    em_list_drop_first(&l);
    em_list_add(&l, "again");
    em_list_add(&l, "and again");
    assert_string_equal(l.v[1], "and again");
    em_list_free(&l);
    assert_null(l.v);
    em_list_free(&l);
}

static void test_ends(void **state)
{
    (void)state;
    assert_true(em_starts("postgres://", "postgres:"));
    assert_true(em_starts("x", ""));
    assert_false(em_starts("post", "postgres"));
    assert_true(em_ends("PW_FILE", "_FILE"));
    assert_true(em_ends("x", ""));
    assert_false(em_ends("E", "_FILE"));
    assert_false(em_ends("_FILES", "_FILE"));
}

static void test_free_ptr(void **state)
{
    EM_FREE char *unset = NULL;
    EM_FREE char *set = em_strdup("x"); /* the leak checker tells if it isn't freed */

    (void)state;
    assert_null(unset);
    assert_string_equal(set, "x");
}

static jmp_buf refused;

static void on_refusal(void)
{
    longjmp(refused, 1);
}

/* Sizes that can't be are told as a lack of memory, and don't wrap around to a small block. */
static void test_out_of_memory(void **state)
{
    void (*before)(void) = em_out_of_memory;
    struct em_str huge = {NULL, SIZE_MAX - 10, 0};
    volatile size_t count = SIZE_MAX / 2; /* volatile: the compiler sees the overflow otherwise */
    volatile int seen = 0;

    (void)state;
    assert_ptr_equal(before, abort);
    em_out_of_memory = on_refusal;
    if (setjmp(refused) == 0)
        em_realloc(NULL, count, 3);
    else
        seen++;
    if (setjmp(refused) == 0)
        em_str_add(&huge, "0123456789", 10);
    else
        seen++;
    if (setjmp(refused) == 0)
        em_str_insert(&huge, 0, "01234567890123456789", 20);
    else
        seen++;
    em_out_of_memory = before;
    assert_int_equal(seen, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),         cmocka_unit_test(test_add),
        cmocka_unit_test(test_printf),        cmocka_unit_test(test_take),
        cmocka_unit_test(test_copies),        cmocka_unit_test(test_list),
        cmocka_unit_test(test_ends),          cmocka_unit_test(test_free_ptr),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
