#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"
#include "embark/os/net/net.h"
#include "embark/os/process/trim.h"

/* What the functions below return beside errno values: a signal asks to end. */
enum { STOPPED = -1 };

static int open_socket(int family, int *fd)
{
    *fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd < 0 ? errno : 0;
}

union peer_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* A connection to a port of our own that nobody listens on can meet itself, when the kernel picks
 * that very port for our end (TCP's simultaneous open). It looks like success, and keeps the server
 * from binding its port. */
static bool is_own_end(int fd, const union peer_address *theirs)
{
    union peer_address ours;
    socklen_t n = sizeof ours;
    memset(&ours, 0, sizeof ours);
    if (getsockname(fd, &ours.any, &n) != 0 || ours.any.sa_family != theirs->any.sa_family)
        return false;
    if (ours.any.sa_family == AF_INET)
        return ours.v4.sin_port == theirs->v4.sin_port &&
               ours.v4.sin_addr.s_addr == theirs->v4.sin_addr.s_addr;
    return ours.any.sa_family == AF_INET6 && ours.v6.sin6_port == theirs->v6.sin6_port &&
           memcmp(&ours.v6.sin6_addr, &theirs->v6.sin6_addr, sizeof ours.v6.sin6_addr) == 0;
}

/* With a reset, so that the port is free at once. */
static void drop_own_end(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

int em_connect_result(int fd)
{
    union peer_address theirs;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return errno;
    if (error)
        return error;
    /* Without an error it is connected only if it has another end: a socket that has never begun to
     * connect is ready as well. */
    memset(&theirs, 0, sizeof theirs);
    size = sizeof theirs;
    if (getpeername(fd, &theirs.any, &size) != 0)
        return errno;
    if (!is_own_end(fd, &theirs))
        return 0;
    drop_own_end(fd);
    return ECONNREFUSED;
}

/* Waits for a connect(2) that is under way. */
static int wait_connected(int fd, em_time until)
{
    switch (em_wait_fd(fd, POLLOUT, until)) {
    case EM_WAKE_FD:
        return em_connect_result(fd);
    case EM_WAKE_SIGNAL:
        return STOPPED;
    case EM_WAKE_CHILD:
    case EM_WAKE_TIME:
    default:
        return ETIMEDOUT;
    }
}

static int connect_to(const struct addrinfo *to, em_time until, int *fd)
{
    int error = open_socket(to->ai_family, fd);
    if (error)
        return error;
    if (connect(*fd, to->ai_addr, to->ai_addrlen) != 0)
        error = errno == EINPROGRESS || errno == EINTR ? wait_connected(*fd, until) : errno;
    else
        error = em_connect_result(*fd);
    if (error)
        close(*fd);
    return error;
}

static int connect_address(const char *address, const char *port, em_time until, int *fd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *to = NULL;
    if (getaddrinfo(address, port, &hints, &to) != 0)
        return EINVAL; /* not for what em_resolve and em_host_port give */
    int error = connect_to(to, until, fd);
    freeaddrinfo(to);
    return error;
}

/* How much an error tells of the service itself: with several addresses the one that tells most is
 * said. */
static int weight(int error)
{
    switch (error) {
    case 0:
        return 0;
    case ECONNREFUSED:
        return 5;
    case ECONNRESET:
        return 4;
    case ETIMEDOUT:
        return 3;
    case EHOSTUNREACH:
    case ENETUNREACH:
        return 2;
    default:
        return 1;
    }
}

static bool is_system(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static int say(struct em_err *err, const char *name, int error)
{
    switch (error) {
    case STOPPED:
        return em_fail_stopped(err);
    case ECONNREFUSED:
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s refuses connections", name);
    case ECONNRESET:
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s resets connections", name);
    case ETIMEDOUT:
    case EAGAIN:
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s does not answer", name);
    case ENOENT:
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s does not exist", name);
    default:
        if (is_system(error))
            return em_fail(err, EM_EXIT_SYSTEM, "can't open a socket to %s: %s", name,
                           em_why(error));
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s is unreachable (%s)", name, em_why(error));
    }
}

/* Until when the next of `count` addresses may be tried. */
static em_time share(em_time until, size_t count)
{
    em_time now = em_now();
    if (until == EM_NEVER)
        return count > 1 ? now + EM_SEC(5) : EM_NEVER;
    return until > now ? now + (until - now) / (em_time)count : until;
}

int em_connect_tcp(const char *host, const char *port, em_time until, int *fd, struct em_err *err)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_LIST_AUTO addresses = EM_LIST_INIT;
    int code = em_resolve(host, until, &addresses, err), worst = 0;
    if (code)
        return code;
    em_release_code_pages(); /* the C library's resolver, and what connects, lie far apart */
    for (size_t i = 0; i < addresses.n; i++) {
        int error = connect_address(addresses.v[i], port, share(until, addresses.n - i), fd);
        if (error == 0)
            return 0;
        if (error == STOPPED || is_system(error)) {
            worst = error;
            break;
        }
        if (weight(error) > weight(worst))
            worst = error;
    }
    em_host_port_print(host, port, &name);
    return say(err, em_str_c(&name), worst);
}

/* A unix socket's connect(2) is done at once, or fails with EAGAIN while the backlog is full, and
 * there is no descriptor to wait for. */
static int connect_patiently(int fd, const struct sockaddr_un *to, em_time until)
{
    while (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
        if (errno != EAGAIN && errno != EINTR)
            return errno;
        if (em_now() >= until)
            return ETIMEDOUT;
        if (em_wait_fd(-1, 0, em_time_min(em_in(EM_MS(10)), until)) == EM_WAKE_SIGNAL)
            return STOPPED;
    }
    return 0;
}

int em_connect_unix(const char *path, em_time until, int *fd, struct em_err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length > EM_UNIX_PATH_MAX)
        return em_fail(err, EM_EXIT_CONFIG, "a socket's path must have 1 to %d bytes, %s has %zu",
                       EM_UNIX_PATH_MAX, path, length);
    memcpy(to.sun_path, path, length);
    if (em_loop_stopped())
        return em_fail_stopped(err);
    int error = open_socket(AF_UNIX, fd);
    if (error)
        return say(err, path, error);
    error = connect_patiently(*fd, &to, until);
    if (error == 0)
        return 0;
    close(*fd);
    return say(err, path, error);
}
