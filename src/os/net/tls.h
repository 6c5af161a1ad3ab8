/* TLS over a connected, non-blocking socket, for https. Nothing here can hold up SIGTERM or a
 * deadline. */
#ifndef EMBARK_OS_NET_TLS_H
#define EMBARK_OS_NET_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include "embark/os/net/net.h"

struct em_tls_stream;

/* Shakes hands with `host`, a name (sent as SNI) or an address, for which the certificate must be;
 * that is checked against the file trust->ca, or the authorities that the system trusts, unless
 * trust->any. `name` stands in messages. EM_EXIT_UNREACHABLE with the reason, EM_EXIT_CONFIG for a
 * file that can't be read; *stream is NULL then. The caller closes fd, after em_tls_close(). */
int em_tls_open(int fd, const char *host, const struct em_trust *trust, const char *name,
                em_time until, struct em_tls_stream **stream, struct em_err *err);

/* What send(2) and recv(2) return and set errno to; EAGAIN: await *events. */
ssize_t em_tls_send(struct em_tls_stream *stream, const void *bytes, size_t size, short *events);
ssize_t em_tls_recv(struct em_tls_stream *stream, void *bytes, size_t size, short *events);
void em_tls_close(struct em_tls_stream *stream); /* NULL is fine */

#endif
