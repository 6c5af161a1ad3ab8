/* The steps in their order (embark(1), "Order of the steps"). */
#include "embark/start/context.h"

int em_start_all_steps(struct em_start *steps, const struct em_list *service)
{
    int code = em_start_check(steps, service, NULL);
    if (code == 0)
        code = em_start_wait(steps);
    if (code == 0)
        code = em_start_migrate(steps);
    return code;
}
