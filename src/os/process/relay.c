#include "embark/os/process/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "embark/core/base/utf8.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"

/* A line that has not ended is passed on after so long: an object of the log should be whole. */
#define IMPATIENCE        EM_MS(250)
#define OBJECT_IMPATIENCE EM_SEC(5)
#define LONG_LINE         8192
/* Of one call, so that a child that floods its output can't keep signals and the heartbeat waiting.
 */
#define READS_PER_PUMP 16
#define READ_SIZE      8192

static void stream_init(struct em_relay_stream *stream, int fd, const char *name)
{
    *stream = (struct em_relay_stream){.fd = fd, .name = name, .partial_due = EM_NEVER};
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_NONBLOCK); /* of our end only: the child must not see EAGAIN */
}

bool em_relay_open(struct em_relay *relay, bool logs, int child_ends[2])
{
    bool objects = em_log_format() == EM_LOG_JSON;
    int one[2], two[2] = {-1, -1};
    memset(relay, 0, sizeof *relay);
    for (size_t i = 0; i < EM_RELAY_STREAMS; i++)
        stream_init(&relay->streams[i], -1, NULL);
    if (pipe2(one, O_CLOEXEC) != 0)
        return false;
    if (objects && pipe2(two, O_CLOEXEC) != 0) {
        close(one[0]);
        close(one[1]);
        return false;
    }
    stream_init(&relay->streams[0], one[0], objects ? "stdout" : NULL);
    stream_init(&relay->streams[1], two[0], objects && !logs ? "stderr" : NULL);
    child_ends[0] = one[1];
    child_ends[1] = objects ? two[1] : one[1];
    return true;
}

void em_relay_close_ends(int child_ends[2])
{
    close(child_ends[0]);
    if (child_ends[1] != child_ends[0])
        close(child_ends[1]);
}

void em_relay_poll(const struct em_relay *relay, struct pollfd fds[EM_RELAY_STREAMS])
{
    for (size_t i = 0; i < EM_RELAY_STREAMS; i++)
        fds[i] = (struct pollfd){relay ? relay->streams[i].fd : -1, POLLIN, 0};
}

static void keep_line(struct em_relay *relay, struct em_relay_stream *stream)
{
    /* The list is short: shifting it is cheaper than a ring's reader. */
    if (relay->kept.n == EM_RELAY_LINES)
        em_list_drop_first(&relay->kept);
    em_list_add(&relay->kept, em_str_c(&stream->line));
    em_str_cut(&stream->line, 0);
}

/* What was not shown yet begins at `rest`. */
static void keep_rest(struct em_relay_stream *stream, const char *rest)
{
    struct em_str kept = EM_STR_INIT;
    em_str_add(&kept, rest, (size_t)(em_str_c(&stream->begun) + stream->begun.len - rest));
    em_str_free(&stream->begun);
    stream->begun = kept;
}

/* Escaped: what moves the cursor or forges a title would be the reader's terminal's to obey. */
static void show_text(struct em_relay_stream *stream, bool more)
{
    EM_STR_AUTO shown = EM_STR_INIT;
    const char *all = em_str_c(&stream->begun);
    size_t taken = em_escape_output(&shown, all, stream->begun.len, &stream->coloured, more);
    em_log_raw(em_str_c(&shown), shown.len);
    keep_rest(stream, all + taken);
}

/* Each line that has ended, and with `all` the one that has not, but for the beginning of a
 * character if there is `more`. */
static void show_objects(struct em_relay_stream *stream, bool all, bool more)
{
    const char *start = em_str_c(&stream->begun), *end = start + stream->begun.len, *newline;
    while ((newline = memchr(start, '\n', (size_t)(end - start)))) {
        const char *stop = newline > start && newline[-1] == '\r' ? newline - 1 : newline;
        em_log_output("migrate", stream->name, start, (size_t)(stop - start), false);
        start = newline + 1;
    }
    size_t length = (size_t)(end - start);
    if (all && more)
        length -= em_utf8_begun(start, length);
    if (all && length) {
        em_log_output("migrate", stream->name, start, length, more);
        start += length;
    }
    keep_rest(stream, start);
}

/* What secrets were taken out of is passed on and kept. `all`: a line that has not ended, too.
 * `more`: it isn't the stream's end. */
static void pass_on(struct em_relay *relay, struct em_relay_stream *stream,
                    const struct em_str *clean, bool all, bool more)
{
    const char *start = em_str_c(clean), *end = start + clean->len;
    em_str_add(&stream->begun, start, clean->len);
    if (stream->name)
        show_objects(stream, all, more);
    else
        show_text(stream, more);
    while (start < end) {
        const char *newline = memchr(start, '\n', (size_t)(end - start));
        size_t length = (size_t)((newline ? newline : end) - start);
        size_t room = EM_RELAY_LINE_BYTES - stream->line.len;
        em_str_add(&stream->line, start, length < room ? length : room);
        if (newline)
            keep_line(relay, stream);
        start += length + 1;
    }
}

static void pass_lines(struct em_relay *relay, struct em_relay_stream *stream)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    em_redactor_lines(&stream->redactor, em_log_secrets(), &clean);
    pass_on(relay, stream, &clean, false, true);
}

/* An unfinished line that has to go out. */
static void pass_partial(struct em_relay *relay, struct em_relay_stream *stream)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    em_redactor_pause(&stream->redactor, em_log_secrets(), &clean);
    pass_on(relay, stream, &clean, true, true);
    stream->fresh = false;
}

static void mark_due(struct em_relay_stream *stream)
{
    if (!stream->fresh || !em_redactor_held(&stream->redactor))
        stream->partial_due = EM_NEVER;
    else if (stream->partial_due == EM_NEVER)
        stream->partial_due = em_in(stream->name ? OBJECT_IMPATIENCE : IMPATIENCE);
}

static void read_some(struct em_relay *relay, struct em_relay_stream *stream, int reads)
{
    char buffer[READ_SIZE];
    while (stream->fd >= 0 && reads-- > 0) {
        ssize_t n = read(stream->fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            close(stream->fd);
            stream->fd = -1;
            return;
        }
        em_redactor_add(&stream->redactor, buffer, (size_t)n);
        stream->fresh = true;
        if (memchr(buffer, '\n', (size_t)n))
            pass_lines(relay, stream);
        if (em_redactor_held(&stream->redactor) > LONG_LINE)
            pass_partial(relay, stream);
    }
}

void em_relay_pump(struct em_relay *relay)
{
    for (size_t i = 0; i < EM_RELAY_STREAMS; i++) {
        struct em_relay_stream *stream = &relay->streams[i];
        read_some(relay, stream, READS_PER_PUMP);
        if (em_now() >= stream->partial_due)
            pass_partial(relay, stream);
        mark_due(stream);
    }
}

em_time em_relay_due(const struct em_relay *relay)
{
    return em_time_min(relay->streams[0].partial_due, relay->streams[1].partial_due);
}

static void finish(struct em_relay *relay, struct em_relay_stream *stream)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    int left = 0;
    /* What is in the pipe now, and not what a survivor still writes. */
    if (stream->fd >= 0 && ioctl(stream->fd, FIONREAD, &left) == 0)
        read_some(relay, stream, left / READ_SIZE + 1);
    em_redactor_end(&stream->redactor, em_log_secrets(), &clean);
    pass_on(relay, stream, &clean, true, false);
    if (stream->line.len)
        keep_line(relay, stream);
    stream->partial_due = EM_NEVER;
}

void em_relay_finish(struct em_relay *relay)
{
    for (size_t i = 0; i < EM_RELAY_STREAMS; i++)
        finish(relay, &relay->streams[i]);
    /* Whoever writes next, embark or the service, starts on a line of its own. */
    em_log_end_line();
}

void em_relay_free(struct em_relay *relay)
{
    for (size_t i = 0; i < EM_RELAY_STREAMS; i++) {
        struct em_relay_stream *stream = &relay->streams[i];
        if (stream->fd >= 0)
            close(stream->fd);
        em_redactor_free(&stream->redactor);
        em_str_free(&stream->begun);
        em_str_free(&stream->line);
        stream_init(stream, -1, NULL);
    }
    em_list_free(&relay->kept);
}

void em_relay_tail(const struct em_relay *relay, struct em_str *out)
{
    for (size_t i = 0; i < relay->kept.n; i++) {
        if (i)
            em_str_putc(out, '\n');
        em_str_puts(out, relay->kept.v[i]);
    }
}
