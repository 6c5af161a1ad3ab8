/* What stays beside a service that was started, as its init: process 1 of a container, or a
 * subreaper (prctl(2)).
 *
 * It may stay for months beside hundreds of services of a machine, so that it is to be small. This
 * layer therefore needs nothing of the rest of the program: no C library, no memory but `struct
 * em_init` and a stack. Its code and constants lie in one section, on pages of their own. What
 * em_init_alone() gives back is all else that the process has: code, heap, stack. There is no second
 * program that would have to be found or executed, so it works without /proc, on read-only file
 * systems and where nothing may be executed from memory.
 *
 * embark has blocked the signals in `handled` before it started the service, so that none is lost.
 */
#ifndef EMBARK_INIT_INIT_H
#define EMBARK_INIT_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EM_INIT_SIGNALS 64

/* In a set of signals: bit n - 1, as the kernel has it. */
#define EM_INIT_BIT(signal) (UINT64_C(1) << ((signal)-1))

struct em_init {
    int service;      /* its process, which leads a group of its own */
    int terminal;     /* a descriptor of the controlling terminal; -1: there is none */
    bool gives;       /* the service is given its foreground whenever that is ours to give */
    uint64_t handled; /* what is waited for; with SIGCHLD */
    int64_t grace;    /* µs between TERM and KILL for what the service has left behind */
    unsigned char signal[EM_INIT_SIGNALS + 1]; /* what is passed on for each; 0: nothing */
    unsigned char code[256];                   /* what each exit code is passed on as */
    const int *earlier; /* children from before the service, which are left alone */
    size_t earlier_n;
    char *complaint; /* the line for what can't be killed; none has the length 0 */
    size_t complaint_length;
    int complaint_time; /* where in it the time is, as 2026-11-24T18:58:14.123Z; -1: nowhere */
    const char *lowest; /* of the stack that the process was started with, this and all above is
                              kept: the words and the environment, which ps(1) shows */
};

/* Until the service and what it has left behind have ended: its exit code, or 128 + the signal that
 * ended it, as `code` has it. */
int em_init_run(struct em_init *init);

/* The same, after which the process ends, with all memory given back but `room`, in which `init` and
 * all that it points to lie, at its end; what is before `init` is the stack. `page` is the kernel's
 * page size. */
_Noreturn void em_init_alone(struct em_init *init, void *room, size_t size, size_t page);

#endif
