/* os/machine/phase.h: the names of phases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embark/os/machine/phase.h"

/* A title has 15 bytes: "embark:bootstra". */
static void test_names_of_phases(void **state)
{
    (void)state;
    assert_string_equal(em_phase_name("bootstra"), "bootstrap");
    assert_string_equal(em_phase_what("bootstra"), "role and database are set up");
    assert_string_equal(em_phase_name("wait"), "wait");
    assert_string_equal(em_phase_name("start"), "start");
    assert_string_equal(em_phase_name(""), "");
    assert_string_equal(em_phase_what("start"), "start-up goes on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
