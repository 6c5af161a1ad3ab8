/* Ends a process group if embark is killed.
 *
 * PR_SET_PDEATHSIG reaches a child of ours and none of its children: a shell dies, and the
 * migration that it runs goes on without the lock. The keeper is a forked process that waits for
 * embark's end, and has all that embark has open until the group is gone: so the server keeps the
 * lock, too, until nothing of the migration is left on this machine. It can't help where it is
 * killed as well, but then a container's end takes all of them.
 */
#ifndef EMBARK_OS_PROCESS_KEEPER_H
#define EMBARK_OS_PROCESS_KEEPER_H

#include "embark/os/loop/loop.h"

struct em_keeper {
    int fd; /* our end of the pipe that the keeper reads; -1: there is none */
    struct em_child child;
};
#define EM_KEEPER_INIT \
    {                  \
        .fd = -1       \
    }

/* Before the group is started. Where fork fails, there is no keeper, and no error. */
void em_keeper_start(struct em_keeper *keeper);
/* From now on, that group. */
void em_keeper_watch(struct em_keeper *keeper, pid_t group);
/* The group has ended: so does the keeper. */
void em_keeper_end(struct em_keeper *keeper);

#endif
