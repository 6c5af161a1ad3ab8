/* The secrets in a command's words. */
#ifndef EMBARK_CORE_REDACT_COMMAND_SECRETS_H
#define EMBARK_CORE_REDACT_COMMAND_SECRETS_H

#include "embark/core/redact/secrets.h"

/* A command's secrets: the values of options (--password VALUE, --api-key=VALUE, -p VALUE, -pVALUE,
 * -W…, -u USER:VALUE), of assignments (PGPASSWORD=VALUE, -Ddb.password=VALUE), of headers, and the
 * passwords of URLs; also in words that are scripts (sh -c '…'). Reading a script takes a shell:
 * what looks like one of these is taken for it. `argv` ends with NULL; may be NULL. */
void em_secrets_of_command(char *const *argv, struct em_secrets *secrets);

/* Adds the words, a blank between them, each of these values as ****; with `quoted`, as a shell
 * would read them. */
void em_command_print(char *const *argv, bool quoted, struct em_str *out);

#endif
