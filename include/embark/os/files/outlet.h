/* Writing without being held by whoever reads, or doesn't.
 *
 * A write(2) to a pipe, a terminal or a socket that is full waits for its reader, whom nobody can
 * promise, and embark's signals are blocked meanwhile. O_NONBLOCK on the descriptor that embark was
 * given would be the service's as well, which shares it. So standard output and error are opened a
 * second time, by /proc, with flags of their own; where that can't be done (no /proc, not permitted
 * to this user) no more is written than what poll(2) promises to have room for.
 */
#ifndef EMBARK_OS_FILES_OUTLET_H
#define EMBARK_OS_FILES_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* At the start of the program. Before it, writes are as write(2) has them. */
void em_outlets_open(void);

/* Standard output or error is another file from now on (dup2(2) in a child, whose pipe embark reads),
 * or isn't written to any more: what was opened a second time is closed, and writes are as write(2)
 * has them. */
void em_outlet_replaced(int fd);

/* As write(2), with EAGAIN for what would have to wait. More than PIPE_BUF bytes go out in one
 * write if there is room for all of them, else up to a line's end, if there is one. */
ssize_t em_write_now(int fd, const char *bytes, size_t length);

/* Writes all of it, and waits for as long as that takes, but not after a signal that asks to end.
 * False: errno; EINTR for such a signal. */
bool em_put(int fd, const char *bytes, size_t length);

#endif
