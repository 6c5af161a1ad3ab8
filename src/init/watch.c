#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "system.h"

/* How often wait4(2) is asked that says no, and what stands for the status that it doesn't give: it
 * is no end that anybody takes for a good one. */
enum { REAP_TRIES = 2, STATUS_UNKNOWN = 0xffff };

static void note(struct watch *watch, int status)
{
    if (WIFSTOPPED(status)) {
        watch->stopped_by = WSTOPSIG(status);
        return;
    }
    watch->done = true;
    watch->status = status;
}

void reap(struct watch *watch)
{
    int status = 0, service = watch->init->service;
    for (int failures = 0; failures < REAP_TRIES;) {
        long pid = CALL_4(wait4, -1, &status, WNOHANG | WUNTRACED, 0);
        if (pid == 0)
            return;
        if (pid < 0)
            failures++;
        else if (pid == service)
            note(watch, status);
    }
    if (watch->done)
        return;
    long pid = CALL_4(wait4, service, &status, WNOHANG | WUNTRACED, 0);
    if (pid == service)
        note(watch, status);
    else if (pid == -ECHILD) /* there is no such child, and nobody told of its end */
        note(watch, STATUS_UNKNOWN);
}

int next_signal(struct watch *watch, int64_t until)
{
    siginfo_t info;
    struct when left = {0, 0};
    info.si_pid = 0;
    int64_t us = until == NEVER ? 0 : until - time_of(CLOCK_MONOTONIC);
    if (us > 0)
        left = (struct when){us / 1000000, us % 1000000 * 1000};
    long signal = CALL_4(rt_sigtimedwait, &watch->init->handled, &info,
                         until == NEVER ? 0 : (long)&left, KERNEL_SIGSET);
    /* A SIGCHLD may stand behind a signal, and one that was waited for in vain be refused. */
    reap(watch);
    if (signal <= 0 || signal == SIGCHLD)
        return 0;
    /* of a write of our own */
    return signal == SIGPIPE && info.si_pid == CALL_1(getpid, 0) ? 0 : (int)signal;
}
