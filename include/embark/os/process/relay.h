/* A child's output on its way to stderr: passed on in whole lines as it comes, secrets taken out,
 * the last lines kept.
 *
 * Text: the child has one pipe for both of its streams, so that the order of its lines is kept.
 * What a terminal would obey is escaped (em_escape_output()). A line without an end (a progress
 * dot) is passed on after a quarter of a second, or when it is long, but for what may be the
 * beginning of a secret (core/redact/redactor.h); the log's own lines then start on a new line.
 *
 * Json: a pipe for each stream, and each line is an object of the log (em_log_output()). A line
 * without an end is passed on after five seconds, or when it has more than 8 KiB, and is marked so.
 */
#ifndef EMBARK_OS_PROCESS_RELAY_H
#define EMBARK_OS_PROCESS_RELAY_H

#include <poll.h>

#include "embark/core/base/time.h"
#include "embark/core/redact/redactor.h"

#define EM_RELAY_LINES      20
#define EM_RELAY_LINE_BYTES 1000 /* of a kept line; the rest is cut */

struct em_relay_stream {
    int fd;                      /* to read from; -1 once it ended, or where there is none */
    const char *name;            /* of its objects, "stdout" or "stderr"; NULL: passed on as text */
    struct em_redactor redactor; /* what was not passed on yet */
    bool fresh;                  /* something came since the last time that all was passed on */
    em_time partial_due;         /* when a line that has not ended is passed on all the same;
                                    EM_NEVER: there is none */
    struct em_str begun;         /* a character of which not all bytes have come, or a colour; of an
                                    object all of the line that was not passed on */
    bool coloured;               /* what was passed on last */
    struct em_str line;          /* the one that is being passed on, secrets taken out */
};

enum { EM_RELAY_STREAMS = 2 };

struct em_relay {
    struct em_relay_stream streams[EM_RELAY_STREAMS];
    struct em_list kept; /* the last EM_RELAY_LINES lines, secrets taken out */
};

/* Opens the pipes. The child's ends (close-on-exec), for its 1 and its 2, may be the same; they are
 * to be closed after the spawn: em_relay_close_ends(). `logs`: what it writes to its 2 are lines of
 * this log already. False: errno, and nothing is open. */
bool em_relay_open(struct em_relay *relay, bool logs, int child_ends[2]);
void em_relay_close_ends(int child_ends[2]);
/* What is to be waited for; NULL: nothing. */
void em_relay_poll(const struct em_relay *relay, struct pollfd fds[EM_RELAY_STREAMS]);
/* A descriptor is readable, or em_relay_due() came: reads what is there without blocking. */
void em_relay_pump(struct em_relay *relay);
em_time em_relay_due(const struct em_relay *relay);
/* The child is gone: what is still in the pipe, and an unfinished line. Processes that still hold
 * the other end are not waited for. */
void em_relay_finish(struct em_relay *relay);
void em_relay_free(struct em_relay *relay);
/* The kept lines, joined by newlines. */
void em_relay_tail(const struct em_relay *relay, struct em_str *out);

#endif
