/* os/net/turn.h: turns of the processes of one machine. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"
#include "embark/os/net/turn.h"

static char server[64]; /* of this run's alone */

/* A process that has a turn until it is ended. */
static pid_t owner(void)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        em_turn_take(server, em_in(EM_SEC(20)));
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static em_time take(em_time limit)
{
    em_time began = em_now();
    em_turn_take(server, em_in(limit));
    return em_now() - began;
}

static void test_crowd(void **state)
{
    pid_t owners[EM_TURNS];
    (void)state;
    snprintf(server, sizeof server, "crowd%d:5432", (int)getpid());
    for (int i = 0; i < EM_TURNS; i++)
        owners[i] = owner();
    /* All are in use: it is waited for, but not for longer than that. */
    assert_true(take(EM_MS(300)) >= EM_MS(300));
    /* Those of another server are others. */
    snprintf(server, sizeof server, "other%d:5432", (int)getpid());
    assert_true(take(EM_SEC(20)) < EM_SEC(10));
    em_turn_end();
    snprintf(server, sizeof server, "crowd%d:5432", (int)getpid());
    for (int i = 0; i < EM_TURNS; i++)
        end(owners[i]);
    /* Nothing is left of processes that were killed. */
    assert_true(take(EM_SEC(20)) < EM_SEC(10));
    em_turn_end();
}

/* Who waits has the turn of a process that ends, whichever that is. */
static void test_next(void **state)
{
    pid_t owners[EM_TURNS], waiter;
    int done[2];
    char byte = 0;
    (void)state;
    snprintf(server, sizeof server, "next%d:5432", (int)getpid());
    assert_int_equal(pipe(done), 0);
    for (int i = 0; i < EM_TURNS; i++)
        owners[i] = owner();
    waiter = fork();
    if (waiter == 0) {
        em_time took = take(EM_SEC(60));
        (void)!write(done[1], took < EM_SEC(50) ? "y" : "n", 1);
        _exit(0);
    }
    for (int i = 0; i < EM_TURNS; i++)
        end(owners[i]);
    assert_int_equal(read(done[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    waitpid(waiter, NULL, 0);
    close(done[0]);
    close(done[1]);
}

static void test_own(void **state)
{
    (void)state;
    snprintf(server, sizeof server, "own%d:5432", (int)getpid());
    em_turn_end(); /* of none */
    for (int i = 0; i < 3 * EM_TURNS; i++)
        assert_true(take(EM_SEC(20)) < EM_SEC(10)); /* it is had already */
    em_turn_end();
    memset(server, 'x', sizeof server - 1);
    assert_true(take(EM_SEC(20)) < EM_SEC(10));
    em_turn_end();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_own),
    };
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (em_loop_start(&err) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
