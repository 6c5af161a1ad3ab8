#include "embark/stages/service/exec.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "embark/db/connection.h"
#include "embark/os/exec/find.h"
#include "embark/os/loop/loop.h"

static int name_key(const struct em_config *config, struct em_err *err)
{
    if (err->code)
        em_context(err, "%s: [service] user = %s", config->origin[EM_AT_service_user],
                   config->service_user);
    return err->code;
}

int em_service_user(const struct em_config *config, struct em_user *user, struct em_err *err)
{
    *user = (struct em_user){0};
    if (!config->service_user || !*config->service_user)
        return 0;
    if (em_user_find(config->service_user, user, err) == 0)
        em_db_local_user(user->name);
    return name_key(config, err);
}

struct em_db_login em_service_login(const struct em_config *config)
{
    return (struct em_db_login){.user = config->database_user,
                                .password = config->database_password,
                                .user_at = config->origin[EM_AT_database_user],
                                .password_at = config->origin[EM_AT_database_password]};
}

int em_service_become(const struct em_config *config, const struct em_user *user,
                      struct em_err *err)
{
    if (!user->name)
        return 0;
    em_user_become(user, err);
    return name_key(config, err);
}

int em_service_exec(char *const *argv, int death_signal, struct em_err *err)
{
    EM_STR_AUTO file = EM_STR_INIT;
    int code = em_exec_find(argv[0], getenv("PATH"), &file, err);
    if (code)
        return code;
    em_loop_drain();
    if (em_loop_stopped())
        return em_fail_stopped(err);
    em_reaper_stop();
    if (!em_loop_restore_for_exec()) {
        code = em_fail_errno(err, EM_EXIT_SYSTEM, "can't give signals back for %s", argv[0]);
        em_loop_retake();
        return code;
    }
    if (death_signal) /* one that embark was given by whoever started it is kept */
        em_parent_signal(death_signal);
    /* Every descriptor of embark's is close-on-exec. */
    execve(em_str_c(&file), argv, environ);
    int error = errno;
    if (death_signal)
        em_parent_signal(0);
    em_loop_retake();
    if (error == ENOMEM || error == E2BIG || error == EAGAIN || error == EMFILE ||
        error == ENFILE) {
        errno = error;
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't execute %s", argv[0]);
    }
    return em_exec_explain(argv[0], em_str_c(&file), error, err);
}

int em_service_check(char *const *argv, struct em_err *err)
{
    EM_STR_AUTO file = EM_STR_INIT;
    int code = em_exec_find(argv[0], getenv("PATH"), &file, err);
    return code ? code : em_exec_check(em_str_c(&file), err);
}
