#include "embark/os/loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embark/core/linux/signal_name.h"
#include "embark/os/loop/clock.h"

/* What embark handles: those that ask to end, those that are passed on to a migration, and SIGCHLD.
 */
static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
static const int other_signals[] = {SIGUSR1, SIGUSR2, SIGCHLD};
/* How often waitpid(2) is asked that says no, and what stands for the status that it doesn't give:
 * it is no end that anybody takes for a good one. */
enum { REAP_TRIES = 2, STATUS_UNKNOWN = 0xffff };

/* How long em_wait_apart() still waits after a signal. */
#define LAST_TRY EM_MS(100)
/* Bytes of the kernel's own sigset_t, which has 64 signals. */
#define KERNEL_SIGSET 8

/* Process-wide by nature: signals and children belong to the process. */
static struct {
    int fd;
    sigset_t handled;           /* blocked by us, read from fd */
    sigset_t mask;              /* as inherited */
    sigset_t running;           /* as it is while embark runs */
    struct sigaction child_was; /* of SIGCHLD */
    struct sigaction pipe_was;  /* of SIGPIPE */
    int stopped;                /* the first signal that asked to end */
    int last;
    pid_t parent; /* as embark was started */
    struct em_child *children;
    bool reaper; /* by em_reaper_start() */
    int subreaper_was;
    struct em_guard *guard;
    bool orphans_wake;
    bool forked; /* since children were looked at: a SIGCHLD may have been lost */
} loop = {.fd = -1};

int em_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    if (old)
        sigemptyset(old); /* the kernel fills its own part of it */
    return (int)syscall(SYS_rt_sigprocmask, how, set, old, KERNEL_SIGSET);
}

static bool is_ignored(int signal)
{
    struct sigaction now;
    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void choose(const int *signals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (signals[i] == SIGCHLD || !is_ignored(signals[i]))
            sigaddset(&loop.handled, signals[i]);
}

static bool own_dispositions(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    bool good = sigaction(SIGCHLD, &plain, NULL) == 0;
    return sigaction(SIGPIPE, &ignore, NULL) == 0 && good;
}

/* What is blocked beside `loop.handled` stays so. */
static bool block(void)
{
    sigorset(&loop.running, &loop.mask, &loop.handled);
    return em_sigmask(SIG_SETMASK, &loop.running, NULL) == 0;
}

int em_loop_start(struct em_err *err)
{
    loop.parent = getppid();
    sigemptyset(&loop.handled);
    choose(stop_signals, EM_COUNT(stop_signals));
    choose(other_signals, EM_COUNT(other_signals));
    if (sigaction(SIGCHLD, NULL, &loop.child_was) != 0 ||
        sigaction(SIGPIPE, NULL, &loop.pipe_was) != 0 ||
        em_sigmask(SIG_BLOCK, NULL, &loop.mask) != 0 || !block() || !own_dispositions())
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't take signals");
    loop.fd = signalfd(-1, &loop.handled, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop.fd < 0)
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't open a signalfd");
    return 0;
}

int em_loop_take(uint64_t signals, struct em_err *err)
{
    /* sigaddset(3) would not add those real-time signals that C libraries keep for themselves: they
     * are for programs with threads. */
    sigemptyset(&loop.handled);
    memcpy(&loop.handled, &signals, KERNEL_SIGSET);
    if (!block() || signalfd(loop.fd, &loop.handled, SFD_CLOEXEC | SFD_NONBLOCK) < 0)
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't take all signals");
    return 0;
}

void em_loop_end(void)
{
    close(loop.fd);
    loop.fd = -1;
}

static bool asks_to_end(int signal)
{
    for (size_t i = 0; i < EM_COUNT(stop_signals); i++)
        if (stop_signals[i] == signal)
            return true;
    return false;
}

static void note(struct em_child *child, int status)
{
    if (WIFSTOPPED(status)) {
        child->stopped_by = WSTOPSIG(status);
        return;
    }
    child->done = true;
    child->status = status;
}

static bool note_pid(pid_t pid, int status)
{
    bool ours = false;
    for (struct em_child *c = loop.children; c; c = c->next)
        if (c->pid == pid && !c->done) {
            note(c, status);
            ours = true;
        }
    return ours;
}

/* Children that are waited for and that nobody can wait for: their status is lost. */
static bool note_lost(void)
{
    bool ours = false;
    for (struct em_child *c = loop.children; c; c = c->next) {
        int status = 0;
        pid_t pid = c->done ? 0 : waitpid(c->pid, &status, WNOHANG | WUNTRACED);
        if (pid > 0)
            ours |= note_pid(pid, status);
        else if (pid < 0 && errno == ECHILD)
            ours |= note_pid(c->pid, STATUS_UNKNOWN);
    }
    return ours;
}

/* True if something happened to an announced child, or to another one if those count. SIGCHLD
 * coalesces, so every child that has ended is reaped now: no second signal tells of those left. */
static bool reap(void)
{
    bool ours = false;
    for (int failures = 0; failures < REAP_TRIES;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
        if (pid == 0)
            return ours;
        if (pid < 0) {
            failures++;
            continue;
        }
        ours |= loop.orphans_wake;
        ours |= note_pid(pid, status);
    }
    return note_lost() || ours;
}

/* Takes one signal from the signalfd: 0 none, otherwise its number. The SIGPIPE of a write of our
 * own is nobody's business. */
static int take_signal(void)
{
    struct signalfd_siginfo info;
    ssize_t n;
    do
        n = read(loop.fd, &info, sizeof info);
    while (n == (ssize_t)sizeof info && info.ssi_signo == SIGPIPE &&
           info.ssi_pid == (uint32_t)getpid());
    return n == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

/* What the signalfd holds: EM_WAKE_SIGNAL or EM_WAKE_CHILD, or EM_WAKE_TIME for nothing of
 * interest. */
static enum em_wake take_events(void)
{
    bool child = false;
    for (;;) {
        int signal = take_signal();
        if (!signal)
            return child ? EM_WAKE_CHILD : EM_WAKE_TIME;
        if (signal == SIGCHLD) {
            child |= reap();
            continue;
        }
        /* A child that has ended is not lost by saying the signal first: callers look at their
         * children after every wake-up. */
        loop.last = signal;
        if (asks_to_end(signal) && !loop.stopped)
            loop.stopped = signal;
        return EM_WAKE_SIGNAL;
    }
}

static void time_left(em_time until, struct timespec *left)
{
    em_time us = until - em_now();
    if (us < 0)
        us = 0;
    left->tv_sec = us / 1000000;
    left->tv_nsec = (us % 1000000) * 1000;
}

enum em_wake em_wait(struct pollfd *fds, size_t count, em_time until)
{
    struct pollfd all[16];
    if (count > EM_COUNT(all) - 1)
        abort(); /* a caller of ours with more than it may have */
    if (loop.forked) {
        loop.forked = false;
        if (reap())
            return EM_WAKE_CHILD;
    }
    for (;;) {
        struct timespec left;
        all[0] = (struct pollfd){loop.fd, POLLIN, 0};
        for (size_t i = 0; i < count; i++) {
            all[i + 1] = fds[i];
            all[i + 1].revents = 0;
        }
        if (until != EM_NEVER)
            time_left(until, &left);
        int n = ppoll(all, (nfds_t)count + 1, until == EM_NEVER ? NULL : &left, NULL);
        for (size_t i = 0; i < count; i++)
            fds[i].revents = n > 0 ? all[i + 1].revents : 0;
        if (n < 0 || all[0].revents) { /* what can't be waited for can still be looked at */
            enum em_wake woke = take_events();
            if (woke != EM_WAKE_TIME)
                return woke;
            n--;
        }
        if (n > 0)
            return EM_WAKE_FD;
        if (until != EM_NEVER && em_now() >= until)
            return EM_WAKE_TIME;
    }
}

void em_loop_guard(struct em_guard *guard)
{
    loop.guard = guard;
}

/* Whether there is none, or all is well with it. */
static bool guard_holds(const struct pollfd *seen)
{
    struct em_guard *guard = loop.guard;
    if (guard && !guard->failed && (seen->revents || em_now() >= guard->due(guard->ctx)))
        guard->failed = !guard->look(guard->ctx);
    return !guard || !guard->failed;
}

enum em_wake em_wait_fd(int fd, short events, em_time until)
{
    /* poll(2) passes over a negative descriptor. */
    struct pollfd fds[2] = {{fd, events, 0}, {loop.guard ? loop.guard->fd : -1, POLLIN, 0}};
    for (;;) {
        if (loop.stopped)
            return EM_WAKE_SIGNAL;
        if (!guard_holds(&fds[1]))
            return EM_WAKE_TIME;
        if (fds[0].revents)
            return EM_WAKE_FD;
        em_time due = loop.guard ? loop.guard->due(loop.guard->ctx) : EM_NEVER;
        enum em_wake woke = em_wait(fds, 2, em_time_min(until, due));
        if (woke == EM_WAKE_TIME && until != EM_NEVER && em_now() >= until)
            return woke;
        if (woke == EM_WAKE_SIGNAL && loop.guard && loop.guard->signalled)
            loop.guard->signalled(loop.guard->ctx);
        /* A signal that doesn't ask to end, and children, are of no interest here; the descriptor
         * is looked at again. */
        if (woke == EM_WAKE_SIGNAL && loop.stopped)
            return woke;
    }
}

bool em_wait_apart(int fd, short events, em_time until)
{
    struct pollfd fds[2] = {{fd, events, 0}, {loop.stopped ? -1 : loop.fd, POLLIN, 0}};
    struct timespec left;
    if (loop.stopped)
        until = em_time_min(until, em_in(LAST_TRY));
    for (;;) {
        time_left(until, &left);
        if (ppoll(fds, EM_COUNT(fds), &left, NULL) <= 0)
            return false;
        if (fds[0].revents)
            return true;
        fds[1].fd = -1;
        until = em_time_min(until, em_in(LAST_TRY));
    }
}

int em_loop_signal(void)
{
    return loop.last;
}

int em_loop_stopped(void)
{
    return loop.stopped;
}

void em_loop_orphans(bool wake)
{
    loop.orphans_wake = wake;
}

void em_loop_passed_on(void)
{
    loop.stopped = 0;
}

int em_fail_stopped(struct em_err *err)
{
    return em_fail(err, 128 + loop.stopped, "stopped by %s", em_signal_name(loop.stopped));
}

pid_t em_fork(void)
{
    pid_t pid = fork();
    int error = errno;
    em_sigmask(SIG_SETMASK, &loop.running, NULL);
    loop.forked = true;
    errno = error;
    return pid;
}

void em_loop_forked(void)
{
    loop.children = NULL;
    loop.forked = false;
    loop.guard = NULL;
    loop.stopped = loop.last = 0;
}

void em_child_add(struct em_child *child)
{
    child->done = false;
    child->status = child->stopped_by = 0;
    child->next = loop.children;
    loop.children = child;
}

void em_child_forget(struct em_child *child)
{
    for (struct em_child **at = &loop.children; *at; at = &(*at)->next)
        if (*at == child) {
            *at = child->next;
            return;
        }
}

void em_child_explain(int status, struct em_str *out)
{
    if (WIFEXITED(status)) {
        em_str_printf(out, "exited with status %d", WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
        em_str_printf(out, "was killed by %s", em_signal_name(WTERMSIG(status)));
        if (WCOREDUMP(status))
            em_str_puts(out, " (core dumped)");
        else if (WTERMSIG(status) == SIGKILL)
            em_str_puts(out, " (out of memory?)");
    } else {
        em_str_printf(out, "ended in an unknown way (%d)", status);
    }
}

bool em_loop_restore(void)
{
    bool good = sigaction(SIGCHLD, &loop.child_was, NULL) == 0;
    good = sigaction(SIGPIPE, &loop.pipe_was, NULL) == 0 && good;
    return em_sigmask(SIG_SETMASK, &loop.mask, NULL) == 0 && good;
}

static void end_by(int signal)
{
    _exit(128 + signal);
}

void em_loop_drain(void)
{
    while (take_events() != EM_WAKE_TIME)
        ;
}

bool em_loop_restore_for_exec(void)
{
    /* A signal that arrives from here until the kernel has replaced the program runs this handler.
     * Without it a PID 1 would lose it: its default dispositions are no-ops. exec makes handlers
     * default ones again, so the service doesn't see it. */
    struct sigaction end = {.sa_handler = end_by};
    sigemptyset(&end.sa_mask);
    for (size_t i = 0; i < EM_COUNT(stop_signals); i++)
        if (sigismember(&loop.handled, stop_signals[i]) == 1 &&
            sigismember(&loop.mask, stop_signals[i]) != 1)
            sigaction(stop_signals[i], &end, NULL);
    return em_loop_restore();
}

void em_loop_retake(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    block();
    for (size_t i = 0; i < EM_COUNT(stop_signals); i++)
        if (sigismember(&loop.handled, stop_signals[i]) == 1)
            sigaction(stop_signals[i], &plain, NULL);
    own_dispositions();
}

int em_reaper_set(int on)
{
    int was = 0;
    if (getpid() == 1)
        return 1;
    if (prctl(PR_GET_CHILD_SUBREAPER, &was) != 0)
        return 0;
    if (was != on)
        prctl(PR_SET_CHILD_SUBREAPER, on);
    return was;
}

bool em_reaper_start(void)
{
    int was = em_reaper_set(1);
    if (!loop.reaper)
        loop.subreaper_was = was;
    loop.reaper = true;
    return em_reaper_set(1) == 1;
}

void em_reaper_stop(void)
{
    if (loop.reaper)
        em_reaper_set(loop.subreaper_was);
    loop.reaper = false;
}

void em_parent_signal(int signal)
{
    prctl(PR_SET_PDEATHSIG, signal);
    /* The parent may have died before this took effect. */
    if (signal && getppid() != loop.parent)
        raise(signal);
}
