#include "embark/os/log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/files/outlet.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"

#define PATIENCE EM_SEC(1)

static enum em_log_format log_format = EM_LOG_TEXT;
static enum em_level log_least = EM_LOG_INFO;
static struct em_secrets log_secrets;
static bool log_timestamps;
static size_t log_keeps; /* bytes, at most; 0: nothing */
static struct em_str log_kept;
static size_t log_warned;
static bool log_in_line; /* the line that was written last has not ended: a child's, or one that was
                            cut off */
static bool log_stuck;   /* nobody reads */
static size_t log_lost;  /* lines */
static em_log_sink log_ear;
static void *log_ear_ctx;

void em_log_setup(enum em_log_format format, enum em_level least, bool timestamps)
{
    log_format = format;
    log_least = least;
    log_timestamps = timestamps;
}

size_t em_log_warnings(void)
{
    return log_warned;
}

void em_log_listen(em_log_sink ear, void *ctx)
{
    log_ear = ear;
    log_ear_ctx = ctx;
}

enum em_log_format em_log_format(void)
{
    return log_format;
}

struct em_secrets *em_log_secrets(void)
{
    return &log_secrets;
}

/* The words of [log] level in order of weight: error, warn, info, debug. */
static int weight(enum em_level level)
{
    switch (level) {
    case EM_LOG_ERROR:
        return 0;
    case EM_LOG_WARN:
        return 1;
    case EM_LOG_DEBUG:
        return 3;
    case EM_LOG_INFO:
    default:
        return 2;
    }
}

static const char *level_name(enum em_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    return names[weight(level)];
}

/* ---- Writing ---- */

/* How many bytes were written. A slow reader is waited for, for a second: a log that nobody reads
 * must neither stop a start nor keep SIGTERM waiting, and after one line that was lost no further
 * one waits. */
static size_t push(const char *bytes, size_t length)
{
    size_t done = 0;
    em_time until = em_in(PATIENCE);
    /* It was not ready when it was given up: that it is shows that somebody reads. */
    if (log_stuck && !em_wait_apart(STDERR_FILENO, POLLOUT, em_now()))
        return 0;
    while (done < length) {
        ssize_t n = em_write_now(STDERR_FILENO, bytes + done, length - done);
        if (n > 0) {
            done += (size_t)n;
            until = em_in(PATIENCE);
        } else if (n < 0 && errno != EINTR &&
                   (errno != EAGAIN || em_now() >= until ||
                    !em_wait_apart(STDERR_FILENO, POLLOUT, until))) {
            break;
        }
    }
    log_stuck = done < length;
    return done;
}

static void put(const char *bytes, size_t length)
{
    size_t done = push(bytes, length);
    /* An end of the line before is no line. */
    const char *at = bytes + done + (done == 0 && length && log_in_line && *bytes == '\n');
    if (done)
        log_in_line = bytes[done - 1] != '\n';
    for (const char *end = bytes + length; at < end; log_lost++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
}

static void put_line(struct em_str *line);
static void add_line(struct em_str *line, enum em_level level, const char *step, const char *text,
                     const char *hint, int code);

/* At the place where they would stand. */
static void say_lost(void)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO line = EM_STR_INIT;
    size_t lost = log_lost;
    if (!lost)
        return;
    em_str_printf(&text, "%zu line%s missing here, as nobody read the log", lost,
                  lost == 1 ? " is" : "s are");
    log_lost = 0;
    add_line(&line, EM_LOG_WARN, NULL, em_str_c(&text), NULL, 0);
    if (weight(EM_LOG_WARN) <= weight(log_least))
        put_line(&line);
    if (log_lost)
        log_lost = lost; /* and that wasn't written either */
}

static void put_line(struct em_str *line)
{
    say_lost();
    if (log_in_line)
        em_str_insert(line, 0, "\n", 1);
    put(em_str_c(line), line->len);
}

bool em_show(const struct em_str *text)
{
    EM_STR_WIPED clean = EM_STR_INIT;
    EM_STR_AUTO shown = EM_STR_INIT;
    em_str_add(&clean, em_str_c(text), text->len);
    em_redact(&log_secrets, &clean);
    em_escape_lines(&shown, em_str_c(&clean), clean.len);
    return em_put(STDOUT_FILENO, em_str_c(&shown), shown.len);
}

void em_log_raw(const char *bytes, size_t length)
{
    if (!length)
        return;
    say_lost();
    put(bytes, length);
}

void em_log_end_line(void)
{
    if (log_in_line)
        em_log_raw("\n", 1);
}

static void add_escaped(struct em_str *line, const char *text)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    em_str_puts(&clean, text);
    em_redact(&log_secrets, &clean);
    em_escape(line, em_str_c(&clean), clean.len);
}

/* Escaped text is printable UTF-8 only. */
static void add_json_escaped(struct em_str *line, const struct em_str *escaped)
{
    for (const char *p = em_str_c(escaped); *p; p++) {
        if (*p == '"' || *p == '\\')
            em_str_putc(line, '\\');
        em_str_putc(line, *p);
    }
}

static void add_json(struct em_str *line, const char *name, const char *text)
{
    EM_STR_AUTO plain = EM_STR_INIT;
    if (!text)
        return;
    add_escaped(&plain, text);
    em_str_printf(line, ",\"%s\":\"", name);
    add_json_escaped(line, &plain);
    em_str_putc(line, '"');
}

#define JSON_TIME "{\"time\":\""

static void begin_json(struct em_str *line, enum em_level level, const char *step)
{
    em_str_puts(line, JSON_TIME);
    em_wall_print(em_wall_now(), line);
    em_str_printf(line, "\",\"level\":\"%s\"", level_name(level));
    add_json(line, "step", step);
}

static void add_json_line(struct em_str *line, enum em_level level, const char *step,
                          const char *text, const char *hint, int code)
{
    begin_json(line, level, step);
    add_json(line, "message", text);
    add_json(line, "hint", hint && *hint ? hint : NULL);
    if (code)
        em_str_printf(line, ",\"code\":%d", code);
    em_str_puts(line, "}\n");
}

void em_log_output(const char *step, const char *stream, const char *text, size_t length,
                   bool partial)
{
    EM_STR_AUTO line = EM_STR_INIT;
    begin_json(&line, EM_LOG_INFO, step);
    add_json(&line, "stream", stream);
    em_str_puts(&line, ",\"line\":\"");
    while (length) { /* JSON has tabs of its own */
        const char *tab = memchr(text, '\t', length);
        size_t n = tab ? (size_t)(tab - text) : length;
        EM_STR_AUTO plain = EM_STR_INIT;
        em_escape(&plain, text, n);
        add_json_escaped(&line, &plain);
        em_str_puts(&line, tab ? "\\t" : "");
        text += n + (tab != NULL);
        length -= n + (tab != NULL);
    }
    em_str_puts(&line, partial ? "\",\"partial\":true}\n" : "\"}\n");
    put_line(&line);
}

/* What says how bad a line is. PostgreSQL's own messages have a word of theirs, and "not healthy"
 * is one. */
static const char *severity_word(enum em_level level, const char *step)
{
    if (step && (strcmp(step, "sql") == 0 || strcmp(step, "not healthy") == 0))
        return NULL;
    return level == EM_LOG_ERROR ? "error" : level == EM_LOG_WARN ? "warning" : NULL;
}

/* no-color.org: set and not empty means none. */
static bool has_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return (!no || !*no) && term && *term && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO);
}

static void add_severity(struct em_str *line, enum em_level level, const char *step, bool coloured)
{
    const char *word = severity_word(level, step);
    const char *colour = level == EM_LOG_ERROR ? "\033[31m" : "\033[33m";
    if (word)
        em_str_printf(line, "%s%s:%s ", coloured ? colour : "", word, coloured ? "\033[0m" : "");
}

/* Both lines have the time, so that sorting them by it, or looking for it, finds both. */
static void add_text(struct em_str *line, enum em_level level, bool seen, const char *step,
                     const char *text, const char *hint)
{
    EM_STR_AUTO time = EM_STR_INIT;
    if (!seen || log_timestamps) {
        em_wall_print(em_wall_now(), &time);
        em_str_putc(&time, ' ');
    }
    em_str_printf(line, "%sembark: ", em_str_c(&time));
    add_severity(line, level, step, seen && has_colour());
    if (step) {
        add_escaped(line, step);
        em_str_puts(line, ": ");
    }
    add_escaped(line, text);
    em_str_putc(line, '\n');
    if (hint && *hint) {
        em_str_printf(line, "%s  hint: ", em_str_c(&time));
        add_escaped(line, hint);
        em_str_putc(line, '\n');
    }
}

/* ---- What is kept of it ---- */

void em_log_keep(size_t limit)
{
    log_keeps = limit;
    if (!limit)
        em_str_free(&log_kept);
}

const struct em_str *em_log_kept(void)
{
    return &log_kept;
}

/* The oldest half goes, so that a long start doesn't shift all of it for each line. */
static void drop_oldest(void)
{
    const char *half = log_kept.data + log_kept.len / 2;
    const char *end = memchr(half, '\n', (size_t)(log_kept.data + log_kept.len - half));
    struct em_str rest = EM_STR_INIT;
    if (end)
        em_str_add(&rest, end + 1, (size_t)(log_kept.data + log_kept.len - end - 1));
    em_str_free(&log_kept);
    log_kept = rest;
}

static void keep(enum em_level level, const char *step, const char *text, const char *hint)
{
    EM_STR_AUTO line = EM_STR_INIT;
    add_text(&line, level, false, step, text, hint);
    while (log_kept.len && log_kept.len + line.len > log_keeps)
        drop_oldest();
    if (line.len <= log_keeps)
        em_str_add(&log_kept, em_str_c(&line), line.len);
}

static void add_line(struct em_str *line, enum em_level level, const char *step, const char *text,
                     const char *hint, int code)
{
    if (log_format == EM_LOG_JSON)
        add_json_line(line, level, step, text, hint, code);
    else
        add_text(line, level, true, step, text, hint);
}

bool em_log_line(enum em_level level, const char *step, const char *text, struct em_str *line,
                 int *time_at)
{
    if (weight(level) > weight(log_least))
        return false;
    add_line(line, level, step, text, NULL, 0);
    *time_at = log_format == EM_LOG_JSON ? (int)strlen(JSON_TIME) : log_timestamps ? 0 : -1;
    return true;
}

static void write_entry(enum em_level level, const char *step, const char *text, const char *hint,
                        int code)
{
    if (log_ear && log_ear(log_ear_ctx, level, step, text, hint, code))
        return;
    bool said = weight(level) <= weight(log_least);
    log_warned += level == EM_LOG_WARN;
    if (log_keeps && (said || level != EM_LOG_DEBUG))
        keep(level, step, text, hint);
    if (!said)
        return;
    EM_STR_AUTO line = EM_STR_INIT;
    add_line(&line, level, step, text, hint, code);
    put_line(&line);
}

void em_log(enum em_level level, const char *step, const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    write_entry(level, step, em_str_c(&text), NULL, 0);
}

void em_log_hint(enum em_level level, const char *step, const char *hint, const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    write_entry(level, step, em_str_c(&text), hint, 0);
}

void em_log_err(enum em_level level, const char *step, const struct em_err *err)
{
    write_entry(level, step, em_str_c(&err->text), em_str_c(&err->hint), err->code);
}
