/* The report of a start: what is written is read again, and nothing else is. */
#include "embark/core/report/last_start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct em_last_start example(bool executed)
{
    struct em_last_start start = {0};

    em_str_puts(&start.version, "1.2.3");
    em_str_puts(&start.began_text, "2026-11-24T18:58:14.123Z");
    start.began = 1764010694123456;
    start.took = 1840000;
    em_str_puts(&start.steps, "check 22 ms, wait 1.20 s");
    start.process = (struct em_process){1, 4711, 4026531836, "0f1c-2b"};
    start.executed = executed;
    if (executed)
        em_str_puts(&start.command, "uvicorn main:app --port 80");
    else
        start.code = 77;
    em_str_puts(&start.log, "a line\nlog: 3\n\nend: exit 1\n");
    return start;
}

static void round_trip(void **state)
{
    (void)state;
    for (int executed = 0; executed < 2; executed++) {
        struct em_last_start start = example(executed), again;
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO second = EM_STR_INIT;

        em_last_start_print(&start, &text);
        assert_true(em_last_start_parse(&again, em_str_c(&text), text.len));
        assert_int_equal(again.executed, executed);
        assert_int_equal(again.code, executed ? 0 : 77);
        assert_int_equal(again.began, start.began);
        assert_true(em_process_same(&again.process, &start.process));
        em_last_start_print(&again, &second);
        assert_string_equal(em_str_c(&second), em_str_c(&text));
        em_last_start_free(&start);
        em_last_start_free(&again);
    }
}

static void nothing_known(void **state)
{
    struct em_last_start start = {0}, again;
    EM_STR_AUTO text = EM_STR_INIT;

    (void)state;
    em_str_puts(&start.began_text, "?");
    em_last_start_print(&start, &text);
    assert_true(em_last_start_parse(&again, em_str_c(&text), text.len));
    assert_string_equal(again.process.boot, "");
    assert_int_equal(again.log.len, 0);
    em_last_start_free(&start);
    em_last_start_free(&again);
}

static bool reads(const char *bytes, size_t length)
{
    struct em_last_start start;
    char *exact = malloc(length + 1); /* for the sanitizer: no byte more is there */
    bool good;

    memcpy(exact, bytes, length);
    exact = realloc(exact, length ? length : 1);
    good = em_last_start_parse(&start, exact, length);
    em_last_start_free(&start);
    free(exact);
    return good;
}

/* A disk that was full, a writer that was killed. */
static void incomplete(void **state)
{
    struct em_last_start start = example(true);
    EM_STR_AUTO text = EM_STR_INIT;

    (void)state;
    em_last_start_print(&start, &text);
    for (size_t n = 0; n < text.len; n++)
        assert_false(reads(em_str_c(&text), n));
    em_str_putc(&text, '\n');
    assert_false(reads(em_str_c(&text), text.len));
    em_last_start_free(&start);
}

static void mutilated(void **state)
{
    static const char put[] = {'\0', '\n', ' ', '9', '-', '\xff'};
    struct em_last_start start = example(false);
    EM_STR_AUTO text = EM_STR_INIT;

    (void)state;
    em_last_start_print(&start, &text);
    for (size_t at = 0; at < text.len; at++) {
        char was = text.data[at];

        for (size_t i = 0; i < sizeof(put); i++) {
            text.data[at] = put[i];
            (void)reads(text.data, text.len);
        }
        text.data[at] = was;
    }
    em_last_start_free(&start);
}

static void others(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "root:x:0:0\n",
        "embark: last start",
        "embark: last start\n",
        "embark: last start\nversion: 1\nbegan: ? 99999999999999999999\ntook: 1\nsteps: \n"
        "process: 1 2 3 4\nend: exit 1\nlog: 0\n\n",
        "embark: last start\nversion: 1\nbegan: ? 1\ntook: 1\nsteps: \n"
        "process: 1 2 3 0123456789012345678901234567890123456789\nend: exit 1\nlog: 0\n\n",
        "embark: last start\nversion: 1\nbegan: ? 1\ntook: 1\nsteps: \n"
        "process: 1 2 3 4\nend: exit 256\nlog: 0\n\n",
        "embark: last start\nversion: 1\nbegan: ? 1\ntook: -1\nsteps: \n"
        "process: 1 2 3 4\nend: exit 1\nlog: 0\n\n",
        "embark: last start\nversion: 1\nbegan: ? 1\ntook: 1\nsteps: \n"
        "process: 1 2 3 4\nend: reboot\nlog: 0\n\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(reads(texts[i], strlen(texts[i])));
}

static void process_stat(void **state)
{
    static const char tail[] = " S 42 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 1391170 1 1";
    static const char *const names[] = {"sleep", "a) S 7 (b", ") ", "1 2 3 4", ""};
    int64_t parent;
    uint64_t started;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        EM_STR_AUTO stat = EM_STR_INIT;

        em_str_printf(&stat, "15230 (%s)%s\n", names[i], tail);
        assert_true(em_stat_parse(em_str_c(&stat), &parent, &started));
        assert_int_equal(parent, 42);
        assert_int_equal(started, 1391170);
    }
    assert_false(em_stat_parse("", &parent, &started));
    assert_false(em_stat_parse("1 (x)", &parent, &started));
    assert_false(em_stat_parse("1 (x) S 42 1 1", &parent, &started));
    assert_false(em_stat_parse("1 (x) S x 1 1", &parent, &started));
}

static void same_process(void **state)
{
    struct em_process a = {1, 2, 3, "boot"}, b = a;

    (void)state;
    assert_true(em_process_same(&a, &b));
    b.started++;
    assert_false(em_process_same(&a, &b));
    b = a;
    b.pid_namespace++;
    assert_false(em_process_same(&a, &b));
    b = a;
    b.boot[0] = 'r';
    assert_false(em_process_same(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),   cmocka_unit_test(nothing_known),
        cmocka_unit_test(incomplete),   cmocka_unit_test(mutilated),
        cmocka_unit_test(others),       cmocka_unit_test(process_stat),
        cmocka_unit_test(same_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
