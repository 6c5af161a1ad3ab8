/* Children and signals, as they come. */
#ifndef EMBARK_INIT_WATCH_H
#define EMBARK_INIT_WATCH_H

#include "embark/init/init.h"

struct watch {
    struct em_init *init;
    bool done;      /* the service has ended */
    int status;     /* then, as of waitpid(2) */
    int stopped_by; /* the signal that stopped it last */
};

/* Everything that has ended is reaped, as SIGCHLD doesn't tell how many there are. */
void reap(struct watch *watch);

/* The next signal, at most until `until`; 0: none came, or SIGCHLD, after which children were
 * reaped. */
int next_signal(struct watch *watch, int64_t until);
#define NEVER INT64_MAX

#endif
