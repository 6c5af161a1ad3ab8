#include "embark/init/init.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "rest.h"
#include "system.h"
#include "watch.h"

/* ---- The terminal ---- */

static int foreground(const struct em_init *init)
{
    int group = -1;
    if (init->terminal < 0 || CALL_3(ioctl, init->terminal, TIOCGPGRP, &group) != 0)
        return -1;
    return group;
}

static bool is_ours(const struct em_init *init)
{
    return init->terminal >= 0 && foreground(init) == CALL_1(getpgid, 0);
}

static bool is_nobodys(const struct em_init *init)
{
    int group = foreground(init);
    return group > 0 && CALL_2(kill, -group, 0) == -ESRCH;
}

/* Not stopped by SIGTTOU, which this brings to a process that isn't in the foreground itself. */
static void give(const struct em_init *init, int group)
{
    uint64_t background = EM_INIT_BIT(SIGTTOU), mask = 0;
    CALL_4(rt_sigprocmask, SIG_BLOCK, &background, &mask, KERNEL_SIGSET);
    CALL_3(ioctl, init->terminal, TIOCSPGRP, &group);
    CALL_4(rt_sigprocmask, SIG_SETMASK, &mask, 0, KERNEL_SIGSET);
}

/* Our own group stops as ^Z stops it, and this returns when it was continued; at once where nothing
 * can stop it: process 1, and an orphaned group, which has no shell above it (setpgid(2)). */
static void stop_group(void)
{
    uint64_t stop = EM_INIT_BIT(SIGTSTP), mask = 0;
    CALL_4(rt_sigprocmask, SIG_UNBLOCK, &stop, &mask, KERNEL_SIGSET);
    CALL_2(kill, 0, SIGTSTP);
    CALL_4(rt_sigprocmask, SIG_SETMASK, &mask, 0, KERNEL_SIGSET);
}

/* ---- The service ---- */

static void signal_group(const struct em_init *init, int signal)
{
    CALL_2(kill, -init->service, signal);
}

/* Into the foreground, if that is ours to give. */
static void show(const struct em_init *init)
{
    if (init->gives && is_ours(init))
        give(init, init->service);
}

static void go_on(const struct em_init *init)
{
    show(init);
    signal_group(init, SIGCONT);
}

/* The service was stopped since it read from the terminal, or changed it, without being in the
 * foreground. If that is ours, by a shell's fg (which says nothing to a job that runs), or because
 * it is first of all others' in a pipeline, or nobody's, the service gets it. Otherwise it is
 * somebody else's, and the job stops, if there is a shell: SIGCONT will come when it goes on. */
static void wants_terminal(const struct em_init *init)
{
    if (is_ours(init) || is_nobodys(init))
        give(init, init->service);
    if (foreground(init) == init->service)
        signal_group(init, SIGCONT);
    else
        stop_group();
}

/* For the shell that started embark it is embark's process group that is the job: when ^Z stops the
 * service, that stops, too, and goes on with it; where there is no such shell both do at once. A
 * service that somebody has stopped by SIGSTOP is theirs to continue. */
static void was_stopped(struct watch *watch)
{
    int signal = watch->stopped_by;
    watch->stopped_by = 0;
    if (watch->init->terminal < 0 || signal == SIGSTOP)
        return;
    if (signal != SIGTSTP) {
        wants_terminal(watch->init);
        return;
    }
    stop_group();
    go_on(watch->init);
}

/* To the group; and to a service that has left it for another one. */
static void pass_on(const struct watch *watch, int signal)
{
    const struct em_init *init = watch->init;
    int as = init->signal[signal];
    if (signal == SIGCONT)
        show(init);
    if (!as)
        return;
    signal_group(init, as);
    if (!watch->done && CALL_1(getpgid, init->service) != init->service)
        CALL_2(kill, init->service, as);
}

int em_init_run(struct em_init *init)
{
    struct watch watch = {.init = init};
    CALL_1(chdir, "/"); /* a volume that the service had as its place can be unmounted */
    CALL_4(rt_sigprocmask, SIG_BLOCK, &init->handled, 0, KERNEL_SIGSET);
    reap(&watch); /* what has ended before */
    while (!watch.done) {
        if (watch.stopped_by)
            was_stopped(&watch);
        int signal = next_signal(&watch, NEVER);
        if (signal)
            pass_on(&watch, signal);
    }
    if (foreground(init) == init->service)
        give(init, (int)CALL_1(getpgid, 0));
    end_rest(&watch);
    return init
        ->code[WIFEXITED(watch.status) ? WEXITSTATUS(watch.status) : 128 + WTERMSIG(watch.status)];
}
