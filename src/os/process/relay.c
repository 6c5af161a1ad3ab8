#include "embark/os/process/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"

#define IMPATIENCE EM_MS(250)
#define LONG_LINE  8192
/* Of one call, so that a child that floods its output can't keep signals and the heartbeat waiting.
 */
#define READS_PER_PUMP 16
#define READ_SIZE      8192

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

static void keep_line(struct em_relay *relay)
{
    /* The list is short: shifting it is cheaper than a ring's reader. */
    if (relay->kept.n == EM_RELAY_LINES)
        em_list_drop_first(&relay->kept);
    em_list_add(&relay->kept, em_str_c(&relay->line));
    em_str_cut(&relay->line, 0);
}

/* Escaped: what moves the cursor or forges a title would be the reader's terminal's to obey. */
static void show(struct em_relay *relay, const char *bytes, size_t length, bool more)
{
    EM_STR_AUTO shown = EM_STR_INIT;
    EM_STR_AUTO rest = EM_STR_INIT;
    em_str_add(&relay->begun, bytes, length);
    const char *all = em_str_c(&relay->begun);
    size_t taken = em_escape_output(&shown, all, relay->begun.len, &relay->coloured, more);
    em_str_add(&rest, all + taken, relay->begun.len - taken);
    em_str_free(&relay->begun);
    relay->begun = rest;
    rest = (struct em_str)EM_STR_INIT;
    em_log_raw(em_str_c(&shown), shown.len);
}

/* What secrets were taken out of is passed on and kept. */
static void pass_on(struct em_relay *relay, const struct em_str *clean)
{
    const char *start = em_str_c(clean), *end = start + clean->len;
    show(relay, start, clean->len, true);
    while (start < end) {
        const char *newline = memchr(start, '\n', (size_t)(end - start));
        size_t length = (size_t)((newline ? newline : end) - start);
        size_t room = EM_RELAY_LINE_BYTES - relay->line.len;
        em_str_add(&relay->line, start, length < room ? length : room);
        if (newline)
            keep_line(relay);
        start += length + 1;
    }
}

static void pass_lines(struct em_relay *relay)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    em_redactor_lines(&relay->redactor, em_log_secrets(), &clean);
    pass_on(relay, &clean);
}

/* An unfinished line that has to go out. */
static void pass_partial(struct em_relay *relay)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    em_redactor_pause(&relay->redactor, em_log_secrets(), &clean);
    pass_on(relay, &clean);
    relay->fresh = false;
}

static void mark_due(struct em_relay *relay)
{
    if (!relay->fresh || !em_redactor_held(&relay->redactor))
        relay->partial_due = EM_NEVER;
    else if (relay->partial_due == EM_NEVER)
        relay->partial_due = em_in(IMPATIENCE);
}

static void read_some(struct em_relay *relay, int reads)
{
    char buffer[READ_SIZE];
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
        em_redactor_add(&relay->redactor, buffer, (size_t)n);
        relay->fresh = true;
        if (memchr(buffer, '\n', (size_t)n))
            pass_lines(relay);
        if (em_redactor_held(&relay->redactor) > LONG_LINE)
            pass_partial(relay);
    }
}

void em_relay_pump(struct em_relay *relay)
{
    read_some(relay, READS_PER_PUMP);
    if (em_now() >= relay->partial_due)
        pass_partial(relay);
    mark_due(relay);
}

em_time em_relay_due(const struct em_relay *relay)
{
    return relay->partial_due;
}

void em_relay_finish(struct em_relay *relay)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    int left = 0;
    /* What is in the pipe now, and not what a survivor still writes. */
    if (relay->fd >= 0 && ioctl(relay->fd, FIONREAD, &left) == 0)
        read_some(relay, left / READ_SIZE + 1);
    em_redactor_end(&relay->redactor, em_log_secrets(), &clean);
    pass_on(relay, &clean);
    show(relay, "", 0, false);
    if (relay->line.len)
        keep_line(relay);
    /* Whoever writes next, embark or the service, starts on a line of its own. */
    em_log_end_line();
    relay->partial_due = EM_NEVER;
}

void em_relay_free(struct em_relay *relay)
{
    if (relay->fd >= 0)
        close(relay->fd);
    relay->fd = -1;
    em_redactor_free(&relay->redactor);
    em_str_free(&relay->begun);
    em_str_free(&relay->line);
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
