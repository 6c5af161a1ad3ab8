/* Whether somebody accepts connections: many places at the same time, for those who look rather
 * than wait. */
#ifndef EMBARK_OS_NET_PROBE_H
#define EMBARK_OS_NET_PROBE_H

#include "embark/core/base/err.h"
#include "embark/core/base/time.h"

struct em_probe {
    const char *address; /* numeric; or a unix socket: its path, or "@NAME", an abstract one */
    const char *port;    /* of an address; NULL for a socket */
    int error;    /* 0: accepts connections; else an errno: ETIMEDOUT for no answer by the deadline,
                     ENAMETOOLONG for a path that doesn't fit */
    em_time took; /* until that was known */
    int fd;       /* internal */
};

/* Tries all of them and closes what is opened; some dozens at once, those that are more have a
 * share of the time each. 0, or 128 + n. */
int em_probe(struct em_probe *probes, size_t count, em_time until, struct em_err *err);

#endif
