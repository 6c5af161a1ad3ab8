/* exec of the service (embark(1), THE SERVICE). */
#ifndef EMBARK_STAGES_SERVICE_H
#define EMBARK_STAGES_SERVICE_H

#include "embark/core/err.h"

/* Becomes the service: same process, the signal mask and dispositions that embark was given, no
 * descriptor of embark's, environment untouched (but LISTEN_PID stays right since the process is
 * the same). Returns only on failure: EM_EXIT_NOT_FOUND, EM_EXIT_NOT_EXECUTABLE, EM_EXIT_SYSTEM
 * (E2BIG…), 128 + n when a stop signal was pending. */
int em_service_exec(char *const *argv, struct em_err *err);
/* The same look-up without the exec: what exec would say. For the check. */
int em_service_check(char *const *argv, struct em_err *err);

#endif
