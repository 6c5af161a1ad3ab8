/* Inside of core: where one member of a set of secrets stands in a text, for em_redact() and
 * em_redactor_…(). */
#ifndef EMBARK_CORE_REDACT_SECRET_MATCH_H
#define EMBARK_CORE_REDACT_SECRET_MATCH_H

#include "embark/core/base/str.h"

enum { EM_SECRET_SHORT = 3 }; /* one below this many bytes is hidden only as a whole word */

/* Sets mark[i] for every byte of an occurrence that starts at `from` or behind it: as it is, or
 * with any of its bytes as %XX or, a blank, as +. `more`: the text goes on, so that a short one at
 * its end need not be a whole word. */
void em_secret_mark(const char *secret, const struct em_str *text, size_t from, bool more,
                    bool *mark);

/* How many of its bytes (at least one) `secret` begins with at `text`, if the text's end at `end`
 * comes before the secret's, or before it is known whether a short one is a whole word; else 0. */
size_t em_secret_begins(const char *secret, const char *text, const char *end);

/* Whether `n` bytes of its beginning or end say too much to be shown: 4, or half of it. */
bool em_secret_tells(const char *secret, size_t n);

#endif
