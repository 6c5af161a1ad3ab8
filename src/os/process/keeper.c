#include "embark/os/process/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "embark/os/loop/clock.h"

/* What was killed takes its time where it is in an uninterruptible sleep. */
#define AFTER_KILL EM_SEC(5)
#define LOOK_AGAIN EM_MS(5)

static bool is_there(pid_t group)
{
    return kill(-group, 0) == 0 || errno != ESRCH;
}

/* The keeper itself: until the pipe's other end is closed. */
static void keep(int fd)
{
    pid_t group = 0, next;
    ssize_t n;
    sigset_t all;
    sigfillset(&all);
    em_sigmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "embark:keeper");
    while ((n = read(fd, &next, sizeof next)) != 0)
        if (n == (ssize_t)sizeof next)
            group = next;
        else if (errno != EINTR)
            break;
    if (group <= 0)
        return;
    kill(-group, SIGKILL);
    for (em_time until = em_in(AFTER_KILL); is_there(group) && em_now() < until;) {
        struct timespec pause = {0, LOOK_AGAIN * 1000};
        nanosleep(&pause, NULL);
    }
}

void em_keeper_start(struct em_keeper *keeper)
{
    int fds[2];
    keeper->fd = -1;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return;
    keeper->child.pid = fork();
    if (keeper->child.pid == 0) {
        close(fds[1]);
        keep(fds[0]);
        _exit(0);
    }
    close(fds[0]);
    if (keeper->child.pid < 0) {
        close(fds[1]);
        return;
    }
    keeper->fd = fds[1];
    em_child_add(&keeper->child);
}

void em_keeper_watch(struct em_keeper *keeper, pid_t group)
{
    ssize_t n;
    do
        n = keeper->fd < 0 ? 0 : write(keeper->fd, &group, sizeof group);
    while (n < 0 && errno == EINTR);
}

void em_keeper_end(struct em_keeper *keeper)
{
    if (keeper->fd < 0)
        return;
    em_keeper_watch(keeper, 0);
    close(keeper->fd);
    keeper->fd = -1;
    em_time until = em_in(AFTER_KILL);
    while (!keeper->child.done && em_now() < until)
        em_wait(NULL, 0, until);
    em_child_forget(&keeper->child);
}
