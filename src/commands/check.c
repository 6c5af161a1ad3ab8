/* check: what needs no database. */
#include <string.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/commands/steps.h"
#include "embark/os/clock.h"
#include "embark/os/log.h"
#include "embark/stages/service.h"

int em_command_check(const struct em_call *call)
{
    struct em_steps steps;
    struct em_list service = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    char *const *argv;
    if (em_service_words(call, &argv, &service, &err) != 0)
        return em_said(NULL, &err);
    int code = em_steps_start(&steps, call->config, true);
    if (code == 0)
        code = em_step_check(&steps, argv ? &service : NULL, NULL);
    if (code == 0)
        em_steps_say(&steps, "check: all is there, in ", NULL);
    em_steps_end(&steps);
    return code;
}
