/* Who this replica is. */
#ifndef EMBARK_OS_MACHINE_HOST_H
#define EMBARK_OS_MACHINE_HOST_H

#include "embark/core/base/str.h"

/* The host's name (in Docker: the container's id or --hostname; in Kubernetes: the pod's name), "?"
 * where uname(2) says nothing. */
void em_host_name(struct em_str *out);

/* "embark:WHAT HOST", at most 63 bytes (PostgreSQL cuts application_name at NAMEDATALEN - 1): how
 * others see our connections. */
void em_application_name(const char *what, struct em_str *out);

#endif
