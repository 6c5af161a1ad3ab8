#include "embark/os/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/clock.h"
#include "embark/os/log.h"

#define IMPATIENCE EM_MS(250)
#define LONG_LINE  8192
/* Of one call, so that a child that floods its output can't keep signals and the heartbeat waiting.
 */
#define READS_PER_PUMP 16

bool em_relay_open(struct em_relay *relay, int *child_end)
{
    int ends[2];
    memset(relay, 0, sizeof *relay);
    relay->fd = -1;
    relay->partial_due = EM_NEVER;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK); /* of our end only: the child must not see EAGAIN */
    relay->fd = ends[0];
    *child_end = ends[1];
    return true;
}

static void keep(struct em_relay *relay, const char *line, size_t length)
{
    EM_STR_AUTO text = EM_STR_INIT;
    em_str_add(&text, line, length);
    /* What is kept is redacted when it is used; but a part of a password would be known by nobody.
     */
    if (length > EM_RELAY_LINE_BYTES) {
        em_redact(em_log_secrets(), &text);
        em_str_cut(&text, EM_RELAY_LINE_BYTES);
    }
    /* The list is short: shifting it is cheaper than a ring's reader. */
    if (relay->kept.n == EM_RELAY_LINES)
        em_list_drop_first(&relay->kept);
    em_list_add(&relay->kept, em_str_c(&text));
}

/* Passes the partial text on, up to `length`. */
static void pass_on(struct em_relay *relay, size_t length)
{
    EM_STR_AUTO text = EM_STR_INIT;
    em_str_add(&text, em_str_c(&relay->partial), length);
    em_redact(em_log_secrets(), &text);
    em_log_raw(em_str_c(&text), text.len);
}

static void take_lines(struct em_relay *relay)
{
    size_t start = 0;
    char *bytes = relay->partial.data;
    char *end;
    while (bytes && (end = memchr(bytes + start, '\n', relay->partial.len - start)) != NULL) {
        keep(relay, bytes + start, (size_t)(end - bytes) - start);
        start = (size_t)(end - bytes) + 1;
    }
    if (!start)
        return;
    pass_on(relay, start);
    struct em_str rest = EM_STR_INIT;
    em_str_add(&rest, relay->partial.data + start, relay->partial.len - start);
    em_str_free(&relay->partial);
    relay->partial = rest;
}

/* An unfinished line that has to go out. It isn't kept as a line of its own unless it is long: its
 * end is still to come. */
static void flush_partial(struct em_relay *relay)
{
    if (!relay->partial.len)
        return;
    keep(relay, relay->partial.data, relay->partial.len);
    pass_on(relay, relay->partial.len);
    em_str_cut(&relay->partial, 0);
}

static void mark_due(struct em_relay *relay)
{
    if (!relay->partial.len)
        relay->partial_due = EM_NEVER;
    else if (relay->partial_due == EM_NEVER)
        relay->partial_due = em_in(IMPATIENCE);
}

static void read_some(struct em_relay *relay, int reads)
{
    char buffer[8192];
    while (relay->fd >= 0 && reads-- > 0) {
        ssize_t n = read(relay->fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            close(relay->fd);
            relay->fd = -1;
            return;
        }
        em_str_add(&relay->partial, buffer, (size_t)n);
        take_lines(relay);
        if (relay->partial.len > LONG_LINE)
            flush_partial(relay);
    }
}

void em_relay_pump(struct em_relay *relay)
{
    read_some(relay, READS_PER_PUMP);
    if (em_now() >= relay->partial_due)
        flush_partial(relay);
    mark_due(relay);
}

em_time em_relay_due(const struct em_relay *relay)
{
    return relay->partial_due;
}

void em_relay_finish(struct em_relay *relay)
{
    /* A pipe holds 64 KiB: that many reads empty it, whatever a survivor still writes. */
    read_some(relay, READS_PER_PUMP);
    flush_partial(relay);
    /* Whoever writes next, embark or the service, starts on a line of its own. */
    em_log_end_line();
    relay->partial_due = EM_NEVER;
}

void em_relay_free(struct em_relay *relay)
{
    if (relay->fd >= 0)
        close(relay->fd);
    relay->fd = -1;
    em_str_free(&relay->partial);
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
