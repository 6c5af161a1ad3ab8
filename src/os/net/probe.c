#include "embark/os/net/probe.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "embark/os/loop/clock.h"
#include "embark/os/net/net.h"

enum { AT_ONCE = 12 }; /* em_wait() takes 15 */

union address {
    struct sockaddr any;
    struct sockaddr_storage storage;
    struct sockaddr_un local;
};

static int unix_address(const char *name, union address *to, socklen_t *size)
{
    size_t length = strlen(name);
    *to = (union address){.local = {.sun_family = AF_UNIX}};
    if (length > EM_UNIX_PATH_MAX)
        return ENAMETOOLONG;
    memcpy(to->local.sun_path, name, length);
    *size = (socklen_t)sizeof to->local;
    if (*name == '@') { /* unix(7): its name is all of the bytes behind a NUL */
        to->local.sun_path[0] = '\0';
        *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    return 0;
}

static int tcp_address(const struct em_probe *probe, union address *to, socklen_t *size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(probe->address, probe->port, &hints, &found) != 0)
        return EINVAL;
    memcpy(to, found->ai_addr, found->ai_addrlen);
    *size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static void end(struct em_probe *probe, int error, em_time started)
{
    probe->error = error;
    probe->took = em_now() - started;
    if (probe->fd >= 0)
        close(probe->fd);
    probe->fd = -1;
}

static void begin(struct em_probe *probe, em_time started)
{
    union address to;
    socklen_t size = 0;
    int error =
        probe->port ? tcp_address(probe, &to, &size) : unix_address(probe->address, &to, &size);
    probe->fd =
        error ? -1 : socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (!error && probe->fd < 0)
        error = errno;
    if (!error && connect(probe->fd, &to.any, size) != 0)
        error = errno;
    else if (!error)
        error = em_connect_result(probe->fd);
    /* A unix socket whose backlog is full has somebody who listens, and is busy. */
    if (!probe->port && error == EAGAIN)
        error = ETIMEDOUT;
    if (error != EINPROGRESS && error != EINTR)
        end(probe, error, started);
}

/* Until all have ended, or the deadline. */
static int watch(struct em_probe *probes, size_t count, em_time started, em_time until,
                 struct em_err *err)
{
    for (;;) {
        struct pollfd fds[AT_ONCE];
        size_t open = 0;
        for (size_t i = 0; i < count; i++) {
            fds[i] = (struct pollfd){probes[i].fd, POLLOUT, 0}; /* poll(2) skips a negative one */
            open += probes[i].fd >= 0;
        }
        if (!open)
            return 0;
        enum em_wake woke = em_wait(fds, count, until);
        if (em_loop_stopped())
            return em_fail_stopped(err);
        if (woke == EM_WAKE_TIME)
            return 0;
        for (size_t i = 0; woke == EM_WAKE_FD && i < count; i++)
            if (fds[i].revents)
                end(&probes[i], em_connect_result(probes[i].fd), started);
    }
}

static int some(struct em_probe *probes, size_t count, em_time until, struct em_err *err)
{
    em_time started = em_now();
    for (size_t i = 0; i < count; i++)
        begin(&probes[i], started);
    int code = watch(probes, count, started, until, err);
    for (size_t i = 0; i < count; i++)
        if (probes[i].fd >= 0)
            end(&probes[i], ETIMEDOUT, started);
    return code;
}

int em_probe(struct em_probe *probes, size_t count, em_time until, struct em_err *err)
{
    int code = 0;
    for (size_t done = 0; done < count && code == 0; done += AT_ONCE) {
        em_time now = em_now();
        size_t rounds = (count - done + AT_ONCE - 1) / AT_ONCE;
        size_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        em_time share = until > now ? now + (until - now) / (em_time)rounds : until;
        code = some(probes + done, n, share, err);
    }
    return code;
}
