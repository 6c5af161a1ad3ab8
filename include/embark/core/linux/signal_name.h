/* Signals by name (signal(7)).
 *
 * Real-time signals are counted from 34, as glibc's kill(1) and `docker kill -s RTMIN+3` do; musl's
 * own SIGRTMIN is 35, since it keeps one more for itself.
 */
#ifndef EMBARK_CORE_LINUX_SIGNAL_NAME_H
#define EMBARK_CORE_LINUX_SIGNAL_NAME_H

#define EM_SIGNAL_RTMIN 34
#define EM_SIGNAL_RTMAX 64

/* "SIGTERM", "SIGRTMIN+3"; "an unknown signal" for what is none. */
const char *em_signal_name(int signal);

/* The number of "SIGTERM", "TERM", "15", "RTMIN", "RTMIN+3" or "RTMAX-1"; 0: it is no signal. */
int em_signal_find(const char *text);

#endif
