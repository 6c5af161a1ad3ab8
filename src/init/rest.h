/* What the service has left behind when it has ended. */
#ifndef EMBARK_INIT_REST_H
#define EMBARK_INIT_REST_H

#include "watch.h"

/* TERM, a grace, KILL for what is left of the group and what has left it. */
void end_rest(struct watch *watch);

#endif
