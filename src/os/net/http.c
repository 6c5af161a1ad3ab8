#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embark/core/redact/secrets.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"
#include "embark/os/net/net.h"

/* One question: what the functions below share. */
struct question {
    const struct em_http_url *url;
    em_time until;
    struct em_http *answer;
    struct em_err *err;
    int fd;
    bool heard; /* any byte */
};

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
        ssize_t n = send(q->fd, bytes, length, MSG_NOSIGNAL);
        if (n >= 0) {
            bytes += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            int code = await(q, POLLOUT);
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

static int read_some(struct question *q)
{
    char bytes[8192];
    ssize_t n = recv(q->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (n < 0 && errno == ECONNRESET)
        return em_fail(q->err, EM_EXIT_UNREACHABLE, "%s resets the connection", q->url->name);
    if (n < 0)
        return em_fail(q->err, EM_EXIT_UNREACHABLE, "%s is unreachable (%s)", q->url->name,
                       em_why(errno));
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
    while (em_http_wants(q->answer)) {
        int code = in_time ? await(q, POLLIN) : silent(q);
        if (code == 0)
            code = read_some(q);
        if (code)
            return code;
        in_time = q->until == EM_NEVER || em_now() < q->until;
    }
    return 0;
}

int em_http_ask(const struct em_http_url *url, const char *host, em_time until,
                struct em_http *answer, struct em_err *err)
{
    struct question q = {.url = url, .until = until, .answer = answer, .err = err};
    EM_STR_AUTO request = EM_STR_INIT;
    int code = url->path ? em_connect_unix(url->path, until, &q.fd, err)
                         : em_connect_tcp(url->host, url->port, until, &q.fd, err);
    if (code)
        return code;
    em_http_request(url, host, &request);
    code = send_all(&q, em_str_c(&request), request.len);
    if (code == 0)
        code = read_answer(&q);
    close(q.fd);
    return code;
}

int em_http_get(const char *url, em_time until, int *status, struct em_err *err)
{
    struct em_http_url parsed;
    struct em_http answer;
    em_http_start(&answer, EM_HTTP_HEAD_MAX, 0);
    int code = em_http_url_parse(&parsed, url, err);
    if (code == 0)
        code = em_http_ask(&parsed, NULL, until, &answer, err);
    if (code == 0)
        *status = answer.status;
    em_http_free(&answer);
    em_http_url_free(&parsed);
    return code;
}
