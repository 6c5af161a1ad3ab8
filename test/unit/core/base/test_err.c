#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "embark/core/base/err.h"

static void test_fail(void **state)
{
    EM_ERR_AUTO err = EM_ERR_INIT;

    (void)state;
    assert_int_equal(em_fail(&err, EM_EXIT_CONFIG, "%s:%d", "embark.ini", 3), 78);
    assert_int_equal(err.code, 78);
    assert_string_equal(em_str_c(&err.text), "embark.ini:3");
    assert_string_equal(em_str_c(&err.hint), "");
    em_hint(&err, "look at line %d", 3);
    em_hint(&err, "%s, please", em_str_c(&err.hint)); /* made of the one that it replaces */
    assert_string_equal(em_str_c(&err.hint), "look at line 3, please");
    assert_int_equal(em_fail(&err, 143, "%s again", em_str_c(&err.text)), 143);
    assert_string_equal(em_str_c(&err.text), "embark.ini:3 again");
    assert_string_equal(em_str_c(&err.hint), ""); /* an older hint is about an older error */
}

static void test_fail_errno(void **state)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO expected = EM_STR_INIT;

    (void)state;
    em_str_printf(&expected, "/etc/x: %s", strerror(EACCES));
    errno = EACCES;
    assert_int_equal(em_fail_errno(&err, EM_EXIT_SYSTEM, "/etc/%s", "x"), 71);
    assert_int_equal(errno, EACCES);
    assert_string_equal(em_str_c(&err.text), em_str_c(&expected));
}

static void test_context(void **state)
{
    EM_ERR_AUTO err = EM_ERR_INIT;

    (void)state;
    em_fail(&err, EM_EXIT_UNREACHABLE, "refused");
    em_hint(&err, "start it");
    em_context(&err, "%s:%d", "db", 5432);
    em_context(&err, "wait");
    assert_string_equal(em_str_c(&err.text), "wait: db:5432: refused");
    assert_string_equal(em_str_c(&err.hint), "start it");
    assert_int_equal(err.code, EM_EXIT_UNREACHABLE);
    em_context(&err, "%s", em_str_c(&err.text));
    assert_string_equal(em_str_c(&err.text), "wait: db:5432: refused: wait: db:5432: refused");
    em_err_free(&err);
    assert_int_equal(err.code, 0);
    em_context(&err, "nothing");
    assert_string_equal(em_str_c(&err.text), "nothing: ");
}

static void test_list(void **state)
{
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    struct em_err err = EM_ERR_INIT;

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct em_err *added = em_errs_add(&errs, EM_EXIT_REQUIREMENT, "no %d", i);

        em_hint(added, "make %d", i);
        assert_ptr_equal(added, &errs.v[errs.n - 1]);
    }
    em_fail(&err, EM_EXIT_BAKED, "stale");
    em_hint(&err, "rebuild");
    assert_ptr_equal(em_errs_take(&errs, &err), &errs.v[100]);
    assert_int_equal(err.code, 0);
    assert_null(err.text.data);
    assert_null(err.hint.data);
    assert_int_equal(errs.n, 101);
    assert_string_equal(em_str_c(&errs.v[42].text), "no 42");
    assert_string_equal(em_str_c(&errs.v[42].hint), "make 42");
    assert_string_equal(em_str_c(&errs.v[100].hint), "rebuild");
    assert_int_equal(errs.v[100].code, EM_EXIT_BAKED);
    em_errs_free(&errs);
    assert_int_equal(errs.n, 0);
    assert_null(errs.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_fail_errno),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
