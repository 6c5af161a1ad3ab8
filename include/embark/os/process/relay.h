/* A child's output on its way to stderr: passed on in whole lines as it comes, secrets taken out,
 * the last lines kept.
 *
 * What a terminal would obey is escaped (em_escape_output()).
 *
 * A line without an end (a progress dot) is passed on after a quarter of a second, or when it is
 * long, but for what may be the beginning of a secret (core/redact/redactor.h); the log's own lines
 * then start on a new line.
 */
#ifndef EMBARK_OS_PROCESS_RELAY_H
#define EMBARK_OS_PROCESS_RELAY_H

#include "embark/core/base/time.h"
#include "embark/core/redact/redactor.h"

#define EM_RELAY_LINES      20
#define EM_RELAY_LINE_BYTES 1000 /* of a kept line; the rest is cut */

struct em_relay {
    int fd;                      /* to read from; -1 once it ended */
    struct em_redactor redactor; /* what was not passed on yet */
    bool fresh;                  /* something came since the last time that all was passed on */
    em_time partial_due;         /* when a line that has not ended is passed on all the same;
                                    EM_NEVER: there is none */
    struct em_str begun;         /* a character of which not all bytes have come, or a colour */
    bool coloured;               /* what was passed on last */
    struct em_str line;          /* the one that is being passed on, secrets taken out */
    struct em_list kept;         /* the last EM_RELAY_LINES lines, likewise */
};

/* Opens the pipe. *child_end (close-on-exec) is for the child's 1 and 2, and to be closed after the
 * spawn. False: errno. */
bool em_relay_open(struct em_relay *relay, int *child_end);
/* The descriptor is readable, or em_relay_due() came: reads what is there without blocking. */
void em_relay_pump(struct em_relay *relay);
em_time em_relay_due(const struct em_relay *relay);
/* The child is gone: what is still in the pipe, and an unfinished line. Processes that still hold
 * the other end are not waited for. */
void em_relay_finish(struct em_relay *relay);
void em_relay_free(struct em_relay *relay);
/* The kept lines, joined by newlines. */
void em_relay_tail(const struct em_relay *relay, struct em_str *out);

#endif
