/* The one writer of what embark says: stderr, whole lines, one write(2) each.
 *
 * Text: "embark: STEP: text", and "  hint: text" on a line of its own, both after
 * "2026-11-24T18:58:14.123Z " if timestamps are asked for. Json: one object a line with time
 * (always), level, step, message, hint and, where given, code; a migration's lines have stream and
 * line for message. Bytes that are not printable are
 * escaped (core/redact/secrets.h em_escape) and secrets taken out; nothing reaches stderr by
 * another way. A closed or full stderr loses the line and nothing else; how many lines were lost is
 * said where they would stand, once somebody reads again.
 *
 * A line and its hint go out in one write(2), so that lines of several processes don't mix in a
 * pipe. The kernel promises that up to PIPE_BUF, 4096 bytes; a longer one is written as a whole,
 * too, if the pipe has room for it, and else in parts, as a write that waits for a reader could not
 * be stopped.
 *
 * The log is process-wide: it must work in every error path, also before there is a configuration
 * (text, level info).
 */
#ifndef EMBARK_OS_LOG_LOG_H
#define EMBARK_OS_LOG_LOG_H

#include "embark/core/base/err.h"
#include "embark/core/redact/secrets.h"

enum em_level {
    EM_LOG_INFO,
    EM_LOG_ERROR,
    EM_LOG_WARN,
    EM_LOG_DEBUG
}; /* the order of [log] level's words */
enum em_log_format { EM_LOG_TEXT, EM_LOG_JSON };

void em_log_setup(enum em_log_format format, enum em_level least, bool timestamps);
struct em_secrets *em_log_secrets(void); /* add what must not be shown, as soon as it is known */

/* `step` is "wait", "migrate"… or NULL. */
void em_log(enum em_level level, const char *step, const char *format, ...) EM_PRINTF(3, 4);
void em_log_hint(enum em_level level, const char *step, const char *hint, const char *format, ...)
    EM_PRINTF(4, 5);
void em_log_err(enum em_level level, const char *step, const struct em_err *err);

/* The line that em_log() would write, for who writes it later without embark; *time_at is where in it
 * the time stands, -1: nowhere. False: this level isn't logged. */
bool em_log_line(enum em_level level, const char *step, const char *text, struct em_str *line,
                 int *time_at);

size_t em_log_warnings(void); /* how many were logged so far, shown or not */

/* Somebody else who hears what is logged, until the next call; NULL: nobody. True: the line is
 * taken, and not written. Levels aren't left out; texts are neither redacted nor escaped. */
typedef bool (*em_log_sink)(void *ctx, enum em_level level, const char *step, const char *text,
                            const char *hint, int code);
void em_log_listen(em_log_sink ear, void *ctx);

/* From now on keeps what is logged, as text with timestamps, whatever the format and at whatever
 * level but debug, which is kept only where it is written: at most `limit` bytes, the newest ones.
 * Not a child's output: it may hold secrets that embark doesn't know. 0: forgets it. */
void em_log_keep(size_t limit);
const struct em_str *em_log_kept(void);

/* Lines for standard output, for the commands whose result is a text for people: secrets are taken
 * out, and all but the newlines is escaped. False: it can't be written. */
bool em_show(const struct em_str *text);

/* Bytes of a child, as they are. The log remembers whether they ended in the middle of a line: its
 * own next line then starts on a new one. */
void em_log_raw(const char *bytes, size_t length);
void em_log_end_line(void); /* ends a child's line that has no end, if there is one */

enum em_log_format em_log_format(void);
/* A line of a child's, secrets taken out, as an object of the log: time, level (info, and said at
 * any level), step, stream, line. `partial`: it goes on in the stream's next object. */
void em_log_output(const char *step, const char *stream, const char *text, size_t length,
                   bool partial);

#endif
