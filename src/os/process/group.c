#include "embark/os/process/group.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embark/os/loop/clock.h"

/* How often they are looked at where no event tells: members of the group that are children of
 * others, or of nobody we reap for. */
#define LOOK_AGAIN EM_MS(20)
#define AFTER_KILL EM_SEC(5)

/* The parent of `pid`, from /proc/PID/stat (proc(5)): the field after the state, which follows the
 * last ')', since the name may hold any byte. A zombie counts as gone: 0. */
static pid_t parent_of(const char *pid)
{
    char path[64], text[512];
    int length = snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if (length < 0 || (size_t)length >= sizeof path)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *close_paren = strrchr(text, ')');
    char state;
    int parent;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own format, and both conversions are counted */
    if (!close_paren || sscanf(close_paren + 1, " %c %d", &state, &parent) != 2 || state == 'Z' ||
        state == 'X')
        return 0;
    return parent;
}

/* Whether we have children, ended ones that weren't reaped yet as well. */
static bool has_children(void)
{
    siginfo_t ignored;
    return waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/* Calls `each` for every living child of ours. Without /proc there is nothing to be found. */
static void for_children(void (*each)(pid_t pid, void *ctx), void *ctx)
{
    /* A look at every process of the machine is saved where it can't find any. */
    DIR *proc = has_children() ? opendir("/proc") : NULL;
    if (!proc)
        return;
    pid_t self = getpid();
    for (struct dirent *entry = readdir(proc); entry; entry = readdir(proc)) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (parent_of(entry->d_name) == self)
            each((pid_t)strtol(entry->d_name, NULL, 10), ctx);
    }
    closedir(proc);
}

static void note_one(pid_t pid, void *ctx)
{
    struct em_earlier_children *family = ctx;
    family->pids = em_realloc(family->pids, family->n + 1, sizeof *family->pids);
    family->pids[family->n++] = pid;
}

void em_earlier_children_note(struct em_earlier_children *family)
{
    em_earlier_children_free(family);
    for_children(note_one, family);
}

void em_earlier_children_free(struct em_earlier_children *family)
{
    free(family->pids);
    family->pids = NULL;
    family->n = 0;
}

/* A look at the descendants that have left the group. */
struct hunt {
    const struct em_earlier_children *family;
    pid_t leader;
    int signal; /* 0: only count */
    size_t found;
    struct em_earlier_children told; /* by an earlier look; they aren't told again */
    struct em_earlier_children seen; /* by this one */
};

static bool holds(const struct em_earlier_children *list, pid_t pid)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->pids[i] == pid)
            return true;
    return false;
}

static void hunt_one(pid_t pid, void *ctx)
{
    struct hunt *hunt = ctx;
    /* an orphan of the group is told with the group */
    if (pid == hunt->leader || getpgid(pid) == hunt->leader || holds(hunt->family, pid))
        return;
    hunt->found++;
    if (!hunt->signal)
        return;
    if (!holds(&hunt->told, pid)) {
        kill(pid, hunt->signal);
        kill(pid, SIGCONT); /* a stopped process would sleep through TERM */
    }
    note_one(pid, &hunt->seen);
}

/* One look: how many there are. Each is told once; who is gone is forgotten, since its number may
 * be another's next time. */
static size_t look(struct hunt *hunt)
{
    hunt->found = 0;
    for_children(hunt_one, hunt);
    em_earlier_children_free(&hunt->told);
    hunt->told = hunt->seen;
    hunt->seen = (struct em_earlier_children)EM_FAMILY_INIT;
    return hunt->found;
}

void em_group_signal(const struct em_child *child, int signal)
{
    kill(-child->pid, signal);
}

static bool is_empty(const struct em_child *child)
{
    return child->done && kill(-child->pid, 0) != 0 && errno != EPERM;
}

bool em_group_left(const struct em_child *child, const struct em_earlier_children *family)
{
    struct hunt count = {.family = family, .leader = child->pid};
    return !is_empty(child) || look(&count) > 0;
}

/* That the person or program means it. SIGHUP asks many services to read their files again. */
static bool insists(int signal)
{
    return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

/* A wait that is no reason for those who end to be held up by a full pipe. */
static enum em_wake pass_time(struct em_relay *output, em_time until)
{
    for (;;) {
        struct pollfd fds[EM_RELAY_STREAMS];
        em_relay_poll(output, fds);
        enum em_wake woke = em_wait(fds, EM_RELAY_STREAMS, until);
        if (output)
            em_relay_pump(output);
        if (woke != EM_WAKE_FD || em_now() >= until)
            return woke;
    }
}

/* Tells all `signal`, and waits until nothing is left; false at the deadline, or (if `impatient`)
 * when somebody insists. */
static bool wait_for_none(const struct em_child *child, const struct em_earlier_children *family,
                          int signal, em_time until, bool impatient, struct em_relay *output)
{
    struct hunt hunt = {.family = family, .leader = child->pid, .signal = signal};
    bool asked = em_loop_stopped() != 0, none = false;
    em_group_signal(child, signal);
    em_group_signal(child, SIGCONT);
    em_loop_orphans(true);
    for (;;) {
        size_t escaped = look(&hunt);
        none = escaped == 0 && is_empty(child);
        if (none || em_now() >= until)
            break;
        enum em_wake woke = pass_time(output, em_time_min(until, em_in(LOOK_AGAIN)));
        if (woke != EM_WAKE_SIGNAL || !impatient || !insists(em_loop_signal()))
            continue;
        if (asked)
            break;
        asked = true;
    }
    em_loop_orphans(false);
    em_earlier_children_free(&hunt.told);
    return none;
}

bool em_group_end(const struct em_child *child, const struct em_earlier_children *family,
                  em_time grace, struct em_relay *output)
{
    return wait_for_none(child, family, SIGTERM, em_in(grace), true, output) ||
           wait_for_none(child, family, SIGKILL, em_in(AFTER_KILL), false, output);
}
