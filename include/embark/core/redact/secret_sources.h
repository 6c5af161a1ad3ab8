/* The secrets of an environment's variables. */
#ifndef EMBARK_CORE_REDACT_SECRET_SOURCES_H
#define EMBARK_CORE_REDACT_SECRET_SOURCES_H

#include "embark/core/redact/secrets.h"

/* Adds the values of variables whose names sound secret, and the passwords in URLs and
 * keyword=value strings of any variable. Left out are values that say nothing and stand everywhere:
 * short ones, well-known words, paths. `env`: NAME=VALUE, ended by NULL; may be NULL. */
void em_secrets_of_pair(const char *pair, struct em_secrets *secrets); /* of one of them */
void em_secrets_of_environment(char *const *env, struct em_secrets *secrets);

#endif
