/* core/net/endpoint.h: HOST:PORT and URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/net/endpoint.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_host_port(void **state)
{
    static const char *const good[][3] = {
        {"db:5432", "db", "5432"},
        {"my_db.internal-net:1", "my_db.internal-net", "1"},
        {"10.0.0.7:65535", "10.0.0.7", "65535"},
        {"[::1]:5432", "::1", "5432"},
        {"[fe80::1%eth0]:80", "fe80::1%eth0", "80"},
        {"[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1", "80"},
        {"db:0080", "db", "0080"},
    };
    static const char *const bad[] = {
        "",
        "db",
        "db:",
        ":5432",
        "db:0",
        "db:65536",
        "db:99999999999999999999",
        "db:http",
        "db: 80",
        "db :80",
        " db:80",
        "db:80 ",
        "db:80/",
        "db:+80",
        "::1:5432",
        "[::1]5432",
        "[::1]",
        "[::1:5432",
        "[db]:80",
        "[]:80",
        "[:]:80",
        "a:b:80",
        "user@db:1",
        "tcp://db:1",
        "[::1%]:80",
        "d\xC3\xA4:80",
        "db:80\n",
        "[::1]]:80",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        EM_STR_AUTO host = EM_STR_INIT;
        EM_STR_AUTO port = EM_STR_INIT;
        assert_true(em_host_port(good[i][0], &host, &port));
        assert_string_equal(em_str_c(&host), good[i][1]);
        assert_string_equal(em_str_c(&port), good[i][2]);
        EM_STR_AUTO back = EM_STR_INIT;
        em_host_port_print(em_str_c(&host), em_str_c(&port), &back);
        assert_string_equal(em_str_c(&back), good[i][0]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        EM_STR_AUTO host = EM_STR_INIT;
        EM_STR_AUTO port = EM_STR_INIT;
        if (em_host_port(bad[i], &host, &port))
            fail_msg("\"%s\" is taken for %s and %s", bad[i], em_str_c(&host), em_str_c(&port));
        assert_int_equal(host.len + port.len, 0);
    }
}

static void test_a_name_of_254_bytes_is_too_long(void **state)
{
    char text[300];
    EM_STR_AUTO host = EM_STR_INIT;
    EM_STR_AUTO port = EM_STR_INIT;
    (void)state;
    memset(text, 'a', sizeof text);
    strcpy(text + 253, ":80");
    assert_true(em_host_port(text, &host, &port));
    strcpy(text + 253, "a:80");
    assert_false(em_host_port(text, &host, &port));
}

static const char *or_null(const char *text)
{
    return text ? text : "(null)";
}

static void test_urls(void **state)
{
    /* URL, host, port, path, target, authority, name */
    static const char *const good[][7] = {
        {"http://api", "api", "80", NULL, "/", "api", "http://api"},
        {"http://api/", "api", "80", NULL, "/", "api", "http://api/"},
        {"HTTP://api:8000/health", "api", "8000", NULL, "/health", "api:8000",
         "HTTP://api:8000/health"},
        {"http://api:80/x", "api", "80", NULL, "/x", "api", "http://api:80/x"},
        {"http://[::1]:8000/x", "::1", "8000", NULL, "/x", "[::1]:8000", "http://[::1]:8000/x"},
        {"http://[::1]/x", "::1", "80", NULL, "/x", "[::1]", "http://[::1]/x"},
        {"http://api?full", "api", "80", NULL, "/?full", "api", "http://api"},
        {"http://api:1/x?token=geheim#top", "api", "1", NULL, "/x?token=geheim", "api:1",
         "http://api:1/x"},
        {"http://api#top", "api", "80", NULL, "/", "api", "http://api"},
        {"http://api/gr\xC3\xBC\xC3\x9F", "api", "80", NULL, "/gr%C3%BC%C3%9F", "api",
         "http://api/gr\xC3\xBC\xC3\x9F"},
        {"http://api/@me", "api", "80", NULL, "/@me", "api", "http://api/@me"},
        {"unix:/run/app.sock", NULL, NULL, "/run/app.sock", "/", "localhost", "unix:/run/app.sock"},
        {"unix:/run/app.sock:/health?x=1", NULL, NULL, "/run/app.sock", "/health?x=1", "localhost",
         "unix:/run/app.sock:/health"},
        {"unix:/run/a:b.sock:/p/http://x", NULL, NULL, "/run/a:b.sock", "/p/http://x", "localhost",
         "unix:/run/a:b.sock:/p/http://x"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct em_http_url url;
        EM_ERR_AUTO err = EM_ERR_INIT;
        if (em_http_url_parse(&url, good[i][0], &err) != 0)
            fail_msg("%s: %s", good[i][0], em_str_c(&err.text));
        const char *got[] = {url.host, url.port, url.path, url.target, url.authority, url.name};
        for (size_t k = 0; k < COUNT(got); k++)
            assert_string_equal(or_null(got[k]), or_null(good[i][k + 1]));
        em_http_url_free(&url);
    }
}

static void test_bad_urls(void **state)
{
    /* URL, a part of the text, of the hint */
    static const char *const bad[][3] = {
        {"", "is neither an http:// or https:// URL nor unix:", ""},
        {"api:8000", "is neither an http:// or https:// URL nor unix:", ""},
        {"ftp://api", "\"ftp://api\" is neither", ""},
        {"http://", "has no valid host", ""},
        {"http://:80/", "has no valid host", ""},
        {"http:///x", "has no valid host", ""},
        {"http://a\\b/", "has no valid host", ""},
        {"http://::1/", "has no valid host", ""},
        {"http://api:", "has no valid port", ""},
        {"http://api:http/", "has no valid port", ""},
        {"http://[::1]x/", "has no valid port", ""},
        {"http://api/a b", "a blank or a control character", ""},
        {"http://api/\r\nX: y", "a blank or a control character", ""},
        {"http://api/\x7F", "a blank or a control character", ""},
        {"https://", "has no valid host", ""},
        {"https://api:0/", "has no valid port", ""},
        {"unix:run/app.sock", "no absolute path", ""},
        {"unix:", "no absolute path", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct em_http_url url;
        EM_ERR_AUTO err = EM_ERR_INIT;
        assert_int_equal(em_http_url_parse(&url, bad[i][0], &err), EM_EXIT_CONFIG);
        if (!strstr(em_str_c(&err.text), bad[i][1]) || !strstr(em_str_c(&err.hint), bad[i][2]))
            fail_msg("\"%s\": %s (%s)", bad[i][0], em_str_c(&err.text), em_str_c(&err.hint));
        em_http_url_free(&url);
    }
}

/* The tests' build has TLS; without, https is refused as any other scheme is. */
static void test_https(void **state)
{
    struct em_http_url url;
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    assert_int_equal(em_http_url_parse(&url, "HTTPS://api/x", &err), 0);
    assert_true(url.tls);
    assert_string_equal(url.port, "443");
    assert_string_equal(url.authority, "api");
    em_http_url_free(&url);
    assert_int_equal(em_http_url_parse(&url, "https://api:80/x", &err), 0);
    assert_string_equal(url.authority, "api:80");
    em_http_url_free(&url);
}

static void test_locations(void **state)
{
    static const char *const samples[][3] = {
        {"http://api:8000/a/b?q=1", "/c", "http://api:8000/c"},
        {"http://api:8000/a/b?q=1", "c", "http://api:8000/a/c"},
        {"http://api/a/b?q=1", "?q=2", "http://api/a/b?q=2"},
        {"http://api", "c#top", "http://api/c"},
        {"https://api/x", "//other/y", "https://other/y"},
        {"https://api/x", "http://other:1/y#z", "http://other:1/y"},
        {"https://api/x", "ftp://other/", "ftp://other/"},
        {"unix:/run/s.sock:/a/b", "c", "unix:/run/s.sock:/a/c"},
        {"unix:/run/s.sock", "/c", "unix:/run/s.sock:/c"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct em_http_url url;
        EM_STR_AUTO out = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        assert_int_equal(em_http_url_parse(&url, samples[i][0], &err), 0);
        em_http_url_join(&url, samples[i][1], &out);
        assert_string_equal(em_str_c(&out), samples[i][2]);
        em_http_url_free(&url);
    }
}

static void test_no_password_is_repeated(void **state)
{
    static const char *const urls[] = {
        "http://me:geheim@api/x",       "https://me:geheim@api/x",
        "http://me:ge/geheim@api/x",    "ftp://me:geheim@api",
        "http://me:x geheim@api/x",     "postgres://me:geheim@db/x",
        "http://me:80/geheim@api:0/x?", "me:geheim@api",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct em_http_url url;
        EM_ERR_AUTO err = EM_ERR_INIT;
        em_http_url_parse(&url, urls[i], &err);
        assert_null(strstr(em_str_c(&err.text), "geheim"));
        assert_null(strstr(em_str_c(&err.hint), "geheim"));
        em_http_url_free(&url);
    }
}

static void test_a_socket_path_has_107_bytes_at_most(void **state)
{
    struct em_http_url url;
    EM_STR_AUTO text = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    em_str_puts(&text, "unix:/");
    for (int i = 0; i < 106; i++)
        em_str_putc(&text, 'x');
    assert_int_equal(em_http_url_parse(&url, em_str_c(&text), &err), 0);
    em_http_url_free(&url);
    em_str_putc(&text, 'x');
    assert_int_equal(em_http_url_parse(&url, em_str_c(&text), &err), EM_EXIT_CONFIG);
    em_http_url_free(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_port),
        cmocka_unit_test(test_a_name_of_254_bytes_is_too_long),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_bad_urls),
        cmocka_unit_test(test_https),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_no_password_is_repeated),
        cmocka_unit_test(test_a_socket_path_has_107_bytes_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
