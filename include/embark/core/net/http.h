/* HTTP/1.x from the side of somebody who asks one question: the request, and an incremental parser
 * for the answer.
 *
 * Pure: bytes in, state out. The other end is not trusted (a health check talks to whatever has the
 * port): no input makes it use more memory than its limits, and how the bytes are cut into pieces
 * doesn't change the outcome.
 *
 *     struct em_http answer;
 *     em_http_start(&answer, 65536, 4096);
 *     while (em_http_wants(&answer) && (n = read(fd, bytes, sizeof bytes)) > 0)
 *         em_http_feed(&answer, bytes, n);
 *     if (n == 0)
 *         em_http_end(&answer);
 *     if (answer.phase == EM_HTTP_BAD)
 *         …"the answer %s", answer.wrong
 *     else
 *         …answer.status
 *     em_http_free(&answer);
 *
 * Understood are the status line of HTTP/1.0 and 1.1, interim answers (100, 103: skipped),
 * Content-Length, Transfer-Encoding: chunked with trailers, bodies that end with the connection,
 * lines that end with LF alone, folded header lines. Not strict where only a request smuggler would
 * care (one question, one connection), strict about what makes an answer's meaning unsure.
 */
#ifndef EMBARK_CORE_NET_HTTP_H
#define EMBARK_CORE_NET_HTTP_H

#include <stdint.h>

#include "embark/core/net/endpoint.h"

/* What a request has beside its URL. */
struct em_http_request {
    const char *host;     /* the Host header; NULL: the URL's own */
    char *const *headers; /* "NAME: VALUE", each of which em_http_is_header() */
    size_t n;
};

/* A GET for url's target. HTTP/1.1 (some proxies refuse 1.0) with "Connection: close". */
void em_http_request_print(const struct em_http_url *url, const struct em_http_request *request,
                           struct em_str *out);

/* Whether `text` is "NAME: VALUE" (RFC 9110, 5.1 and 5.5). */
bool em_http_is_header(const char *text);

/* Whether an answer of that status says where else to ask. */
bool em_http_is_redirect(int status);

enum em_http_phase {
    EM_HTTP_HEAD, /* the header isn't complete, and status not to be relied on */
    EM_HTTP_BODY, /* the header is complete: status is valid */
    EM_HTTP_DONE, /* all of it is there */
    EM_HTTP_BAD,  /* not an answer: see wrong */
};

struct em_http {
    enum em_http_phase phase;
    int status;         /* 100 to 999; 0 until the status line was read */
    const char *wrong;  /* BAD: goes on after "the answer …": "is not HTTP/1" (static text) */
    struct em_str body; /* its first body_limit bytes, chunks put together; may hold NUL bytes */
    struct em_str location; /* the header of that name, or "" */

    /* Internal. */
    size_t head_limit, body_limit;
    size_t head;        /* bytes of header, chunk size line or trailers so far */
    int part;           /* what the next byte belongs to */
    struct em_str line; /* that isn't complete; of a BAD answer its first bytes, at most 32 */
    bool chunked, coded, has_length, framing;
    uint64_t length, left;
};

/* head_limit: the most bytes of a header (with its trailers); body_limit: the most that is kept of
 * the body, 0: nothing, the caller stops at EM_HTTP_BODY. */
void em_http_start(struct em_http *http, size_t head_limit, size_t body_limit);
/* Takes bytes. What comes after a complete or a bad answer is ignored. */
void em_http_feed(struct em_http *http, const char *bytes, size_t length);
/* The other end has closed: completes a body that ends with the connection, makes everything else
 * that isn't DONE BAD. */
void em_http_end(struct em_http *http);
/* Whether more bytes can change what the caller sees: no answer yet, or less than body_limit of a
 * body that goes on. */
bool em_http_wants(const struct em_http *http);
void em_http_free(struct em_http *http);

#endif
