/* One key's value: from text, from its default, away with it. */
#ifndef EMBARK_CORE_CONFIG_VALUE_H
#define EMBARK_CORE_CONFIG_VALUE_H

#include "expand.h"

/* Sets the key's field from `text`, or adds to it where the key is repeatable, and sets its origin
 * to e->place; an empty one changes nothing. Mistakes are added to e->errs and leave the field as
 * it was. `verbatim`: nothing is expanded. */
void em_value_set(struct em_config *config, const struct em_key *key, const struct em_expansion *e,
                  const char *text, bool verbatim);
/* The same for a field of the key's type that stands anywhere. True: it was set or added to; false:
 * a mistake was told, or the value is empty. */
bool em_value_parse(void *field, const struct em_key *key, const struct em_expansion *e,
                    const char *text, bool verbatim);
/* Gives the field what the table says. It must be zero. */
void em_value_default(struct em_config *config, const struct em_key *key);
/* Frees the field and its origin, and makes them zero again. */
void em_value_clear(struct em_config *config, const struct em_key *key);

bool em_key_repeats(const struct em_key *key); /* LIST and NAMES */
/* [image]: what it holds comes from a file in the image as a rule, and is there to be shown. It
 * never becomes a secret. */
bool em_key_public(const struct em_key *key);

#endif
