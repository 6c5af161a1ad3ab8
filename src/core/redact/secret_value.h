/* Inside of core: values that are secret by their place. */
#ifndef EMBARK_CORE_REDACT_SECRET_VALUE_H
#define EMBARK_CORE_REDACT_SECRET_VALUE_H

#include "embark/core/redact/secrets.h"

/* Whether a value can be looked for in all texts: not a short or a common one, nor a shell's
 * variable. */
bool em_secret_worth(const char *value, size_t length);

/* Adds each stretch of `text` that is marked and worth it, as it is and percent-decoded. */
void em_secrets_of_marks(const char *text, const bool *mark, size_t length,
                         struct em_secrets *secrets);

#endif
