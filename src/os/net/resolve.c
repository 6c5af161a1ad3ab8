#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"
#include "embark/os/net/net.h"
#include "embark/os/process/spawn.h"

enum {
    ADDRESSES = 48, /* as many as musl gives */
    TEXT = 64,      /* INET6_ADDRSTRLEN, %, IF_NAMESIZE */
    DIED = 1000,    /* beside getaddrinfo's codes: error is a status of waitpid(2) */
};

#define PATIENCE EM_MS(300)

/* The child's answer. Smaller than PIPE_BUF, so that it arrives whole or not at all. */
struct answer {
    int code;  /* of getaddrinfo */
    int error; /* errno, for EAI_SYSTEM */
    unsigned count;
    char text[ADDRESSES][TEXT];
};
_Static_assert(sizeof(struct answer) <= 4096, "PIPE_BUF");

static int look_up(const char *host, int family, int flags, struct addrinfo **found)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    return getaddrinfo(host, NULL, &hints, found);
}

static bool is_in(const struct answer *answer, const char *text)
{
    for (unsigned i = 0; i < answer->count; i++)
        if (strcmp(answer->text[i], text) == 0)
            return true;
    return false;
}

static void add_addresses(struct answer *answer, const struct addrinfo *found)
{
    for (const struct addrinfo *a = found; a && answer->count < ADDRESSES; a = a->ai_next) {
        char text[TEXT];
        int code =
            getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
        if (code == 0 && !is_in(answer, text))
            memcpy(answer->text[answer->count++], text, sizeof text);
    }
}

/* musl drops a good answer for A when the one for AAAA is an error, and so do we without the second
 * question. */
static void ask(const char *host, int family, struct answer *answer)
{
    struct addrinfo *found = NULL;
    answer->code = look_up(host, family, family == AF_UNSPEC ? AI_ADDRCONFIG : 0, &found);
    answer->error = errno;
    if (family == AF_UNSPEC && answer->code != 0 && answer->code != EAI_SYSTEM &&
        answer->code != EAI_MEMORY && look_up(host, AF_INET, 0, &found) == 0)
        answer->code = 0;
    if (answer->code != 0)
        return;
    add_addresses(answer, found);
    freeaddrinfo(found);
}

/* The child must not keep anything of embark's alive: the other end of a socket with the lock would
 * not see embark's death. */
static void close_all_but(int keep)
{
    unsigned fd = (unsigned)keep;
    if ((keep <= 3 || syscall(SYS_close_range, 3u, fd - 1, 0u) == 0) &&
        syscall(SYS_close_range, keep < 3 ? 3u : fd + 1, ~0u, 0u) == 0)
        return;
    struct rlimit limit; /* before Linux 5.9, or refused by a seccomp profile */
    int end = 65536;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536)
        end = (int)limit.rlim_cur;
    for (int i = 3; i < end; i++)
        if (i != keep)
            close(i);
}

static _Noreturn void run_child(const char *host, int family, int out, pid_t parent)
{
    struct answer answer;
    /* embark may be killed while a dead DNS server holds this up */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (!em_loop_restore())
        _exit(1);
    em_title("resolve");
    close_all_but(out);
    memset(&answer, 0, sizeof answer); /* with the padding, for valgrind */
    ask(host, family, &answer);
    ssize_t n = write(out, &answer, sizeof answer);
    _exit(n == (ssize_t)sizeof answer ? 0 : 1);
}

/* A question that a child is asking. */
struct question {
    struct em_child child;
    int fd; /* where it writes the answer; -1: not started, or done with */
};

static int start(struct question *q, const char *host, int family, struct em_err *err)
{
    int fds[2];
    pid_t parent = getpid();
    if (pipe2(fds, O_CLOEXEC) != 0)
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't open a pipe to look up %s", host);
    q->child.pid = em_fork();
    if (q->child.pid == 0)
        run_child(host, family, fds[1], parent);
    int error = errno;
    em_close(fds[1]);
    if (q->child.pid < 0) {
        em_close(fds[0]);
        errno = error;
        em_fail_errno(err, EM_EXIT_SYSTEM, "can't fork to look up %s", host);
        em_hint(err, "a pids limit (docker run --pids-limit, a cgroup's pids.max) or RLIMIT_NPROC "
                     "may be reached");
        return EM_EXIT_SYSTEM;
    }
    q->fd = fds[0];
    em_child_add(&q->child);
    return 0;
}

/* Ends the child if it has not ended by itself; nothing of it is left afterwards. */
static void finish(struct question *q)
{
    if (q->fd < 0)
        return;
    em_close(q->fd);
    q->fd = -1;
    if (!q->child.done)
        kill(q->child.pid, SIGKILL);
    while (!q->child.done)
        em_wait(NULL, 0, EM_NEVER);
    em_child_forget(&q->child);
}

/* glibc and musl have different words for the same; musl 1.2.3 says "Try again" for no answer. */
static int say(struct em_err *err, const char *host, int code, int error)
{
    EM_STR_AUTO how = EM_STR_INIT;
    switch (code) {
    case EAI_NONAME:
#if defined EAI_NODATA && EAI_NODATA != EAI_NONAME
    case EAI_NODATA:
#endif
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s is unknown (DNS: Name does not resolve)",
                       host);
    case EAI_AGAIN:
        return em_fail(err, EM_EXIT_UNREACHABLE,
                       "%s can't be looked up (the DNS servers don't answer, or have a failure)",
                       host);
    case DIED:
        em_child_explain(error, &how);
        return em_fail(err, EM_EXIT_UNREACHABLE,
                       "%s can't be looked up (the resolver's process %s)", host, em_str_c(&how));
    case EAI_SYSTEM:
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s can't be looked up (DNS: %s)", host,
                       em_why(error));
    default:
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s can't be looked up (DNS: %s)", host,
                       gai_strerror(code));
    }
}

/* The child's answer, once there is something to read; one that died without a word gets one made
 * up. */
static void take(struct question *q, struct answer *answer)
{
    struct answer got;
    ssize_t n = read(q->fd, &got, sizeof got);
    finish(q);
    if (n == (ssize_t)sizeof got)
        *answer = got;
    else
        *answer = (struct answer){.code = DIED, .error = q->child.status};
}

/* Waits for one of the two; with that one's answer taken. */
static enum em_wake wait_for_either(struct question q[2], em_time until, struct answer *answer)
{
    /* poll(2) skips what is negative */
    struct pollfd fds[2] = {{q[0].fd, POLLIN, 0}, {q[1].fd, POLLIN, 0}};
    for (;;) {
        enum em_wake woke = em_wait(fds, 2, until);
        if (em_loop_stopped())
            return EM_WAKE_SIGNAL;
        if (woke == EM_WAKE_TIME)
            return woke;
        if (woke != EM_WAKE_FD)
            continue;
        take(fds[0].revents ? &q[0] : &q[1], answer);
        return woke;
    }
}

/* Usually one question for both families. When it takes its time, IPv4 alone is asked for beside
 * it: musl waits for the slower of A and AAAA, up to resolv.conf's timeout of 5 s, and takes
 * SERVFAIL and REFUSED for none; servers that do so for AAAA are common. The first good answer
 * counts; without one, the first bad. */
static enum em_wake wait_for_answer(struct question q[2], const char *host, em_time until,
                                    struct answer *answer)
{
    struct answer second;
    EM_ERR_AUTO ignored = EM_ERR_INIT; /* what is under way goes on */
    enum em_wake woke = wait_for_either(q, em_time_min(until, em_in(PATIENCE)), answer);
    if (woke == EM_WAKE_TIME && em_now() < until) {
        start(&q[1], host, AF_INET, &ignored);
        woke = wait_for_either(q, until, answer);
    }
    if (woke == EM_WAKE_FD && answer->code != 0 && (q[0].fd >= 0 || q[1].fd >= 0)) {
        woke = wait_for_either(q, until, &second);
        if (woke == EM_WAKE_FD && second.code == 0)
            *answer = second;
        if (woke == EM_WAKE_TIME)
            woke = EM_WAKE_FD;
    }
    return woke;
}

static int in_child(const char *host, em_time until, struct answer *answer, struct em_err *err)
{
    struct question q[2] = {{.fd = -1}, {.fd = -1}};
    int code = start(&q[0], host, AF_UNSPEC, err);
    if (code)
        return code;
    enum em_wake woke = wait_for_answer(q, host, until, answer);
    finish(&q[0]);
    finish(&q[1]);
    if (woke == EM_WAKE_SIGNAL)
        return em_fail_stopped(err);
    if (woke == EM_WAKE_TIME)
        return em_fail(err, EM_EXIT_UNREACHABLE,
                       "%s can't be looked up (the DNS servers don't answer)", host);
    return 0;
}

static int in_process(const char *host, struct answer *answer)
{
    struct addrinfo *found = NULL;
    int code = look_up(host, AF_UNSPEC, AI_NUMERICHOST, &found);
    if (code != 0)
        return code;
    add_addresses(answer, found);
    freeaddrinfo(found);
    return 0;
}

int em_resolve(const char *host, em_time until, struct em_list *addresses, struct em_err *err)
{
    struct answer answer;
    memset(&answer, 0, sizeof answer);
    if (em_loop_stopped())
        return em_fail_stopped(err);
    if (in_process(host, &answer) != 0) {
        int code = in_child(host, until, &answer, err);
        if (code)
            return code;
    }
    if (answer.code != 0)
        return say(err, host, answer.code, answer.error);
    if (answer.count == 0)
        return say(err, host, EAI_NONAME, 0);
    for (unsigned i = 0; i < answer.count; i++)
        em_list_add(addresses, answer.text[i]);
    return 0;
}
