#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/looks.h"

static void test_rows(void **state)
{
    EM_LOOKS_AUTO looks = EM_LOOKS_INIT;

    (void)state;
    em_look_hint(&looks, "for no row");
    em_look_add(&looks, "image", "build", EM_MARK_NONE, 72, "%s", "abc");
    em_look_hint(&looks, "%s", "");
    assert_int_equal(looks.n, 1);
    assert_string_equal(looks.v[0].key, "build");
    assert_string_equal(looks.v[0].text, "abc");
    assert_null(looks.v[0].hint);
    assert_int_equal(looks.v[0].code, 0); /* nothing failed */
    em_look_hint(&looks, "one");
    em_look_hint(&looks, "the %s", "other");
    assert_string_equal(looks.v[0].hint, "the other");
}

static void test_code(void **state)
{
    EM_LOOKS_AUTO looks = EM_LOOKS_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;

    (void)state;
    assert_int_equal(em_looks_code(&looks, NULL), 0);
    em_look_add(&looks, "image", "", EM_MARK_WARN, 70, "x");
    em_fail(&err, EM_EXIT_REFUSED, "refused");
    em_hint(&err, "log in");
    em_look_err(&looks, "database", "login", EM_MARK_BAD, &err);
    em_look_add(&looks, "database", "", EM_MARK_BAD, EM_EXIT_LOCK, "y");
    em_look_add(&looks, "service", "", EM_MARK_BAD, EM_EXIT_NOT_FOUND, "z");
    assert_string_equal(looks.v[1].text, "refused");
    assert_string_equal(looks.v[1].hint, "log in");
    assert_int_equal(em_looks_code(&looks, NULL), EM_EXIT_REFUSED);
    assert_int_equal(em_looks_code(&looks, "service"), EM_EXIT_NOT_FOUND);
    assert_int_equal(em_looks_code(&looks, "image"), 0);
    em_looks_free(&looks);
    em_looks_free(&looks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
