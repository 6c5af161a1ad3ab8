#include "embark/os/terminal.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

bool em_terminal_is_ours(int fd)
{
    return tcgetpgrp(fd) == getpgrp();
}

int em_terminal_ours(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (em_terminal_is_ours(fd))
            return fd;
    return -1;
}

void em_terminal_stop(void)
{
    sigset_t stop, mask;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, &mask);
    kill(0, SIGTSTP);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

bool em_terminal_give(int fd, pid_t group)
{
    sigset_t background, mask;
    if (fd < 0)
        return true;
    sigemptyset(&background);
    sigaddset(&background, SIGTTOU);
    sigprocmask(SIG_BLOCK, &background, &mask);
    bool given = tcsetpgrp(fd, group) == 0;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return given;
}

void em_terminal_take_back(int fd, pid_t from)
{
    if (fd >= 0 && tcgetpgrp(fd) == from)
        em_terminal_give(fd, getpgrp());
}
