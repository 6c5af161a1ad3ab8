/* Starting and ending child processes.
 *
 * The child reports the step that failed and its errno over a close-on-exec pipe, so that "not
 * found" and "fork refused" are told apart and a failed exec never looks like a command that
 * exited. Between fork and exec only async-signal-safe calls are made (signal-safety(7)).
 */
#ifndef EMBARK_OS_PROCESS_SPAWN_H
#define EMBARK_OS_PROCESS_SPAWN_H

#include "embark/os/loop/loop.h"

/* What a service is given that a helper isn't. */
struct em_spawn_service {
    int death_signal; /* that it gets if embark dies; 0: none */
    int terminal;     /* the descriptor of one whose foreground it comes into; -1: none */
    char *pid_text;   /* EM_PID_TEXT bytes, which get its process id in the child; NULL: none */
};
#define EM_PID_TEXT 12

struct em_spawn {
    char *const *argv;                      /* argv[0] is looked up in PATH when it has no slash */
    char *const *environ;                   /* NULL: embark's own */
    const char *dir;                        /* its working directory; NULL: embark's own */
    int in, out, err;                       /* descriptors for 0, 1, 2; -1: inherit */
    bool own_group;                         /* a process group of its own */
    const struct em_spawn_service *service; /* NULL: a helper */
};
/* Starts it; a helper is killed if embark dies (PR_SET_PDEATHSIG, prctl(2)), which its own children
 * aren't. On success child is announced to the loop (em_child_add). On failure: EM_EXIT_NOT_FOUND,
 * EM_EXIT_NOT_EXECUTABLE with the reason (os/exec/find.h) or EM_EXIT_SYSTEM. */
int em_spawn(const struct em_spawn *spawn, struct em_child *child, struct em_err *err);

/* The same for a function of our own instead of a program: it runs in a forked child (the process
 * has one thread, so it may call anything), with embark's signal handling, none of its children,
 * and ends with the code that it returns. The child is killed if embark dies. argv isn't used. */
int em_spawn_function(const struct em_spawn *spawn, int (*body)(void *ctx), void *ctx,
                      struct em_child *child, struct em_err *err);

/* Runs to the end and collects stdout (at most `limit` bytes); stderr goes to `err_out` if not NULL
 * (at most 64 KiB). 0, or EM_EXIT_* as em_spawn, 128+n when stopped, EM_EXIT_UNREACHABLE at the
 * deadline. Whatever else it has started is killed with its end, and so is it at the deadline.
 * *status is waitpid's. `input` is written to its stdin. */
int em_capture(const struct em_spawn *spawn, const char *input, size_t input_length, size_t limit,
               em_time until, struct em_str *out, struct em_str *err_out, int *status,
               struct em_err *err);

/* Closes what embark was given beside 0, 1 and 2, once a service has it: a listener that it closes,
 * or the end of a pipe, isn't kept open by us. embark's own stay, which are close-on-exec. */
void em_close_inherited(void);

void em_title(const char *phase); /* prctl PR_SET_NAME "embark:PHASE"; at most 15 bytes */
/* The same for a phase that may take long: what earlier ones have used of the program is given back
 * (trim.h), which costs a short one more than it has. */
void em_title_long(const char *phase);

#endif
