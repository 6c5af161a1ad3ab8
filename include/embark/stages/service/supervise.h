/* [service] init = yes: embark stays, as process 1 or beside whoever started it, and the service is
 * its child. embark-init(7).
 *
 * What the service gets is what it would get from exec: signal mask and dispositions, working
 * directory, environment (LISTEN_PID, where it was embark's, is the service's, sd_listen_fds(3)),
 * descriptors, which embark then closes. It leads a process group of its own, which is in the
 * foreground of the terminal if embark's was; at the other end of a pipeline only once it is
 * stopped for want of it.
 *
 * - Every signal but KILL, STOP, CHLD, TTIN, TTOU and, without a terminal, TSTP is passed on to the
 *   group, and to the service where it has left the group; as another one where remap_signal says so,
 *   which TTIN, TTOU and TSTP are, too, then.
 * - Orphans become embark's, and are reaped: as process 1 or as a subreaper (prctl(2)).
 * - When the terminal stops the service, embark stops itself with its own process group, so that
 *   the shell above sees the job stopped; when it is continued, so is the service. Where there is
 *   no such shell, as in a container, the service goes on at once.
 * - When the service has ended, what is left of the group, and what has left it and become embark's
 *   orphan, gets TERM and, after [service] grace, KILL. Signals are for the service, and aren't
 *   passed on any more; a second TERM, INT or QUIT ends the grace.
 */
#ifndef EMBARK_STAGES_SERVICE_SUPERVISE_H
#define EMBARK_STAGES_SERVICE_SUPERVISE_H

#include "embark/core/config/config.h"

/* Says what is wrong with [service] remap_exit, remap_signal and pdeathsig; a map that has no effect
 * is a warning. True: nothing is wrong. */
bool em_supervise_validate(const struct em_config *config, struct em_errs *errs,
                           struct em_errs *warnings);

/* Starts it, and is its init (init/init.h) to its end: then the process ends with its exit code or
 * 128 + the signal that ended it, as remap_exit has it (`death_signal` as for em_service_exec). In
 * the tests' glibc programs it returns 0 and that in *code. Or why it was not started:
 * EM_EXIT_NOT_FOUND, EM_EXIT_NOT_EXECUTABLE, EM_EXIT_SYSTEM, 128 + n when a signal asked to end
 * before. */
int em_supervise(const struct em_config *config, char *const *argv, int death_signal, int *code,
                 struct em_err *err);

#endif
