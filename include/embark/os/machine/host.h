/* Who this replica is. */
#ifndef EMBARK_OS_MACHINE_HOST_H
#define EMBARK_OS_MACHINE_HOST_H

#include "embark/core/base/str.h"

/* The host's name (in Docker: the container's id or --hostname; in Kubernetes: the pod's name), "?"
 * where uname(2) says nothing. */
void em_host_name(struct em_str *out);

/* "embark:WHAT HOST", at most 63 bytes (PostgreSQL cuts application_name at NAMEDATALEN - 1): how
 * others see our connections. */
void em_application_name(const char *what, struct em_str *out);

/* How many processes of this machine want to run just now, for each of its processors (the fourth
 * number of /proc/loadavg, proc(5)). 0: fewer than one, or not known. */
unsigned em_host_queue(void);

/* The machine's processors, and not only those that this process may use (a cpuset), which are all
 * that sysconf(3) counts: /proc/loadavg is of all of them, too. At least 1. */
unsigned em_host_processors(void);

/* How many processors such a list names: "0-3,8" (cpuset(7)). 0: it is no such list. */
unsigned em_host_processors_in(const char *list);

#endif
