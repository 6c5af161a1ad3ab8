#include "embark/os/process/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "embark/os/loop/loop.h"

int em_terminal_open(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (tcgetpgrp(fd) > 0)
            return fd;
    return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool em_terminal_is_ours(int fd)
{
    return fd >= 0 && tcgetpgrp(fd) == getpgrp();
}

bool em_terminal_is_nobodys(int fd)
{
    pid_t group = tcgetpgrp(fd);
    return group > 0 && kill(-group, 0) != 0 && errno == ESRCH;
}

void em_terminal_stop(void)
{
    sigset_t stop, mask;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    em_sigmask(SIG_UNBLOCK, &stop, &mask);
    kill(0, SIGTSTP);
    em_sigmask(SIG_SETMASK, &mask, NULL);
}

bool em_terminal_give(int fd, pid_t group)
{
    sigset_t background, mask;
    if (fd < 0)
        return true;
    sigemptyset(&background);
    sigaddset(&background, SIGTTOU);
    em_sigmask(SIG_BLOCK, &background, &mask);
    bool given = tcsetpgrp(fd, group) == 0;
    em_sigmask(SIG_SETMASK, &mask, NULL);
    return given;
}

void em_terminal_take_back(int fd, pid_t from)
{
    if (fd >= 0 && tcgetpgrp(fd) == from)
        em_terminal_give(fd, getpgrp());
}
