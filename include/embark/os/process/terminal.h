/* The terminal's foreground process group: who gets what is typed, ^C and ^Z (termios(3),
 * credentials(7)). */
#ifndef EMBARK_OS_PROCESS_TERMINAL_H
#define EMBARK_OS_PROCESS_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Our controlling terminal: 0, 1 or 2 if one of these is it, else a descriptor of its own
 * (close-on-exec); -1: there is none. */
int em_terminal_open(void);

/* Whether our process group is in its foreground; whether none that exists is. fd -1: no. */
bool em_terminal_is_ours(int fd);
bool em_terminal_is_nobodys(int fd);

/* Puts `group` into the foreground; false: errno. Async-signal-safe, and not stopped by SIGTTOU,
 * which this brings to a process that isn't in the foreground itself. fd -1: nothing. */
bool em_terminal_give(int fd, pid_t group);
/* Puts our own group there, if `from` is the one that is. */
void em_terminal_take_back(int fd, pid_t from);

/* Stops our process group as ^Z does, and returns when it was continued; at once where nothing can
 * stop it: process 1, and an orphaned group, which has no shell above it (setpgid(2)). */
void em_terminal_stop(void);

#endif
