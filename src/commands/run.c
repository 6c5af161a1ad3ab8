/* run and wait. */
#include <string.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/core/linux/signal_name.h"
#include "embark/os/log/log.h"
#include "embark/stages/service/exec.h"
#include "embark/stages/service/supervise.h"
#include "embark/start/context.h"
#include "embark/start/report.h"

/* Everything that held a secret or memory is given back before; the service's argv lives on. */
static int start_service(struct em_start *steps, char *const *argv)
{
    const struct em_config *config = steps->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    int death_signal = config->service_pdeathsig ? em_signal_find(config->service_pdeathsig) : 0;
    int code = 0;
    if (em_loop_stopped()) {
        em_fail_stopped(&err);
        return em_log_failure(NULL, &err);
    }
    em_start_log_summary(steps, "ready in ", argv);
    em_start_report_executes(em_str_c(&steps->timings), argv);
    em_start_end(steps);
    if (!config->service_init) {
        em_service_exec(argv, death_signal, &err);
        return em_log_failure("service", &err);
    }
    if (em_supervise(config, argv, death_signal, &code, &err) != 0)
        return em_log_failure("service", &err);
    em_start_report_forget(); /* the exit code is the service's */
    return code;
}

int em_command_run(const struct em_call *call)
{
    struct em_start steps;
    struct em_list service = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    char *const *argv;
    int code = em_service_words(call, &argv, &service, &err);
    if (code)
        return em_log_failure(NULL, &err);
    if (!argv) {
        em_log_hint(
            EM_LOG_ERROR, NULL,
            "embark run COMMAND [ARG…], or [service] command in the configuration; see embark help",
            "no command to run");
        return EM_EXIT_USAGE;
    }
    code = em_start_prepare(&steps, call->config, false);
    if (code == 0)
        code = em_start_all_steps(&steps, &service);
    if (code == 0)
        code = start_service(&steps, argv);
    else
        em_start_report_steps(em_str_c(&steps.timings));
    em_start_end(&steps);
    return code;
}

int em_command_wait(const struct em_call *call)
{
    struct em_start steps;
    EM_ERR_AUTO err = EM_ERR_INIT;
    char *const *rest;
    if (em_flags(call->argv, NULL, 0, &rest, &err) != 0 || em_no_words("wait", rest, &err) != 0)
        return em_log_failure(NULL, &err);
    int code = em_start_prepare(&steps, call->config, false);
    steps.has_superuser = false; /* it waits only */
    if (code == 0 && !em_start_waits(&steps)) {
        em_fail(&err, EM_EXIT_CONFIG, "there is nothing to wait for");
        em_hint(&err, "set DATABASE_URL, PG* variables, [database] url or something in [wait]");
        code = em_log_failure("wait", &err);
    }
    if (code == 0)
        code = em_start_wait(&steps);
    if (code == 0)
        em_start_log_summary(&steps, "ready in ", NULL);
    em_start_end(&steps);
    return code;
}
