/* Signals, children and the one place where embark waits.
 *
 * em_loop_start() is called once, first thing in main: it notes the signal mask and dispositions
 * that embark was given, blocks what it handles and opens a signalfd (close-on-exec). From then on
 * nothing interrupts the program at a random place; everything that waits calls em_wait(), which
 * returns for a descriptor, a child, a signal or the deadline, whichever is first.
 *
 * Signals that were ignored when embark started (nohup, a shell's background job) stay ignored.
 * SIGCHLD is set to its default while embark runs, since with SIG_IGN no status could be collected,
 * and SIGPIPE is ignored, so that a closed stderr doesn't end a start; both are put back for
 * children and for the service (em_loop_restore).
 *
 * As PID 1, or as a subreaper, orphans become ours: em_wait() reaps whatever ends and remembers the
 * status of children that were announced with em_child_add().
 */
#ifndef EMBARK_OS_LOOP_LOOP_H
#define EMBARK_OS_LOOP_LOOP_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "embark/core/base/err.h"
#include "embark/core/base/time.h"

int em_loop_start(struct em_err *err);

enum em_wake {
    EM_WAKE_FD,     /* a descriptor has revents */
    EM_WAKE_CHILD,  /* an announced child has ended or was stopped: see its fields */
    EM_WAKE_SIGNAL, /* a signal arrived: em_loop_signal() */
    EM_WAKE_TIME,   /* the deadline passed */
};
/* Waits for the first of these. `fds` may be NULL with count 0. A signal comes before a descriptor,
 * so that a busy socket can't delay SIGTERM. */
enum em_wake em_wait(struct pollfd *fds, size_t count, em_time until);

/* From now on these signals are what em_wait() returns for, also those that were ignored when embark
 * started: bit n - 1 is signal n, 32 and above included. For who passes signals on; there is no way
 * back. EM_EXIT_SYSTEM. */
int em_loop_take(uint64_t signals, struct em_err *err);
/* Nothing is waited for any more: closes the signalfd. What comes stays pending, as its signals stay
 * blocked. */
void em_loop_end(void);

/* The signal that the last EM_WAKE_SIGNAL was for. */
int em_loop_signal(void);
/* Whether it asks embark to end: TERM, INT, HUP, QUIT. It is kept: once one arrived,
 * em_loop_stopped() returns it for ever. */
int em_loop_stopped(void);
/* "stopped by SIGTERM", code 128 + n. */
int em_fail_stopped(struct em_err *err);

/* For callers that have nothing to do with a signal other than to stop: as em_wait, but signals
 * that don't ask to end are swallowed, and children other than `child` (NULL: all) too. */
enum em_wake em_wait_fd(int fd, short events, em_time until);

/* For the log, which is written to from everywhere, from within a guard, too: waits for `fd` alone.
 * No guard is called, and signals and the ends of children are left to whoever looks after them;
 * once there is one, it is waited for no longer than 0.1 s. True: it is ready. */
bool em_wait_apart(int fd, short events, em_time until);

/* What else is watched while em_wait_fd() waits: the connection that holds a lock, while statements
 * run on another one. */
struct em_guard {
    int fd;
    em_time (*due)(void *ctx); /* when it is to be looked at, whatever the descriptor says */
    bool (*look)(void *ctx);   /* waits for nothing; false: all is lost */
    void *ctx;
    bool failed; /* from then on every wait ends at once with EM_WAKE_TIME, as if its deadline had
                    passed */
    void (*signalled)(void *ctx); /* a signal came while em_wait_fd() waited; NULL: only one that
                                     asks to end is of interest, and ends the wait */
};
void em_loop_guard(struct em_guard *guard); /* the caller's memory; NULL: none any more */

/* Whether the end of a child that wasn't announced, an orphan that became ours, ends a wait, too:
 * EM_WAKE_CHILD. */
void em_loop_orphans(bool wake);

/* What asked to end was for somebody else, and was passed on: em_loop_stopped() is 0 again. */
void em_loop_passed_on(void);

/* As sigprocmask(2) itself: musl's leaves 34 out of what was blocked, which it keeps for itself, so
 * that what is put back would not be what was there. Async-signal-safe. */
int em_sigmask(int how, const sigset_t *set, sigset_t *old);

/* In a forked child that goes on with this loop: it has no children, and was asked nothing. A
 * signalfd reads the signals of whoever reads it, signalfd(2). */
void em_loop_forked(void);

/* Children. */
struct em_child {
    pid_t pid;
    bool done;
    int status;     /* as of waitpid(2), once done */
    int stopped_by; /* the signal that stopped it last; for its owner to set back to 0 */
    struct em_child *next;
};
void em_child_add(struct em_child *child); /* before anything waits; the memory is the caller's
                                              until em_child_forget() */
void em_child_forget(struct em_child *child);
void em_child_explain(
    int status,
    struct em_str *out); /* "exited with status 3", "was killed by SIGKILL (out of memory?)" */

/* fork(2). The C library changes the signal mask on the way: it is what it was afterwards, also
 * where the kernel has refused the library that. */
pid_t em_fork(void);

/* In a fork's child, or right before exec: dispositions and mask as embark found them. Only
 * async-signal-safe calls. False: errno; what is exec'd would not be as it was given to embark. */
bool em_loop_restore(void);
/* Takes what has arrived and wasn't waited for: a signal that asks to end is in em_loop_stopped()
 * then, and one that doesn't (SIGUSR1 for a service that isn't there yet) can't end the process
 * when signals are let through. */
void em_loop_drain(void);
/* Right before the service's exec: as em_loop_restore(), but a signal that asked to end and is
 * still pending ends the process with 128 + n instead of being lost (a PID 1 ignores what has its
 * default disposition). */
bool em_loop_restore_for_exec(void);
/* exec failed: embark's own handling again. */
void em_loop_retake(void);

/* Whether orphans of our children become ours: PID 1, or made so by this call
 * (PR_SET_CHILD_SUBREAPER). */
bool em_reaper_start(void);
void em_reaper_stop(void); /* what it was before: exec keeps the attribute */
/* The same for a while: 1 or 0, returns what it was. As PID 1 it is always 1. */
int em_reaper_set(int on);

/* This process gets `signal` when the one that started it ends (PR_SET_PDEATHSIG, prctl(2)), also
 * after an exec, and at once if that has happened already; 0: none any more. */
void em_parent_signal(int signal);

#endif
