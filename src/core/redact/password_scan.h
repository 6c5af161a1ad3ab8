/* Inside of core: where a text looks as if it held a password, for em_redact(). */
#ifndef EMBARK_CORE_REDACT_PASSWORD_SCAN_H
#define EMBARK_CORE_REDACT_PASSWORD_SCAN_H

#include "embark/core/base/str.h"

/* Sets mark[i] for every byte of `text` (`length` bytes and a closing NUL) that looks as if it
 * belonged to a password:
 * "://user:PASSWORD@", "password=PASSWORD" (secrets.h has the forms). */
void em_password_scan(const char *text, size_t length, bool *mark);
/* The same for the values of all other names that sound secret (secret_names.h). */
void em_password_scan_named(const char *text, size_t length, bool *mark);

/* Where, in a line that has not ended, the URL begins that its last word is (at its colon): an @
 * that is still to come may make a password of what stands there. `length`: there is none. */
size_t em_password_scan_open_url(const char *line, size_t length);

#endif
