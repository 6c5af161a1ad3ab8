/* os/machine/host.h: what it makes of the kernel's texts. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "embark/os/machine/host.h"
#include "embark/os/machine/phase.h"

static void test_processors(void **state)
{
    (void)state;
    assert_int_equal(em_host_processors_in("0\n"), 1);
    assert_int_equal(em_host_processors_in("0-63\n"), 64);
    assert_int_equal(em_host_processors_in("0-3,8,10-11\n"), 7);
    assert_int_equal(em_host_processors_in("0-3"), 4);
    assert_int_equal(em_host_processors_in(""), 0);
    assert_int_equal(em_host_processors_in("\n"), 0);
    assert_int_equal(em_host_processors_in("many"), 0);
    assert_int_equal(em_host_processors_in("0-x"), 0);
    assert_int_equal(em_host_processors_in("3-0"), 0);
    assert_int_equal(em_host_processors_in("0-99999999999999999999"), 0);
}

/* A container that may use one of them isn't in a longer queue for that. */
static void test_processors_of_the_machine(void **state)
{
    cpu_set_t all, one;
    unsigned before = em_host_processors();
    (void)state;
    if (access("/sys/devices/system/cpu/online", R_OK) != 0)
        skip();
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    unsigned within = em_host_processors();
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(within, before);
    assert_true(before >= (unsigned)CPU_COUNT(&all));
}

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
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_processors_of_the_machine),
        cmocka_unit_test(test_names_of_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
