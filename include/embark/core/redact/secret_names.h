/* Whether a name, of a variable or an option, is one of a secret.
 *
 * A name sounds secret if one of its words (APP_TOKEN, apiKey, db-pass) is password, passphrase,
 * pass, pwd, secret, token, key, credential, dsn, salt or the like, or ends with one (PGPASSWORD,
 * privatekey; not monkey). A name that ends in FILE, PATH or DIR is one of a place. Rather too many
 * names than too few.
 */
#ifndef EMBARK_CORE_REDACT_SECRET_NAMES_H
#define EMBARK_CORE_REDACT_SECRET_NAMES_H

#include <stdbool.h>
#include <stddef.h>

bool em_is_secret_name(const char *name, size_t length);

#endif
