#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embark/core/redact/secrets.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"
#include "embark/os/net/net.h"
#include "tls.h"

enum { SHOWN = 200 }; /* bytes of what a server chose */

/* One question: what the functions below share. */
struct question {
    const struct em_http_url *url;
    em_time until;
    struct em_http *answer;
    struct em_err *err;
    int fd;
    struct em_tls_stream *tls; /* NULL: plain */
    bool heard;                /* any byte */
};

static ssize_t send_some(const struct question *q, const char *bytes, size_t length, short *events)
{
    *events = POLLOUT;
    return q->tls ? em_tls_send(q->tls, bytes, length, events)
                  : send(q->fd, bytes, length, MSG_NOSIGNAL);
}

static ssize_t receive_some(const struct question *q, char *bytes, size_t size, short *events)
{
    *events = POLLIN;
    return q->tls ? em_tls_recv(q->tls, bytes, size, events) : recv(q->fd, bytes, size, 0);
}

static int silent(const struct question *q)
{
    return em_fail(q->err, EM_EXIT_UNREACHABLE,
                   q->heard ? "%s does not complete its answer"
                            : "%s accepts connections but does not answer",
                   q->url->name);
}

/* Ready for `events`: 0, else the error's code. */
static int await(const struct question *q, short events)
{
    enum em_wake woke = em_wait_fd(q->fd, events, q->until);
    if (woke == EM_WAKE_SIGNAL)
        return em_fail_stopped(q->err);
    return woke == EM_WAKE_FD ? 0 : silent(q);
}

/* That the other end has closed is no error here: it may have answered before it did, and if it has
 * not, reading says what is wrong. */
static int send_all(const struct question *q, const char *bytes, size_t length)
{
    while (length) {
        short events;
        ssize_t n = send_some(q, bytes, length, &events);
        if (n >= 0) {
            bytes += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            int code = em_now() >= q->until ? silent(q) : await(q, events);
            if (code)
                return code;
        } else if (errno != EINTR) {
            return 0;
        }
    }
    return 0;
}

static int refuse_answer(const struct question *q)
{
    struct em_http *a = q->answer;
    em_fail(q->err, EM_EXIT_UNREACHABLE, "%s: the answer %s", q->url->name, a->wrong);
    if (!a->status && a->line.len) {
        em_str_puts(&q->err->text, " (it starts with \"");
        em_escape(&q->err->text, a->line.data, a->line.len); /* here, as it may hold NUL bytes */
        em_str_puts(&q->err->text, "\")");
    }
    return EM_EXIT_UNREACHABLE;
}

/* *events: what is to be waited for before the next try, 0 where there is something already. */
static int read_some(struct question *q, short *events)
{
    char bytes[8192];
    ssize_t n = receive_some(q, bytes, sizeof bytes, events);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (n < 0 && errno == ECONNRESET)
        return em_fail(q->err, EM_EXIT_UNREACHABLE, "%s resets the connection", q->url->name);
    if (n < 0)
        return em_fail(q->err, EM_EXIT_UNREACHABLE, "%s is unreachable (%s)", q->url->name,
                       em_why(errno));
    *events = q->tls ? 0 : POLLIN; /* TLS may have more of what it has read */
    if (n == 0) {
        em_http_end(q->answer);
    } else {
        q->heard = true;
        em_http_feed(q->answer, bytes, (size_t)n);
    }
    return q->answer->phase == EM_HTTP_BAD ? refuse_answer(q) : 0;
}

/* The time is looked at in every round: a descriptor that always has something would never let the
 * wait end by time. */
static int read_answer(struct question *q)
{
    bool in_time = true;
    short events = q->tls ? 0 : POLLIN;
    while (em_http_wants(q->answer)) {
        int code = !in_time ? silent(q) : events ? await(q, events) : 0;
        if (code == 0)
            code = read_some(q, &events);
        if (code)
            return code;
        in_time = em_now() < q->until;
    }
    return 0;
}

static int ask_once(const struct em_http_url *url, const struct em_http_how *how, em_time until,
                    struct em_http *answer, struct em_err *err)
{
    struct question q = {.url = url, .until = until, .answer = answer, .err = err};
    EM_STR_AUTO request = EM_STR_INIT;
    int code = url->path ? em_connect_unix(url->path, until, &q.fd, err)
                         : em_connect_tcp(url->host, url->port, until, &q.fd, err);
    if (code)
        return code;
    if (url->tls)
        code = em_tls_open(q.fd, url->host, &how->trust, url->name, until, &q.tls, err);
    em_http_request_print(url, &how->request, &request);
    if (code == 0)
        code = send_all(&q, em_str_c(&request), request.len);
    if (code == 0)
        code = read_answer(&q);
    em_tls_close(q.tls);
    close(q.fd);
    em_str_wipe(&request);
    return code;
}

/* Where the answer sends to, which may be 64 KiB. A server doesn't choose a socket of this machine.
 */
static int next_url(const struct em_http_url *from, const struct em_http *answer,
                    struct em_http_url *to, struct em_err *err)
{
    EM_STR_AUTO text = EM_STR_INIT;
    const char *location = em_str_c(&answer->location);
    em_http_url_join(from, location, &text);
    if (em_starts(location, "unix:")) {
        em_fail(err, EM_EXIT_UNREACHABLE, "\"%s\" is a socket of its own", location);
    } else if (em_http_url_parse(to, em_str_c(&text), err) == 0 && to->name) {
        to->name[strnlen(to->name, SHOWN)] = '\0';
        return 0;
    }
    em_str_cut(&err->text, SHOWN);
    em_context(err, "%s answers %d and sends to an address that embark can't ask", from->name,
               answer->status);
    return err->code = EM_EXIT_UNREACHABLE;
}

static bool is_same_server(const struct em_http_url *a, const struct em_http_url *b)
{
    if (a->path || b->path)
        return a->path && b->path && strcmp(a->path, b->path) == 0;
    return a->tls == b->tls && a->authority && b->authority &&
           strcmp(a->authority, b->authority) == 0;
}

/* The redirects of `url`'s answer, one after the other. */
static int follow(const struct em_http_url *url, const struct em_http_how *how, em_time until,
                  struct em_http *answer, struct em_err *err)
{
    struct em_http_url at = *url, next = {0};
    struct em_http_how there = *how;
    int code = 0;
    for (unsigned left = how->redirects;
         code == 0 && em_http_is_redirect(answer->status) && answer->location.len; left--) {
        size_t head = answer->head_limit, body = answer->body_limit;
        if (left == 0)
            code = em_fail(err, EM_EXIT_UNREACHABLE, "%s redirects more than %u times", url->name,
                           how->redirects);
        else
            code = next_url(&at, answer, &next, err);
        if (code) {
            em_http_url_free(&next);
            break;
        }
        if (!is_same_server(url, &next))
            there.request = (struct em_http_request){0};
        em_http_free(answer);
        em_http_start(answer, head, body);
        if (at.name != url->name)
            em_http_url_free(&at);
        at = next;
        next = (struct em_http_url){0};
        code = ask_once(&at, &there, until, answer, err);
    }
    if (at.name != url->name)
        em_http_url_free(&at);
    return code;
}

int em_http_ask(const struct em_http_url *url, const struct em_http_how *how, em_time until,
                struct em_http *answer, struct em_err *err)
{
    int code = ask_once(url, how, until, answer, err);
    return code || !how->redirects ? code : follow(url, how, until, answer, err);
}
