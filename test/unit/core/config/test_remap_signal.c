#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embark/core/base/text.h"
#include "embark/core/config/remap_signal.h"

static void each_as_itself(void **state)
{
    struct em_remap_signal map;
    (void)state;
    em_remap_signal_init(&map);
    for (unsigned i = 0; i <= EM_SIGNAL_RTMAX; i++)
        assert_int_equal(map.signal[i], i);
}

static void as_another(void **state)
{
    struct em_remap_signal map;
    (void)state;
    em_remap_signal_init(&map);
    assert_true(em_remap_signal_add(&map, "TERM:QUIT"));
    assert_true(em_remap_signal_add(&map, "SIGTERM:3")); /* again */
    assert_true(em_remap_signal_add(&map, "1:0"));
    assert_true(em_remap_signal_add(&map, "HUP:0")); /* again */
    assert_true(em_remap_signal_add(&map, "RTMIN+3:SIGRTMAX"));
    assert_true(em_remap_signal_add(&map, "QUIT:KILL"));
    assert_int_equal(map.signal[SIGTERM], SIGQUIT); /* and not KILL: it is mapped once */
    assert_int_equal(map.signal[SIGQUIT], SIGKILL);
    assert_int_equal(map.signal[SIGHUP], 0);
    assert_int_equal(map.signal[37], 64);
    assert_int_equal(map.signal[SIGINT], SIGINT);
    assert_false(em_remap_signal_add(&map, "TERM:INT"));
    assert_false(em_remap_signal_add(&map, "HUP:HUP"));
    assert_int_equal(map.signal[SIGTERM], SIGQUIT);
}

static void none(void **state)
{
    static const char *const texts[] = {
        "",           "TERM",      "TERM:",
        ":QUIT",      "TERM=QUIT", "TERM:QUIT:INT",
        "0:TERM",     "KILL:TERM", "STOP:TERM",
        "CHLD:TERM",  "9:15",      "65:1",
        "1:65",       "33:1",      "1:33",
        "TERM:NOPE",  "NOPE:TERM", "term:quit",
        "TERM: QUIT", "TERM:00",   "SIGRTMIN+30000000:1",
    };
    struct em_remap_signal map;
    (void)state;
    em_remap_signal_init(&map);
    for (size_t i = 0; i < EM_COUNT(texts); i++)
        assert_false(em_remap_signal_add(&map, texts[i]));
    for (unsigned i = 0; i <= EM_SIGNAL_RTMAX; i++)
        assert_int_equal(map.signal[i], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_as_itself),
        cmocka_unit_test(as_another),
        cmocka_unit_test(none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
