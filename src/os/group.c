#include "embark/os/group.h"

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

#include "embark/os/clock.h"

/* How often the group is looked at where no event tells: members that are children of others, or of
 * nobody we reap for. */
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
    struct em_family *family = ctx;
    family->before = em_realloc(family->before, family->n + 1, sizeof *family->before);
    family->before[family->n++] = pid;
}

void em_family_note(struct em_family *family)
{
    em_family_free(family);
    for_children(note_one, family);
}

void em_family_free(struct em_family *family)
{
    free(family->before);
    family->before = NULL;
    family->n = 0;
}

struct hunt {
    const struct em_family *family;
    pid_t leader;
    int signal; /* 0: only count */
    size_t found;
};

static void hunt_one(pid_t pid, void *ctx)
{
    struct hunt *hunt = ctx;
    for (size_t i = 0; i < hunt->family->n; i++)
        if (hunt->family->before[i] == pid)
            return;
    if (pid == hunt->leader)
        return;
    hunt->found++;
    if (hunt->signal)
        kill(pid, hunt->signal);
}

static size_t signal_escaped(const struct em_child *child, const struct em_family *family,
                             int signal)
{
    struct hunt hunt = {family, child->pid, signal, 0};
    for_children(hunt_one, &hunt);
    return hunt.found;
}

void em_group_signal(const struct em_child *child, int signal)
{
    kill(-child->pid, signal);
}

bool em_group_left(const struct em_child *child, const struct em_family *family)
{
    if (!child->done)
        return true;
    if (kill(-child->pid, 0) == 0 || errno == EPERM)
        return true;
    return signal_escaped(child, family, 0) > 0;
}

/* Waits until nothing is left; false at the deadline, or (if `impatient`) at a signal that asks to
 * end. Descendants that become ours on the way get `signal` too. */
static bool wait_for_none(const struct em_child *child, const struct em_family *family, int signal,
                          em_time until, bool impatient)
{
    size_t escaped = 0;
    while (em_group_left(child, family)) {
        em_time look = em_time_min(until, em_in(LOOK_AGAIN));
        enum em_wake woke = em_wait(NULL, 0, look);
        if (woke == EM_WAKE_SIGNAL && impatient && em_loop_signal() == em_loop_stopped())
            return false;
        if (em_now() >= until)
            return !em_group_left(child, family);
        size_t now = signal_escaped(child, family, 0);
        if (now > escaped)
            signal_escaped(child, family, signal);
        escaped = now;
    }
    return true;
}

bool em_group_end(const struct em_child *child, const struct em_family *family, em_time grace)
{
    em_group_signal(child, SIGTERM);
    /* A stopped process would sleep through TERM. */
    em_group_signal(child, SIGCONT);
    signal_escaped(child, family, SIGTERM);
    if (wait_for_none(child, family, SIGTERM, em_in(grace), em_loop_stopped() != 0))
        return true;
    em_group_signal(child, SIGKILL);
    signal_escaped(child, family, SIGKILL);
    return wait_for_none(child, family, SIGKILL, em_in(AFTER_KILL), false);
}
