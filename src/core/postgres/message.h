/* Inside of core: the parts of a message that libpq printed with PQERRORS_VERBOSE, for sqlstate.c
 * and sqlstate_brief.c. sqlstate.h tells what attempts are.
 */
#ifndef EMBARK_CORE_POSTGRES_MESSAGE_H
#define EMBARK_CORE_POSTGRES_MESSAGE_H

#include "embark/core/base/str.h"

/* A stretch of the message, which must outlive it; nothing is copied. `at` is never NULL. */
struct em_span {
    const char *at;
    size_t len;
};

struct em_span em_span(const char *text); /* the whole of `text`; NULL is "" */
bool em_span_equal(struct em_span a, struct em_span b);
bool em_span_starts(struct em_span s, const char *prefix);
const char *em_span_find(struct em_span s,
                         const char *needle);   /* where it starts in `s`, or NULL */
void em_span_skip(struct em_span *s, size_t n); /* n <= s->len */
struct em_span em_span_line(
    struct em_span *rest); /* takes the first line, without its newline, off */

/* One try of libpq at one address. */
struct em_attempt {
    struct em_span target; /* `"db" (10.0.0.2), port 5432`, or empty: the text names it itself */
    struct em_span text;   /* what went wrong, several lines */
    bool fell_back;        /* and the same again without TLS, with nothing new to say */
};

/* Takes the next attempt off `rest`; false at the end. */
bool em_attempt_take(struct em_span *rest, struct em_attempt *a);

/* The first SQLSTATE of an attempt, or "". */
bool em_attempt_state(const struct em_attempt *a, char sqlstate[6]);

/* The length of "FATAL:  28P01: " at the start of `line`, 0 if it isn't there. */
size_t em_state_prefix(struct em_span line);

/* Whether `line` is one of those that stand below the first line of a server's message. *shown is
 * its label
 * ("DETAIL:  ") if people want to see it, else NULL. */
bool em_message_label(struct em_span line, const char **shown);

#endif
