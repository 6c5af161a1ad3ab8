/* exec of the service (embark-init(7)). */
#ifndef EMBARK_STAGES_SERVICE_EXEC_H
#define EMBARK_STAGES_SERVICE_EXEC_H

#include "embark/core/config/config.h"
#include "embark/os/process/user.h"

/* Becomes the service: same process, the signal mask and dispositions that embark was given, no
 * descriptor of embark's, environment untouched (but LISTEN_PID stays right since the process is
 * the same). Returns only on failure: EM_EXIT_NOT_FOUND, EM_EXIT_NOT_EXECUTABLE, EM_EXIT_SYSTEM
 * (E2BIG…), 128 + n when a stop signal was pending. `death_signal` is what it gets when its parent
 * ends, 0: nothing. */
int em_service_exec(char *const *argv, int death_signal, struct em_err *err);
/* The same look-up without the exec: what exec would say. For the check. */
int em_service_check(char *const *argv, struct em_err *err);

/* [service] user, by the image's files; nothing is set in `user` where there is none. From then on
 * it is for that user that em_db_target() looks for targets. EM_EXIT_CONFIG. */
int em_service_user(const struct em_config *config, struct em_user *user, struct em_err *err);

/* This process becomes that user, if there is one, for good. EM_EXIT_CONFIG: it may not. */
int em_service_become(const struct em_config *config, const struct em_user *user,
                      struct em_err *err);

/* [database] user and password. */
struct em_db_login em_service_login(const struct em_config *config);

#endif
