/* Where something listens: "HOST:PORT", http:// URLs, and HTTP over a unix socket.
 *
 * Only the forms are looked at here, nothing is resolved. What is accepted is kept narrow, because
 * most of these texts are put together from variables, and "db:" or ":5432" (one of them was empty)
 * must be an error at start and not a minute of waiting.
 */
#ifndef EMBARK_CORE_NET_ENDPOINT_H
#define EMBARK_CORE_NET_ENDPOINT_H

#include "embark/core/base/err.h"

/* The longest path that fits into a sockaddr_un with its closing NUL: 107 bytes on Linux. */
#define EM_UNIX_PATH_MAX 107

/* Splits "HOST:PORT" or "[v6]:PORT" and adds the halves to host (without brackets) and port. HOST:
 * letters, digits, ".", "-" and "_" (Compose's service names have it), at most 253 bytes; v6: an
 * address, with %scope if need be. PORT: a number from 1 to 65535. False: malformed, and nothing is
 * added. */
bool em_host_port(const char *text, struct em_str *host, struct em_str *port);

/* "db:5432", "[::1]:5432": the reverse, added to out. */
void em_host_port_print(const char *host, const char *port, struct em_str *out);

/* Whom to ask, and for what. */
struct em_http_url {
    bool tls;          /* https */
    char *host, *port; /* NULL for a unix socket */
    char *path;        /* of the unix socket; NULL for TCP */
    char *target;      /* of the request line: "/health?full=1", bytes above 0x7F percent-encoded */
    char *authority;   /* for the Host header: "api:8000"; "api" for its scheme's port; "localhost"
                          for unix: */
    char *name;        /* for messages: the URL without its query, which may hold a token */
};

/* Parses
 *
 *     http://HOST[:PORT][/PATH][?QUERY][#FRAGMENT]     the fragment is dropped; https:// too, where
 *                                                      TLS is built in
 *     unix:/PATH/TO.sock[:/PATH[?QUERY]]               HTTP over a unix socket
 *
 * into `url`, which is released by em_http_url_free() in any case. 0 or EM_EXIT_CONFIG: https://
 * without TLS built in (the hint names tcp = HOST:PORT), another scheme, a bad
 * host or port, blanks or control characters, user:password@. Nothing of a text that may hold a
 * password is repeated. */
int em_http_url_parse(struct em_http_url *url, const char *text, struct em_err *err);
void em_http_url_free(struct em_http_url *url);

/* The URL that `location`, of an answer from `url`, stands for: whole, "//host/…", "/path", "?…" or
 * beside url's path; added to `out`. */
void em_http_url_join(const struct em_http_url *url, const char *location, struct em_str *out);

#endif
