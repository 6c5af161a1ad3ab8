/* The configuration file, line by line: which values of which keys it holds, and what is wrong with
 * its lines.
 *
 * What the values mean is the business of core/config/value.h.
 */
#ifndef EMBARK_CORE_CONFIG_FILE_H
#define EMBARK_CORE_CONFIG_FILE_H

#include "embark/core/config/config.h"

/* One value, neither expanded nor checked. A repeatable key has one for each line, a command's
 * lines are joined. */
struct em_entry {
    const struct em_key *key;
    size_t line; /* the first, counted from 1 */
    struct em_str text;
};

struct em_entries {
    struct em_entry *v; /* in the order of their lines */
    size_t n;
    struct em_errs mistakes; /* without their place; as many as EM_CONFIG_MISTAKES, then the rest of
                                the file isn't read */
    size_t *lines;           /* of the mistakes, ascending */
};

/* Fills `entries`, which starts as zeroes and is released by em_entries_free(), which zeroes the
 * values first. */
void em_config_read(const char *bytes, size_t length, struct em_entries *entries);
void em_entries_free(struct em_entries *entries);

#endif
