#include "embark/db/peer.h"

#define OPENSSL_SUPPRESS_DEPRECATED /* HMAC_Final(), below */

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#ifdef __GLIBC__
#include <dlfcn.h>
#include <openssl/hmac.h>
#endif

#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"

/* The one that libpq is busy with. Process-wide, as what libpq calls has no place for it. */
static struct em_peer *current;

struct em_peer *em_peer_enter(struct em_peer *peer, em_time until)
{
    struct em_peer *before = current;
    peer->until = until;
    peer->late = false;
    current = peer;
    return before;
}

void em_peer_leave(struct em_peer *before)
{
    current = before;
}

static bool is_late(const struct em_peer *peer)
{
    return peer->until != EM_NEVER && em_now() >= peer->until;
}

bool em_peer_await(struct em_peer *peer, int fd, short events)
{
    /* A process that had no processor until the deadline has passed still sees the answer that came
     * in time, but no more than what is there now. */
    bool late = is_late(peer);
    if (late && peer->late)
        return false;
    peer->late = late;
    if (em_wait_fd(fd, events, peer->until) == EM_WAKE_FD)
        return true;
    peer->late = true;
    return false;
}

bool em_peer_in_time(void)
{
    if (!current)
        return true;
    em_wait_fd(-1, 0, em_now()); /* takes signals, and looks after the lock */
    current->late = current->late || is_late(current) || em_loop_stopped();
    return !current->late;
}

void em_peer_refuse_rounds(int rounds)
{
    if (current)
        current->rounds = rounds;
}

bool em_peer_bounded(const struct em_peer *peer, const char *where, struct em_err *err)
{
    if (peer->too_big) {
        em_fail(err, EM_EXIT_UNREACHABLE, "%s sends more than embark takes of one answer", where);
        em_hint(err, "is that a PostgreSQL server, or a pooler in front of one? A login may take "
                     "1 MiB, an answer or a row 8 MiB");
    } else if (peer->rounds) {
        em_fail(err, EM_EXIT_UNREACHABLE,
                "%s asks for %d rounds of SCRAM, embark computes at most %d", where, peer->rounds,
                (int)EM_PEER_ROUNDS);
        em_hint(err, "set the password anew with a smaller scram_iterations (the default is 4096)");
    } else if (peer->late && em_loop_stopped()) {
        em_fail_stopped(err);
    } else if (peer->late) {
        em_fail(err, EM_EXIT_UNREACHABLE, "%s does not complete its answer", where);
    } else {
        return false;
    }
    return true;
}

/* What libpq calls in place of the C library's. In embark, which is static, the linker sees to that
 * (--wrap). In the dynamic builds of the tests the program's functions come before those of its
 * libraries. */
#ifdef __GLIBC__
#define OURS(name)   em_##name /* the linker knows it as the C library's */
#define THEIRS(name) (__extension__(__typeof__(&(name))) dlsym(RTLD_NEXT, #name))
ssize_t em_recv(int fd, void *bytes, size_t size, int flags) __asm__("recv");
ssize_t em_send(int fd, const void *bytes, size_t size, int flags) __asm__("send");
int em_poll(struct pollfd *fds, nfds_t count, int timeout) __asm__("poll");
#else
#define OURS(name)   __wrap_##name
#define THEIRS(name) __real_##name
ssize_t __real_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
#endif

ssize_t OURS(recv)(int fd, void *bytes, size_t size, int flags)
{
    if (!current)
        return THEIRS(recv)(fd, bytes, size, flags);
    if (current->left == 0) {
        current->too_big = true;
        errno = EMSGSIZE;
        return -1;
    }
    ssize_t n = THEIRS(recv)(fd, bytes, size < current->left ? size : current->left, flags);
    if (n > 0)
        current->left -= (size_t)n;
    return n;
}

/* After an error libpq keeps it to itself and waits for what the server says of it. Whatever has
 * been lost, there is nothing to wait for on a connection that is closed. */
ssize_t OURS(send)(int fd, const void *bytes, size_t size, int flags)
{
    ssize_t n = THEIRS(send)(fd, bytes, size, flags);
    if (current && n < 0 && errno != EAGAIN && errno != EINTR) {
        int error = errno;
        shutdown(fd, SHUT_RDWR);
        errno = error;
    }
    return n;
}

/* libpq waits without a limit for what it sends during a login, and nowhere else for embark. */
int OURS(poll)(struct pollfd *fds, nfds_t count, int timeout)
{
    if (!current || count != 1 || timeout >= 0)
        return THEIRS(poll)(fds, count, timeout);
    if (em_peer_await(current, fds->fd, fds->events)) {
        fds->revents = fds->events;
        return 1;
    }
    errno = ETIMEDOUT;
    return -1;
}

#ifdef __GLIBC__
/* The rounds of a SCRAM login, which src/overrides/scram_salted_password.c counts in embark. */
int HMAC_Final(HMAC_CTX *context, unsigned char *digest, unsigned *length)
{
    return em_peer_in_time() ? THEIRS(HMAC_Final)(context, digest, length) : 0;
}
#endif
