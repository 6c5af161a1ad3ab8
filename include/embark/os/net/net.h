/* Names to addresses, plain connections and HTTP questions, none of which can hold up SIGTERM or a
 * deadline.
 *
 * getaddrinfo(3) blocks for as long as a dead DNS server lets it. It runs in a forked child (no
 * thread, no exec; the process has one thread, so the child may call anything), which writes its
 * answer to a pipe and is killed at the deadline. Numeric addresses need no child.
 *
 * Everything here needs em_loop_start(), waits by em_wait_fd() (a signal that doesn't ask to end is
 * swallowed, the status of announced children is kept), and returns EM_EXIT_UNREACHABLE for what
 * may go away by waiting, 128 + n as soon as a signal asks to end, EM_EXIT_SYSTEM when fork or a
 * descriptor is refused. Texts for the same cause are the same at every try, whatever the order of
 * addresses, so that em_progress_log() can tell a change. A deadline that has passed already still
 * allows one look at what is there at once.
 */
#ifndef EMBARK_OS_NET_NET_H
#define EMBARK_OS_NET_NET_H

#include "embark/core/net/endpoint.h" /* em_host_port */
#include "embark/core/net/http.h"
#include "embark/os/loop/loop.h"

/* Adds the numeric addresses ("10.0.0.7", "fd00::7", with %scope) of `host` to `addresses`, in
 * getaddrinfo's order, each once, at most 48. Looked up are /etc/hosts, in any case, and the
 * servers in /etc/resolv.conf in their order, as glibc does: the next one is asked where one fails
 * or is silent (beside it after 300 ms), and "no such name" counts only of one before which all
 * have failed. mDNS and other sources of nsswitch.conf are not known. IPv6 isn't asked for where it
 * is switched off (AI_ADDRCONFIG). Where the two questions together fail, or are not answered
 * within 300 ms, IPv4 is asked for alone as well: servers that answer AAAA with NXDOMAIN, SERVFAIL
 * or not at all are common, and musl drops the good answer for A then, or waits 5 s before it gives
 * it.
 *
 * EM_EXIT_UNREACHABLE: "db is unknown (DNS: Name does not resolve)", "db can't be looked up (the
 * DNS servers don't answer)"… `host` must not be NULL. */
int em_resolve(const char *host, em_time until, struct em_list *addresses, struct em_err *err);

/* A connected, non-blocking, close-on-exec TCP socket to host:port. The addresses are tried one
 * after the other, each with its share of the time left (with EM_NEVER: 5 s each), so that one that
 * swallows everything leaves time for the others. EM_EXIT_UNREACHABLE: "db:5432 refuses
 * connections", "… does not answer", "… is unreachable (No route to host)"; of several addresses'
 * reasons the most telling one, in this order. */
int em_connect_tcp(const char *host, const char *port, em_time until, int *fd, struct em_err *err);

/* What came of a non-blocking connect(2) that has ended: 0 or an errno; ECONNREFUSED also for a
 * connection that met itself. */
int em_connect_result(int fd);

/* The same for a stream socket in the file system. A full backlog is waited for. */
int em_connect_unix(const char *path, em_time until, int *fd, struct em_err *err);

/* Whose certificates are accepted by https. */
struct em_trust {
    bool any;       /* whatever the server shows */
    const char *ca; /* file of authorities; NULL or "": those that the system trusts */
};

/* How a URL is asked. */
struct em_http_how {
    struct em_http_request request;
    struct em_trust trust;
    unsigned redirects; /* the most that are followed; the headers go to the first server only */
};

/* Asks. `answer` was started by the caller with the limits that it wants (em_http_start) and is
 * freed by it. 0: answer->status is valid, and the body is there as far as it is wanted.
 * EM_EXIT_UNREACHABLE otherwise, with the reason: no connection, no TLS, a certificate that isn't
 * accepted, silence, reset, or what is wrong with the answer. EM_EXIT_CONFIG: no authorities. */
int em_http_ask(const struct em_http_url *url, const struct em_http_how *how, em_time until,
                struct em_http *answer, struct em_err *err);

/* The most bytes of a header that are read. */
#define EM_HTTP_HEAD_MAX 65536

#endif
