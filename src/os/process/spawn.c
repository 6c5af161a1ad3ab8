#include "embark/os/process/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embark/os/exec/find.h"
#include "embark/os/files/files.h"
#include "embark/os/files/outlet.h"
#include "embark/os/loop/clock.h"
#include "embark/os/process/group.h"
#include "embark/os/process/terminal.h"
#include "embark/os/process/trim.h"

/* What the child tells about a step that failed. Smaller than PIPE_BUF, so it arrives whole. */
struct report {
    enum { STEP_DEATH, STEP_GROUP, STEP_DUP, STEP_DIR, STEP_SIGNALS, STEP_EXEC } step;
    int error;
};

/* Async-signal-safe. */
static void tell(int pipe_fd, int step, int error)
{
    struct report report;
    memset(&report, 0, sizeof report);
    report.step = (unsigned)step;
    report.error = error;
    ssize_t n = write(pipe_fd, &report, sizeof report);
    (void)n; /* the parent sees a short report as a failure of its own */
    _exit(127);
}

/* Async-signal-safe: `from` becomes `to` in the child, without close-on-exec. */
static bool place(int from, int to)
{
    if (from < 0)
        return true;
    if (from == to)
        return fcntl(from, F_SETFD, 0) == 0;
    return dup2(from, to) == to;
}

/* Async-signal-safe. */
static void write_pid(char *text)
{
    char digits[EM_PID_TEXT];
    size_t n = 0;
    for (unsigned pid = (unsigned)getpid(); pid; pid /= 10)
        digits[n++] = (char)('0' + pid % 10);
    while (n)
        *text++ = digits[--n];
    *text = '\0';
}

/* The descriptors that are to become 0, 1 and 2 must not be among 0, 1, 2 at other places (embark
 * may be started with these closed): em_spawn moves them up before. */
static void run_child(const struct em_spawn *spawn, const char *file, pid_t parent, int pipe_fd)
{
    const struct em_spawn_service *service = spawn->service;
    int death_signal = service ? service->death_signal : SIGKILL;
    /* A helper doesn't outlive embark's own SIGKILL, at least this one of a migration's processes.
     * The parent may have died before it took effect. */
    if (death_signal && prctl(PR_SET_PDEATHSIG, death_signal) != 0)
        tell(pipe_fd, STEP_DEATH, errno);
    if (death_signal && getppid() != parent)
        _exit(127);
    if (spawn->own_group && setpgid(0, 0) != 0)
        tell(pipe_fd, STEP_GROUP, errno);
    if (service) {
        em_terminal_give(service->terminal, getpid());
        if (service->pid_text)
            write_pid(service->pid_text);
    }
    if (!place(spawn->in, 0) || !place(spawn->out, 1) || !place(spawn->err, 2))
        tell(pipe_fd, STEP_DUP, errno);
    if (spawn->dir && chdir(spawn->dir) != 0)
        tell(pipe_fd, STEP_DIR, errno);
    if (!em_loop_restore())
        tell(pipe_fd, STEP_SIGNALS, errno);
    execve(file, spawn->argv, spawn->environ ? spawn->environ : environ);
    tell(pipe_fd, STEP_EXEC, errno);
}

static int start(const struct em_spawn *spawn, const char *file, int report[2], pid_t *pid,
                 struct em_err *err)
{
    if (pipe2(report, O_CLOEXEC) != 0)
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't open a pipe");
    pid_t parent = getpid();
    *pid = em_fork();
    if (*pid < 0) {
        int code = em_fail_errno(err, EM_EXIT_SYSTEM, "can't fork for %s", spawn->argv[0]);
        em_hint(err, "a pids limit (docker run --pids-limit, a cgroup's pids.max) or RLIMIT_NPROC "
                     "may be reached");
        em_close(report[0]);
        em_close(report[1]);
        return code;
    }
    if (*pid == 0)
        run_child(spawn, file, parent, report[1]);
    /* Here too: a signal that is sent to the group right away must find it. EACCES: the child has
     * exec'd already, after its own call. */
    if (spawn->own_group)
        setpgid(*pid, *pid);
    em_close(report[1]);
    return 0;
}

/* 0 when the child's exec happened. The read ends as soon as exec closes the pipe; no deadline is
 * needed for a few system calls. */
static int read_report(int fd, struct report *report)
{
    ssize_t n;
    do
        n = read(fd, report, sizeof *report);
    while (n < 0 && errno == EINTR);
    em_close(fd);
    return n == (ssize_t)sizeof *report ? 1 : 0;
}

int em_spawn(const struct em_spawn *spawn, struct em_child *child, struct em_err *err)
{
    EM_STR_AUTO file = EM_STR_INIT;
    int fds[2];
    struct report report;
    int code = em_exec_find(spawn->argv[0], getenv("PATH"), &file, err);
    if (code)
        return code;
    code = start(spawn, em_str_c(&file), fds, &child->pid, err);
    if (code)
        return code;
    em_child_add(child);
    if (!read_report(fds[0], &report))
        return 0;
    while (!child->done)
        em_wait(NULL, 0, EM_NEVER);
    em_child_forget(child);
    if (report.step == STEP_EXEC)
        return em_exec_explain(spawn->argv[0], em_str_c(&file), report.error, err);
    static const char *const calls[] = {"prctl", "setpgid", "dup2", "chdir", "sigprocmask"};
    errno = report.error;
    return em_fail_errno(err, EM_EXIT_SYSTEM, "can't prepare %s to run (%s)", spawn->argv[0],
                         calls[report.step]);
}

int em_spawn_function(const struct em_spawn *spawn, int (*body)(void *ctx), void *ctx,
                      struct em_child *child, struct em_err *err)
{
    pid_t parent = getpid();
    child->pid = em_fork();
    if (child->pid < 0)
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't fork");
    if (child->pid == 0) {
        em_loop_forked();
        if (spawn->own_group)
            setpgid(0, 0);
        /* The parent may have died before this took effect. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || !place(spawn->in, 0) ||
            !place(spawn->out, 1) || !place(spawn->err, 2))
            _exit(EM_EXIT_SYSTEM);
        if (spawn->out >= 0)
            em_outlet_replaced(STDOUT_FILENO);
        if (spawn->err >= 0)
            em_outlet_replaced(STDERR_FILENO);
        _exit(body(ctx));
    }
    if (spawn->own_group)
        setpgid(child->pid, child->pid);
    em_child_add(child);
    return 0;
}

/* Of what a child says on its stderr. */
enum { ERR_LIMIT = 65536 };

/* em_capture's three pipes. */
struct ends {
    int in, out, err; /* ours; -1 when closed */
    const char *input;
    size_t input_left;
    struct em_str *out_text, *err_text;
    size_t limit;
};

static void shut(int *fd)
{
    if (*fd >= 0)
        em_close(*fd);
    *fd = -1;
}

/* Reads at most `most` bytes of what is there; beyond the limit they are dropped, so that the child
 * never blocks on us. How many it read. */
static size_t drain(int *fd, struct em_str *text, size_t limit, size_t most)
{
    char buffer[4096];
    ssize_t n = read(*fd, buffer, most < sizeof buffer ? most : sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        shut(fd);
        return 0;
    }
    size_t room = text && text->len < limit ? limit - text->len : 0;
    if (room)
        em_str_add(text, buffer, (size_t)n < room ? (size_t)n : room);
    return (size_t)n;
}

/* What a child wrote before its end is in the pipe now. No more than that is read: somebody else
 * may hold the other end, and keep on writing. */
static void drain_rest(int *fd, struct em_str *text, size_t limit)
{
    int there = 0;
    if (*fd < 0 || ioctl(*fd, FIONREAD, &there) != 0 || there <= 0)
        return;
    size_t left = (size_t)there, n;
    while (left && *fd >= 0 && (n = drain(fd, text, limit, left)) > 0)
        left -= n;
}

static void feed(struct ends *ends)
{
    ssize_t n = write(ends->in, ends->input, ends->input_left);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        ends->input += n;
        ends->input_left -= (size_t)n;
    }
    if (n < 0 || ends->input_left == 0)
        shut(&ends->in);
}

/* One round: false when the deadline passed or a signal asks to end. The time is looked at in every
 * round, as a pipe that always has something would never let the wait end by time. */
static bool pump(struct ends *ends, em_time until)
{
    struct pollfd fds[3] = {{ends->out, POLLIN, 0}, {ends->err, POLLIN, 0}, {ends->in, POLLOUT, 0}};
    enum em_wake woke = em_wait(fds, 3, until); /* a negative descriptor is skipped, poll(2) */
    if (woke == EM_WAKE_TIME || em_loop_stopped())
        return false;
    if (fds[0].revents)
        drain(&ends->out, ends->out_text, ends->limit, SIZE_MAX);
    if (fds[1].revents)
        drain(&ends->err, ends->err_text, ERR_LIMIT, SIZE_MAX);
    if (fds[2].revents)
        feed(ends);
    return until == EM_NEVER || em_now() < until;
}

/* A pipe whose near end (ours) is non-blocking; the far end goes to the child. */
static bool open_pipe(int *ours, int *theirs, bool we_write)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    *ours = fds[we_write ? 1 : 0];
    *theirs = fds[we_write ? 0 : 1];
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

/* Nothing that the child has started is left afterwards, as far as it can be found. */
static void end_all(struct em_child *child, const struct em_earlier_children *family)
{
    if (em_group_left(child, family))
        em_group_end(child, family, 0, NULL);
}

static int collect(struct em_child *child, const struct em_earlier_children *family,
                   struct ends *ends, em_time until, const char *name, struct em_err *err)
{
    bool alive = true;
    if (ends->input_left == 0)
        shut(&ends->in);
    while (!child->done && alive)
        alive = pump(ends, until);
    bool ended_itself = child->done;
    end_all(child, family);
    if (em_loop_stopped())
        return em_fail_stopped(err);
    if (!ended_itself)
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s did not end in time", name);
    drain_rest(&ends->out, ends->out_text, ends->limit);
    drain_rest(&ends->err, ends->err_text, ERR_LIMIT);
    return 0;
}

int em_capture(const struct em_spawn *spawn, const char *input, size_t input_length, size_t limit,
               em_time until, struct em_str *out, struct em_str *err_out, int *status,
               struct em_err *err)
{
    struct ends ends = {-1, -1, -1, input, input_length, out, err_out, limit};
    struct em_spawn piped = *spawn;
    struct em_child child = {0};
    struct em_earlier_children family = EM_FAMILY_INIT;
    int code, reaper = em_reaper_set(1); /* who leaves the group is found, too */
    piped.in = piped.out = piped.err = -1;
    piped.own_group = true;
    if (!open_pipe(&ends.in, &piped.in, true) || !open_pipe(&ends.out, &piped.out, false) ||
        !open_pipe(&ends.err, &piped.err, false)) {
        code = em_fail_errno(err, EM_EXIT_SYSTEM, "can't open a pipe");
    } else {
        em_earlier_children_note(&family);
        code = em_spawn(&piped, &child, err);
    }
    shut(&piped.in);
    shut(&piped.out);
    shut(&piped.err);
    if (code == 0) {
        code = collect(&child, &family, &ends, until, spawn->argv[0], err);
        *status = child.status;
        em_child_forget(&child);
    }
    em_reaper_set(reaper);
    em_earlier_children_free(&family);
    shut(&ends.in);
    shut(&ends.out);
    shut(&ends.err);
    return code;
}

/* Without /proc, as far as most limits go. */
#define DESCRIPTORS 1024

static void close_if_inherited(int fd)
{
    int flags = fd > 2 ? fcntl(fd, F_GETFD) : -1;
    if (flags >= 0 && !(flags & FD_CLOEXEC))
        close(fd);
}

void em_close_inherited(void)
{
    DIR *list = opendir("/proc/self/fd");
    for (int fd = 3; !list && fd < DESCRIPTORS; fd++)
        close_if_inherited(fd);
    for (struct dirent *entry = list ? readdir(list) : NULL; entry; entry = readdir(list))
        close_if_inherited((int)strtol(entry->d_name, NULL, 10));
    if (list)
        closedir(list);
}

void em_title(const char *phase)
{
    char text[16]; /* the kernel's limit, prctl(2) */
    snprintf(text, sizeof text, "embark:%s", phase);
    prctl(PR_SET_NAME, text);
}

void em_title_long(const char *phase)
{
    em_title(phase);
    em_release_code_pages();
}
