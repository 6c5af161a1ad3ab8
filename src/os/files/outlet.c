#include "embark/os/files/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/os/loop/loop.h"

enum kind { PLAIN, SECOND, SOCKET, POLLED };

static struct outlet {
    enum kind kind;
    int second;
} outlets[3];

void em_outlets_open(void)
{
    char path[] = "/proc/self/fd/0";
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat st;
        if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode))
            continue;
        path[sizeof path - 2] = (char)('0' + fd);
        int second =
            S_ISSOCK(st.st_mode) ? -1 : open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        outlets[fd] = (struct outlet){S_ISSOCK(st.st_mode) ? SOCKET
                                      : second >= 0        ? SECOND
                                                           : POLLED,
                                      second};
    }
}

void em_outlet_replaced(int fd)
{
    if (outlets[fd].kind == SECOND)
        close(outlets[fd].second);
    outlets[fd] = (struct outlet){PLAIN, -1};
}

/* Whether a write of more than PIPE_BUF bytes won't have to wait for a reader. A pipe is a row of
 * pages; what is written is added to the last one only if it fits there, so that any two neighbours
 * together hold more than a page, but for those that are being read. */
static bool has_room(int fd, size_t length)
{
    int held, size;
    if (ioctl(fd, FIONREAD, &held) != 0 || (size = fcntl(fd, F_GETPIPE_SZ)) <= 0)
        return false;
    return 2 * (size_t)held + 3 * (size_t)PIPE_BUF + length <= (size_t)size;
}

/* How much the next write takes: all, or what surely fits, up to a line's end if there is one. */
static size_t portion(int fd, const char *bytes, size_t length)
{
    if (length <= PIPE_BUF || has_room(fd, length))
        return length;
    const char *end = memrchr(bytes, '\n', PIPE_BUF);
    return end ? (size_t)(end - bytes) + 1 : PIPE_BUF;
}

/* poll(2) calls a pipe ready when it takes PIPE_BUF bytes. */
static bool is_ready(int fd)
{
    struct pollfd out = {fd, POLLOUT, 0};
    return poll(&out, 1, 0) > 0;
}

ssize_t em_write_now(int fd, const char *bytes, size_t length)
{
    const struct outlet plain = {PLAIN, -1}, *outlet = fd <= STDERR_FILENO ? &outlets[fd] : &plain;
    switch (outlet->kind) {
    case SECOND:
        return write(outlet->second, bytes, portion(fd, bytes, length));
    case SOCKET: /* send(2) is libpq's here, which closes what fails */
        return sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
    case POLLED:
        if (is_ready(fd))
            return write(fd, bytes, portion(fd, bytes, length));
        errno = EAGAIN;
        return -1;
    case PLAIN:
    default:
        return write(fd, bytes, length);
    }
}

static bool await(int fd)
{
    bool ready = em_loop_stopped() ? em_wait_apart(fd, POLLOUT, EM_NEVER)
                                   : em_wait_fd(fd, POLLOUT, EM_NEVER) == EM_WAKE_FD;
    errno = EINTR;
    return ready;
}

bool em_put(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = em_write_now(fd, bytes, length);
        if (n < 0 && errno != EINTR && (errno != EAGAIN || !await(fd)))
            return false;
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
    }
    return true;
}
