/* os/process/spawn.h's em_capture: whatever the child and those that it leaves behind do, it ends
 * by its deadline, at a signal, and with what the child itself wrote. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "embark/os/loop/clock.h"
#include "embark/os/process/spawn.h"

/* How much later than its deadline a call may end, and one that has nothing to wait for. */
#define LATE EM_SEC(1)
#define SOON EM_SEC(5)

struct run {
    struct em_str out, said;
    int code, status;
    em_time took;
};

static struct run capture(const char *script, em_time limit)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
    struct em_spawn spawn = {.argv = argv, .in = -1, .out = -1, .err = -1};
    struct run run = {.out = EM_STR_INIT, .said = EM_STR_INIT};
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time started = em_now();
    run.code =
        em_capture(&spawn, NULL, 0, 100000, em_in(limit), &run.out, &run.said, &run.status, &err);
    run.took = em_now() - started;
    return run;
}

static void end(struct run *run)
{
    em_str_free(&run->out);
    em_str_free(&run->said);
}

static void all_that_it_wrote(void **state)
{
    (void)state;
    struct run run = capture("head -c 90000 /dev/zero; head -c 60000 /dev/zero >&2", SOON);
    assert_int_equal(run.code, 0);
    assert_int_equal(run.out.len, 90000);
    assert_int_equal(run.said.len, 60000);
    end(&run);
    run = capture("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 3", SOON);
    assert_int_equal(run.code, 0);
    assert_int_equal(WEXITSTATUS(run.status), 3);
    assert_int_equal(run.out.len, 100000);
    assert_int_equal(run.said.len, 65536);
    end(&run);
}

static void deadline(void **state)
{
    static const char *const scripts[] = {
        "exec sleep 100",
        "trap '' TERM; while :; do sleep 100; done",
        "exec yes",
        "exec yes >&2",
        "yes & yes >&2 & exec sleep 100",
        "exec >&- 2>&-; exec sleep 100",
        "while :; do echo drip; sleep 0.01; done",
    };
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct run run = capture(scripts[i], EM_MS(300));
        assert_int_equal(run.code, EM_EXIT_UNREACHABLE);
        assert_true(run.took < EM_MS(300) + LATE);
        end(&run);
    }
}

/* The child has ended: who else holds its pipe, or fills it, is not waited for. */
static void left_behind(void **state)
{
    static const char *const scripts[] = {
        "sleep 100 & echo answer",
        "setsid sleep 100 & echo answer",
        "yes & echo answer",
        "echo answer; yes >&2 & exit 0",
        "echo answer; (trap '' TERM HUP; yes) & exit 0",
        "echo answer; setsid yes & exit 0",
        "echo answer; setsid yes >&2 & exit 0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct run run = capture(scripts[i], EM_NEVER / 4);
        assert_int_equal(run.code, 0);
        assert_true(run.took < SOON);
        assert_non_null(strstr(em_str_c(&run.out), "answer"));
        end(&run);
    }
}

static void nothing_is_left(void **state)
{
    (void)state;
    static const char *const scripts[] = {"sleep 100 & echo $!", "setsid sleep 100 & echo $!"};
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct run run = capture(scripts[i], SOON);
        assert_int_equal(run.code, 0);
        pid_t pid = (pid_t)strtol(em_str_c(&run.out), NULL, 10);
        assert_true(pid > 1);
        em_loop_drain(); /* reaps it */
        assert_int_equal(kill(pid, 0), -1);
        assert_int_equal(errno, ESRCH);
        end(&run);
    }
}

static void stopped(void **state)
{
    static const char *const scripts[] = {
        "exec yes",
        "exec yes >&2",
        "trap '' TERM; yes & while :; do sleep 100; done",
        "exec sleep 100",
    };
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            EM_ERR_AUTO err = EM_ERR_INIT;
            signal(SIGTERM, SIG_DFL);
            if (em_loop_start(&err) != 0)
                _exit(99);
            pid_t self = getpid();
            if (fork() == 0) {
                poll(NULL, 0, 200);
                kill(self, SIGTERM);
                _exit(0);
            }
            struct run run = capture(scripts[i], EM_SEC(100));
            end(&run);
            _exit(run.took < EM_MS(200) + LATE ? run.code : 98);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    }
}

static int start_loop(void **state)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    return em_loop_start(&err);
}

int main(void)
{
    const struct CMUnitTest before[] = {cmocka_unit_test(stopped)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_it_wrote),
        cmocka_unit_test(deadline),
        cmocka_unit_test(left_behind),
        cmocka_unit_test(nothing_is_left),
    };
    int failed = cmocka_run_group_tests(before, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, start_loop, NULL);
}
