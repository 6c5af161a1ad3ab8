/* Whether a start of this container is still going on, by the titles of its processes.
 *
 * While embark starts up, its title is embark:PHASE (os/process/spawn.h); the service's exec
 * replaces it. So /proc tells, with no file written, whether the service runs. Looked at is PID 1,
 * and where embark isn't that (docker run --init, s6, a PID namespace that is shared or the host's)
 * every process of this container:
 *
 * - it has our mount namespace, or, where the kernel doesn't let us look (another user's process),
 *   our cgroups;
 * - it descends from PID 1, if that is of this container: what docker exec or kubectl exec brings
 *   in, such as an operator's `embark migrate`, is no start.
 */
#ifndef EMBARK_OS_MACHINE_PHASE_H
#define EMBARK_OS_MACHINE_PHASE_H

#include <stdbool.h>
#include <sys/types.h>

#include "embark/core/base/str.h"

/* True: the process `pid` is in `phase` ("wait", "bootstra": a title has 15 bytes). */
bool em_phase_find(pid_t *pid, struct em_str *phase);
/* What embark does in a phase, as a clause: "it waits for the migration lock". */
const char *em_phase_what(const char *phase);
/* Its whole name: "bootstrap" of "bootstra". */
const char *em_phase_name(const char *phase);
/* Whether we come from outside of the PID namespace, as by docker exec: we don't descend from its
 * PID 1. In one that several containers share, that goes for each of them but the first one. */
bool em_phase_entered_by_exec(void);
/* Whether a process is of this container; one that has ended isn't. */
bool em_phase_ours(pid_t pid);

#endif
