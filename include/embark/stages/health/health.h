/* The healthcheck: is embark through, and does the service answer?
 *
 * Whether it is through is told by the titles of the container's processes (os/machine/phase.h).
 */
#ifndef EMBARK_STAGES_HEALTH_HEALTH_H
#define EMBARK_STAGES_HEALTH_HEALTH_H

#include "embark/core/config/config.h"

enum em_health_scope {
    EM_HEALTH_START, /* whether the service was started */
    EM_HEALTH_LIVE,  /* and answers; the database's outage isn't the service's, and a restart would
                        not mend it */
    EM_HEALTH_READY, /* and can reach its database, if [health] database says so */
};

/* 0: healthy, and `line` says what was seen. Otherwise err says why not, in one line. `target`
 * (NULL allowed) takes the place of [health] http and tcp. All of it ends within [health] timeout.
 * EM_EXIT_CONFIG: a malformed target. */
int em_health(const struct em_config *config, enum em_health_scope scope, const char *target,
              struct em_str *line, struct em_err *err);

/* "200" or "200-399" from 100 to 999. False: malformed. */
bool em_health_status(const char *text, int *from, int *to);

#endif
