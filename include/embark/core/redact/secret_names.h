/* What is secret by its name: in the environment, and in the words of a command.
 *
 * A name sounds secret if one of its words (APP_TOKEN, apiKey, db-pass) is password, passphrase,
 * pass, pwd, secret, token, key, credential, dsn, salt or the like, or ends with one (PGPASSWORD,
 * privatekey; not monkey). A name that ends in FILE, PATH or DIR is one of a place. Rather too many
 * names than too few.
 */
#ifndef EMBARK_CORE_REDACT_SECRET_NAMES_H
#define EMBARK_CORE_REDACT_SECRET_NAMES_H

#include "embark/core/redact/secrets.h"

bool em_is_secret_name(const char *name, size_t length);

/* Adds the values of variables whose names sound secret, and the passwords in URLs and
 * keyword=value strings of any variable. Left out are values that say nothing and stand everywhere:
 * short ones, well-known words, paths. `env`: NAME=VALUE, ended by NULL; may be NULL. */
void em_secrets_of_pair(const char *pair, struct em_secrets *secrets); /* of one of them */
void em_secrets_of_environment(char *const *env, struct em_secrets *secrets);

/* A command's secrets: the values of options (--password VALUE, --api-key=VALUE, -p VALUE, -pVALUE,
 * -W…, -u USER:VALUE), of assignments (PGPASSWORD=VALUE, -Ddb.password=VALUE), of headers, and the
 * passwords of URLs; also in words that are scripts (sh -c '…'). Reading a script takes a shell:
 * what looks like one of these is taken for it. `argv` ends with NULL; may be NULL. */
void em_secrets_of_command(char *const *argv, struct em_secrets *secrets);

/* Adds the words, a blank between them, each of these values as ****; with `quoted`, as a shell
 * would read them. */
void em_command_print(char *const *argv, bool quoted, struct em_str *out);

#endif
