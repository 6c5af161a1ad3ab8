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

#include "embark/core/net/names.h"
#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"
#include "embark/os/net/name_server.h"
#include "embark/os/net/net.h"
#include "embark/os/process/spawn.h"

enum {
    ADDRESSES = 48, /* as many as musl gives */
    TEXT = 64,      /* INET6_ADDRSTRLEN, %, IF_NAMESIZE */
    DIED = 1000,    /* beside getaddrinfo's codes: error is a status of waitpid(2) */
};

/* How long one question is waited for before the next is asked beside it. */
#define PATIENCE EM_MS(300)
/* How long an earlier name server is waited for once a later one has the name: glibc's timeout. */
#define TIMEOUT EM_SEC(5)

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

static _Noreturn void run_child(const char *host, int family, unsigned server, int out,
                                pid_t parent)
{
    struct answer answer;
    /* embark may be killed while a dead DNS server holds this up */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (!em_loop_restore())
        _exit(1);
    em_title_long("resolve");
    close_all_but(out);
    em_name_server_choose(server);
    memset(&answer, 0, sizeof answer); /* with the padding, for valgrind */
    ask(host, family, &answer);
    ssize_t n = write(out, &answer, sizeof answer);
    _exit(n == (ssize_t)sizeof answer ? 0 : 1);
}

/* A question that a child is asking. */
struct question {
    struct em_child child;
    int fd; /* where it writes the answer; -1: not started, or done with */
    bool answered;
    struct answer answer;
};

static int start(struct question *q, const char *host, int family, unsigned server,
                 struct em_err *err)
{
    int fds[2];
    pid_t parent = getpid();
    if (pipe2(fds, O_CLOEXEC) != 0)
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't open a pipe to look up %s", host);
    q->child.pid = em_fork();
    if (q->child.pid == 0)
        run_child(host, family, server, fds[1], parent);
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

static bool is_unknown(int code)
{
#if defined EAI_NODATA && EAI_NODATA != EAI_NONAME
    if (code == EAI_NODATA)
        return true;
#endif
    return code == EAI_NONAME;
}

/* glibc and musl have different words for the same; musl 1.2.3 says "Try again" for no answer. */
static int say(struct em_err *err, const char *host, int code, int error)
{
    EM_STR_AUTO how = EM_STR_INIT;
    if (is_unknown(code))
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s is unknown (DNS: Name does not resolve)",
                       host);
    switch (code) {
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
static void take(struct question *q)
{
    struct answer got;
    ssize_t n = read(q->fd, &got, sizeof got);
    finish(q);
    q->answered = true;
    if (n == (ssize_t)sizeof got)
        q->answer = got;
    else
        q->answer = (struct answer){.code = DIED, .error = q->child.status};
}

/* One name server's two questions: usually one for both families; when that takes its time, one
 * for IPv4 alone beside it. musl waits for the slower of A and AAAA, up to resolv.conf's timeout of
 * 5 s, and takes SERVFAIL and REFUSED for none; servers that do so for AAAA are common. */
struct server {
    struct question both, v4;
    em_time asked; /* 0: not yet */
};

enum outcome { PENDING, GOOD, UNKNOWN, FAILED };

/* The first good answer counts; without one, the first bad, to *answer. */
static enum outcome outcome_of(const struct server *s, const struct answer **answer)
{
    const struct question *q[] = {&s->both, &s->v4};
    bool pending = s->both.fd >= 0 || s->v4.fd >= 0 || !s->asked;
    for (size_t i = 0; i < 2; i++)
        if (q[i]->answered && q[i]->answer.code == 0) {
            *answer = &q[i]->answer;
            return GOOD;
        }
    if (pending)
        return PENDING;
    *answer = s->both.answered ? &s->both.answer : &s->v4.answer;
    return is_unknown((*answer)->code) ? UNKNOWN : FAILED;
}

/* The name servers of one look-up, in resolv.conf's order. */
struct look_up {
    const char *host;
    struct server servers[EM_NAME_SERVERS];
    unsigned n;
    em_time hold; /* until then an earlier server that is silent is waited for */
};

/* Asks what is to be asked by now, and tells when there is more to ask. */
static int ask_due(struct look_up *l, em_time *next, struct em_err *err)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT; /* what is under way goes on */
    em_time now = em_now();
    *next = EM_NEVER;
    for (unsigned i = 0; i < l->n; i++) {
        struct server *s = &l->servers[i];
        const struct answer *answer;
        if (!s->asked) {
            struct server *before = i ? &l->servers[i - 1] : NULL;
            em_time due = before ? before->asked + PATIENCE : now;
            if (now < due && outcome_of(before, &answer) == PENDING) {
                *next = em_time_min(*next, due);
                return 0;
            }
            s->asked = now;
            int code = start(&s->both, l->host, AF_UNSPEC, i, i ? &ignored : err);
            if (code && i == 0)
                return code;
        }
        if (s->both.fd >= 0 && s->v4.fd < 0 && !s->v4.answered) {
            if (now >= s->asked + PATIENCE)
                start(&s->v4, l->host, AF_INET, i, &ignored);
            else
                *next = em_time_min(*next, s->asked + PATIENCE);
        }
        /* A name that this one knows, or knows to be none, is asked of no other. */
        enum outcome outcome = outcome_of(s, &answer);
        if (outcome == GOOD || outcome == UNKNOWN)
            return 0;
    }
    return 0;
}

/* In resolv.conf's order, as glibc asks: "no such name" of a server counts only once those before
 * it have failed, and so does an address, but that a silent one isn't waited for until the end.
 * NULL: to be waited for. */
static const struct answer *decide(const struct look_up *l, bool last)
{
    const struct answer *answer = NULL, *unknown = NULL, *failed = NULL;
    bool pending = false;
    for (unsigned i = 0; i < l->n; i++) {
        switch (outcome_of(&l->servers[i], &answer)) {
        case GOOD:
            return answer;
        case PENDING:
            if (!last && em_now() < l->hold)
                return NULL;
            pending = true;
            break;
        case UNKNOWN:
            unknown = unknown ? unknown : answer;
            if (!pending)
                return unknown;
            break;
        case FAILED:
            failed = failed ? failed : answer;
        }
    }
    if (pending && !last)
        return NULL;
    return unknown ? unknown : failed;
}

/* Takes what answers there are, or come until then. */
static enum em_wake wait_for_some(struct look_up *l, em_time until)
{
    struct pollfd fds[2 * EM_NAME_SERVERS];
    struct question *q[2 * EM_NAME_SERVERS] = {NULL};
    for (unsigned i = 0; i < l->n; i++) {
        q[2 * i] = &l->servers[i].both;
        q[2 * i + 1] = &l->servers[i].v4;
    }
    for (unsigned i = 0; i < 2 * l->n; i++) /* poll(2) skips what is negative */
        fds[i] = (struct pollfd){q[i]->fd, POLLIN, 0};
    enum em_wake woke = em_wait(fds, 2 * l->n, until);
    for (unsigned i = 0; woke == EM_WAKE_FD && i < 2 * l->n; i++)
        if (fds[i].revents)
            take(q[i]);
    return em_loop_stopped() ? EM_WAKE_SIGNAL : woke;
}

static int run(struct look_up *l, em_time until, struct answer *answer, struct em_err *err)
{
    for (;;) {
        em_time next;
        int code = ask_due(l, &next, err);
        if (code)
            return code;
        const struct answer *found = decide(l, em_now() >= until);
        if (found) {
            *answer = *found;
            return 0;
        }
        if (em_now() < l->hold)
            next = em_time_min(next, l->hold);
        enum em_wake woke = wait_for_some(l, em_time_min(next, until));
        if (woke == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
        if (woke != EM_WAKE_TIME || em_now() < until)
            continue;
        found = decide(l, true);
        if (!found)
            return em_fail(err, EM_EXIT_UNREACHABLE,
                           "%s can't be looked up (the DNS servers don't answer)", l->host);
        *answer = *found;
        return 0;
    }
}

static int in_children(const char *host, em_time until, struct answer *answer, struct em_err *err)
{
    em_time now = em_now(), half = until == EM_NEVER ? TIMEOUT : (until - now) / 2;
    struct look_up l = {host, {{{.fd = -1}, {.fd = -1}, 0}}, em_name_servers(), 0};
    for (unsigned i = 0; i < EM_NAME_SERVERS; i++)
        l.servers[i].both.fd = l.servers[i].v4.fd = -1;
    l.hold = now + (half < TIMEOUT ? half : TIMEOUT);
    int code = run(&l, until, answer, err);
    for (unsigned i = 0; i < l.n; i++) {
        finish(&l.servers[i].both);
        finish(&l.servers[i].v4);
    }
    return code;
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

/* As /etc/hosts has it: to musl, but to no glibc, case matters there. */
static const char *spelled(const char *host, struct em_str *name)
{
    EM_STR_AUTO hosts = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    bool found = em_file_read("/etc/hosts", (size_t)1024 * 1024, &hosts, &why) &&
                 em_hosts_spelling(em_str_c(&hosts), host, name);
    return found ? em_str_c(name) : host;
}

int em_resolve(const char *host, em_time until, struct em_list *addresses, struct em_err *err)
{
    struct answer answer;
    memset(&answer, 0, sizeof answer);
    if (em_loop_stopped())
        return em_fail_stopped(err);
    if (in_process(host, &answer) != 0) {
        EM_STR_AUTO name = EM_STR_INIT;
        int code = in_children(spelled(host, &name), until, &answer, err);
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
