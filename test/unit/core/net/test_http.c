/* core/net/http.h: the answer's parser, and the request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/net/http.h"

enum { HEAD = 256, BODY = 64 };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct sample {
    const char *bytes;
    size_t length; /* 0: strlen */
    int status;
    const char *body;  /* the whole of it, or NULL: not looked at */
    const char *wrong; /* NULL: a complete answer, once the connection has ended */
};

/* Feeds it in pieces of `step` bytes, and ends the connection. */
static void run(struct em_http *http, const struct sample *sample, size_t step)
{
    size_t length = sample->length ? sample->length : strlen(sample->bytes);
    em_http_start(http, HEAD, BODY);
    for (size_t at = 0; at < length; at += step) {
        /* a copy of its own, so that a sanitizer sees a look beyond the piece */
        size_t n = length - at < step ? length - at : step;
        char *piece = malloc(n);
        memcpy(piece, sample->bytes + at, n);
        em_http_feed(http, piece, n);
        free(piece);
    }
    em_http_end(http);
}

static void check(const struct sample *sample, size_t step)
{
    struct em_http http;
    run(&http, sample, step);
    if (sample->wrong) {
        assert_int_equal(http.phase, EM_HTTP_BAD);
        assert_string_equal(http.wrong, sample->wrong);
    } else {
        if (http.phase == EM_HTTP_BAD)
            fail_msg("\"%.60s\" in pieces of %zu: the answer %s", sample->bytes, step, http.wrong);
        assert_int_equal(http.phase, EM_HTTP_DONE);
        assert_int_equal(http.status, sample->status);
    }
    if (sample->body)
        assert_string_equal(em_str_c(&http.body), sample->body);
    em_http_free(&http);
}

static void check_all(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t step = 1; step < 40; step++)
            check(&samples[i], step);
    for (size_t i = 0; i < count; i++)
        check(&samples[i], SIZE_MAX / 2);
}

static void test_answers(void **state)
{
    static const struct sample samples[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 200, "hello", NULL},
        {"HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello and more", 0, 200, "hello", NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length : \t5 \r\n\r\nhello", 0, 200, "hello", NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5, 5\r\n\r\nhello", 0, 200,
         "hello", NULL},
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 0, 503, "", NULL},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", 0, 200, "until the end", NULL},
        {"HTTP/1.0 200 OK\n\nlines of LF", 0, 200, "lines of LF", NULL},
        {"HTTP/1.1 404\r\n\r\n", 0, 404, "", NULL},
        {"HTTP/1.1 404 \r\n\r\n", 0, 404, "", NULL},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", 0, 204, "", NULL},
        {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 304, "", NULL},
        {"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 0, 302, "", NULL},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\1\2\3", 0, 101, "", NULL},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         0, 200, "ok", NULL},
        {"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\tand again\r\nContent-Length: 1\r\n\r\nx", 0, 200,
         "x", NULL},
        {"HTTP/1.1 200 \xC3\xA4\r\nX: \xFF\r\nContent-Length: 1\r\n\r\nx", 0, 200, "x", NULL},
        /* a length of more than is kept: the first BODY bytes */
        {"HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n"
         "0123456789012345678901234567890123456789012345678901234567890123456789",
         0, 200, "0123456789012345678901234567890123456789012345678901234567890123", NULL},
    };
    (void)state;
    check_all(samples, COUNT(samples));
}

static void test_chunked_answers(void **state)
{
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    static const struct sample samples[] = {
        {CHUNKED "5\r\nhello\r\n0\r\n\r\n", 0, 200, "hello", NULL},
        {CHUNKED "5;name=\"v\"\r\nhello\r\n00A \t\r\n, and more\r\n0\r\nTrailer: x\r\n\r\n", 0, 200,
         "hello, and more", NULL},
        {CHUNKED "5\nhello\n0\n\n", 0, 200, "hello", NULL},
        {CHUNKED "0\r\n\r\n", 0, 200, "", NULL},
        {"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: gzip, CHUNKED\r\nContent-Length: "
         "7\r\n\r\n1\r\nx\r\n0\r\n\r\n",
         0, 200, "x", NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nxyz", 0, 200,
         "xyz", NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nxyz", 0, 200, "xyz", NULL},
        {CHUNKED "5\r\nhello", 0, 0, NULL, "ends before its body is complete"},
        {CHUNKED "5\r\nhello\r\n0\r\n", 0, 0, NULL, "ends before its body is complete"},
        {CHUNKED "5\r\nhello!\r\n0\r\n\r\n", 0, 0, NULL, "has a chunk that is longer than it says"},
        {CHUNKED "\r\n", 0, 0, NULL, "has a chunk whose size is not a number"},
        {CHUNKED "-5\r\nhello\r\n", 0, 0, NULL, "has a chunk whose size is not a number"},
        {CHUNKED "0x5\r\nhello\r\n", 0, 0, NULL, "has a chunk whose size is not a number"},
        {CHUNKED "5 5\r\nhello\r\n", 0, 0, NULL, "has a chunk whose size is not a number"},
        {CHUNKED "FFFFFFFFFFFFFFFFF\r\n", 0, 0, NULL, "has a chunk whose size is not a number"},
        {CHUNKED "FFFFFFFFFFFFFFFF\r\n", 0, 0, NULL, "has a chunk whose size is not a number"},
        {CHUNKED "FFFFFFFFFFFFFFF\r\nabc", 0, 0, "abc", "ends before its body is complete"},
    };
    (void)state;
    check_all(samples, COUNT(samples));
}

static void test_hostile_answers(void **state)
{
    static const struct sample samples[] = {
        {"", 0, 0, NULL, "is empty"},
        {"HTTP/1.1 20", 0, 0, NULL, "ends before its header is complete"},
        {"HTTP/1.1 200 OK\r\nServer: x\r\n", 0, 0, NULL, "ends before its header is complete"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 0, 0, "hell",
         "ends before its body is complete"},
        {"SSH-2.0-OpenSSH_9.2p1\r\n", 0, 0, NULL, "is not HTTP/1"},
        {"HTTP/2 200\r\n\r\n", 0, 0, NULL, "is not HTTP/1"},
        {"http/1.1 200 OK\r\n\r\n", 0, 0, NULL, "is not HTTP/1"},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", 0, 0, NULL, "is not HTTP/1"},
        {"\0\0\x12\4\0\0\0\0\0", 9, 0, NULL, "is not HTTP/1"}, /* HTTP/2's first frame */
        {"\x15\3\1\0\2\2\x46", 7, 0, NULL, "is TLS, not plain HTTP"},
        {"HTTP/1.1 20\r\n\r\n", 0, 0, NULL, "has a status line that is not HTTP/1"},
        {"HTTP/1.1 2000 OK\r\n\r\n", 0, 0, NULL, "has a status line that is not HTTP/1"},
        {"HTTP/1.1 099 OK\r\n\r\n", 0, 0, NULL, "has a status line that is not HTTP/1"},
        {"HTTP/1.1  200 OK\r\n\r\n", 0, 0, NULL, "has a status line that is not HTTP/1"},
        {"HTTP/1.10 200 OK\r\n\r\n", 0, 0, NULL, "has a status line that is not HTTP/1"},
        {"HTTP/1.1 200 OK\r\nX\0Y: 1\r\n\r\n", 27, 0, NULL,
         "holds a control character in its header"},
        {"HTTP/1.1 200 OK\r\nX: 1\rY: 2\r\n\r\n", 0, 0, NULL,
         "holds a control character in its header"},
        {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 0, 0, NULL, "holds a header line without a name"},
        {"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n", 0, 0, NULL, "holds a header line without a name"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", 0, 0, NULL,
         "has a Content-Length that is not a number"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 0, 0, NULL,
         "has a Content-Length that is not a number"},
        {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", 0, 0, NULL,
         "has a Content-Length that is not a number"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5,\r\n\r\n", 0, 0, NULL,
         "has a Content-Length that is not a number"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\n", 0, 0, NULL,
         "has a Content-Length that is not a number"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 0, 0, NULL,
         "has two different Content-Lengths"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", 0, 0, NULL,
         "has a folded header that says how long it is"},
    };
    (void)state;
    check_all(samples, COUNT(samples));
}

/* The header, all interim answers together, and the lines between chunks: each has its limit,
 * whoever goes on sending. */
static void test_limits(void **state)
{
    static const char *const endless[] = {
        "HTTP/1.1 200 OK\r\nX: y\r\n|X: y\r\n",
        "HTTP/1.1 200 OK\r\nX: |y",
        "HTTP/1.1 200 |O",
        "|HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;|x",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n|X: y\r\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(endless); i++) {
        struct em_http http;
        const char *bar = strchr(endless[i], '|');
        em_http_start(&http, HEAD, BODY);
        em_http_feed(&http, endless[i], (size_t)(bar - endless[i]));
        for (int n = 0; n < 10000; n++)
            em_http_feed(&http, bar + 1, strlen(bar + 1));
        assert_int_equal(http.phase, EM_HTTP_BAD);
        assert_non_null(strstr(http.wrong, "too large"));
        assert_true(http.line.cap <= 2 * HEAD);
        assert_true(http.line.len <= 32);
        em_http_free(&http);
    }
}

static void test_an_endless_body_is_cut(void **state)
{
    struct em_http http;
    (void)state;
    em_http_start(&http, HEAD, BODY);
    em_http_feed(&http, "HTTP/1.1 200 OK\r\n\r\n", 19);
    assert_int_equal(http.phase, EM_HTTP_BODY);
    assert_true(em_http_wants(&http));
    for (int n = 0; n < 100000; n++)
        em_http_feed(&http, "0123456789", 10);
    assert_false(em_http_wants(&http));
    assert_int_equal(http.body.len, BODY);
    assert_true(http.body.cap <= 2 * BODY);
    em_http_free(&http);
}

static void test_without_a_body_the_header_is_enough(void **state)
{
    struct em_http http;
    (void)state;
    em_http_start(&http, HEAD, 0);
    em_http_feed(&http, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", 36);
    assert_true(em_http_wants(&http));
    em_http_feed(&http, "\r\n", 2);
    assert_false(em_http_wants(&http));
    assert_int_equal(http.status, 200);
    em_http_free(&http);
}

static void test_a_bad_answer_keeps_its_first_bytes(void **state)
{
    struct em_http http;
    (void)state;
    em_http_start(&http, HEAD, 0);
    em_http_feed(&http, "220 mail.example.org ESMTP and so on and on\r\n", 45);
    assert_int_equal(http.phase, EM_HTTP_BAD);
    assert_string_equal(em_str_c(&http.line), "220 mail.example.org ESMTP and s");
    em_http_free(&http);
}

static void test_request(void **state)
{
    struct em_http_url url;
    EM_STR_AUTO own = EM_STR_INIT;
    EM_STR_AUTO other = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    assert_int_equal(em_http_url_parse(&url, "http://api:8000/health?full=1#x", &err), 0);
    static char *headers[] = {"Authorization: Bearer x", "accept: text/html"};
    const struct em_http_request plain = {NULL, NULL, 0}, more = {"example.org", headers, 2};
    em_http_request_print(&url, &plain, &own);
    em_http_request_print(&url, &more, &other);
    em_http_url_free(&url);
    assert_string_equal(em_str_c(&own),
                        "GET /health?full=1 HTTP/1.1\r\nHost: api:8000\r\nUser-Agent: embark\r\n"
                        "Accept: */*\r\nConnection: close\r\n\r\n");
    assert_string_equal(
        em_str_c(&other),
        "GET /health?full=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: embark\r\n"
        "Authorization: Bearer x\r\naccept: text/html\r\nConnection: close\r\n\r\n");
}

static void test_headers(void **state)
{
    static const char *const good[] = {"A: b", "X-Y:", "Accept:text/html, */*",
                                       "K: caf\xc3\xa9\tx"};
    static const char *const bad[] = {
        "",           "A",          ": b",    "A B: c",
        "A : c",      "A: b\nC: d", "A: b\r", "Connection: keep-alive",
        "\xc3\xa9: x"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(em_http_is_header(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(em_http_is_header(bad[i]));
}

static void test_location(void **state)
{
    static const char answer[] =
        "HTTP/1.1 302 Found\r\nlocation:  /there \r\nContent-Length: 0\r\n\r\n";
    struct em_http http;
    (void)state;
    em_http_start(&http, HEAD, BODY);
    em_http_feed(&http, answer, strlen(answer));
    assert_string_equal(em_str_c(&http.location), "/there");
    assert_true(em_http_is_redirect(http.status));
    assert_false(em_http_is_redirect(304));
    em_http_free(&http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_chunked_answers),
        cmocka_unit_test(test_hostile_answers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_an_endless_body_is_cut),
        cmocka_unit_test(test_without_a_body_the_header_is_enough),
        cmocka_unit_test(test_a_bad_answer_keeps_its_first_bytes),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_location),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
