#include "embark/os/loop/refused.h"

#include <errno.h>
#include <string.h>

/* Process-wide by nature: the system refuses the process. */
static int refused;

void em_refusal(int error)
{
    if (!refused && (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS))
        refused = error;
}

const char *em_why(int error)
{
    em_refusal(error);
    return strerror(error);
}

int em_refused(void)
{
    return refused;
}
