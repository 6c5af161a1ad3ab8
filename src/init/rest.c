#include "rest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "date.h"
#include "system.h"

/* How often they are looked at where no event tells: members of the group that are children of
 * others. µs */
#define LOOK_AGAIN 20000
#define AFTER_KILL 5000000
#define PAGE       4096

/* Processes; the memory is the kernel's. */
struct pids {
    int *v;
    size_t n, room;
};

/* Two looks, taken in turns: each descendant that has left the group is told once. */
struct hunt {
    const struct watch *watch;
    int signal; /* 0: they are only counted */
    size_t found;
    struct pids
        told; /* by the last look; who is gone is forgotten, as its number may be another's */
    struct pids seen; /* by this one */
};

/* Where there is no memory for it, it is told once more. */
static void add(struct pids *pids, int pid)
{
    if (pids->n == pids->room) {
        size_t bytes = pids->room * sizeof *pids->v;
        long more = bytes ? CALL_4(mremap, pids->v, bytes, bytes * 2, MREMAP_MAYMOVE)
                          : CALL_6(mmap, 0, PAGE, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more < 0 && more > -PAGE)
            return;
        pids->v = (int *)more;
        pids->room = (bytes ? bytes * 2 : PAGE) / sizeof *pids->v;
    }
    pids->v[pids->n++] = pid;
}

static bool holds(const int *pids, size_t count, int pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Whether we have children, ended ones that weren't reaped yet as well. */
static bool has_children(void)
{
    siginfo_t ignored;
    long result = CALL_6(waitid, P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT, 0, 0);
    return result != -ECHILD;
}

/* The process that a folder of /proc is about; 0: another file. */
static int number(const char *name)
{
    int pid = 0;
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): by getdents64(2) */
    for (; *name >= '0' && *name <= '9'; name++)
        pid = pid * 10 + (*name - '0');
    return *name ? 0 : pid;
}

/* The parent of the process with the folder `name`, from its stat (proc(5)): the field after the
 * state, which follows the last ')', since a name may hold any byte. A zombie counts as gone: 0. */
static int parent_of(int proc, const char *name)
{
    char path[32], text[512], *at = path;
    while (*name && at < path + sizeof path - sizeof "/stat")
        *at++ = *name++;
    for (const char *file = "/stat"; (*at = *file); file++)
        at++;
    long fd = CALL_4(openat, proc, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long length = CALL_3(read, fd, text, sizeof text - 1);
    CALL_1(close, fd);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    for (at = text + length; at > text && *at != ')';)
        at--;
    if (at == text || at + 4 >= text + length || at[2] == 'Z' || at[2] == 'X')
        return 0;
    int parent = 0;
    for (at += 4; *at >= '0' && *at <= '9'; at++)
        parent = parent * 10 + (*at - '0');
    return parent;
}

static void hunt_one(struct hunt *hunt, int pid)
{
    const struct em_init *init = hunt->watch->init;
    /* an orphan of the group is told with the group */
    if (pid == init->service || CALL_1(getpgid, pid) == init->service ||
        holds(init->earlier, init->earlier_n, pid))
        return;
    hunt->found++;
    if (!hunt->signal)
        return;
    if (!holds(hunt->told.v, hunt->told.n, pid)) {
        CALL_2(kill, pid, hunt->signal);
        CALL_2(kill, pid, SIGCONT); /* a stopped process would sleep through TERM */
    }
    add(&hunt->seen, pid);
}

/* What getdents64(2) gives. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

/* One look at our living children. Without /proc there is nothing to be found. */
static size_t look(struct hunt *hunt)
{
    _Alignas(struct entry) char entries[1024];
    long bytes, self = CALL_1(getpid, 0);
    long proc = has_children() ? CALL_4(openat, AT_FDCWD, "/proc", O_RDONLY | O_CLOEXEC, 0) : -1;
    hunt->found = 0;
    while (proc >= 0 && (bytes = CALL_3(getdents64, proc, entries, sizeof entries)) > 0)
        for (long at = 0; at < bytes;) {
            const struct entry *entry = (const void *)(entries + at);
            int pid = number(entry->name);
            if (pid && parent_of((int)proc, entry->name) == self)
                hunt_one(hunt, pid);
            at += entry->size;
        }
    if (proc >= 0)
        CALL_1(close, proc);
    struct pids last = hunt->told;
    hunt->told = hunt->seen;
    last.n = 0;
    hunt->seen = last;
    return hunt->found;
}

static bool group_is_empty(const struct watch *watch)
{
    long result = CALL_2(kill, -watch->init->service, 0);
    return result != 0 && result != -EPERM;
}

/* That the person or program means it. SIGHUP asks many services to read their files again. */
static bool insists(int signal)
{
    return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

/* Tells all `signal`, and waits until nothing is left; false after `patience`, or (if `impatient`)
 * when somebody insists a second time. Signals were for the service until now. */
static bool end_by(struct watch *watch, int signal, int64_t patience, bool impatient)
{
    struct hunt hunt = {.watch = watch, .signal = signal};
    int64_t now = time_of(CLOCK_MONOTONIC);
    int64_t until = patience > NEVER - now ? NEVER : now + patience;
    CALL_2(kill, -watch->init->service, signal);
    CALL_2(kill, -watch->init->service, SIGCONT);
    for (bool asked = false;;) {
        bool none = look(&hunt) == 0 && group_is_empty(watch);
        now = time_of(CLOCK_MONOTONIC);
        if (none || now >= until)
            return none;
        int got = next_signal(watch, until - now > LOOK_AGAIN ? now + LOOK_AGAIN : until);
        if (!impatient || !insists(got))
            continue;
        if (asked)
            return false;
        asked = true;
    }
}

static void complain(const struct em_init *init)
{
    if (init->complaint_time >= 0)
        put_time(init->complaint + init->complaint_time, time_of(CLOCK_REALTIME));
    /* Not if it would have to wait for whoever reads the log. */
    struct pollfd log = {2, POLLOUT, 0};
    struct when none = {0, 0};
    if (CALL_4(ppoll, &log, 1, &none, 0) > 0)
        CALL_3(write, 2, init->complaint, init->complaint_length);
}

void end_rest(struct watch *watch)
{
    struct hunt count = {.watch = watch};
    if (look(&count) == 0 && group_is_empty(watch))
        return;
    if (!end_by(watch, SIGTERM, watch->init->grace, true) &&
        !end_by(watch, SIGKILL, AFTER_KILL, false) && watch->init->complaint_length)
        complain(watch->init);
}
