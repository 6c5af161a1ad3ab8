#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/bundle/inlined.h"

static void test_spellings(void **state)
{
    struct em_list out = EM_LIST_INIT;

    (void)state;
    em_bundle_spellings("http://a/?b&c", &out);
    assert_string_equal(out.v[0], "http://a/?b&c");
    assert_true(em_list_has(&out, "http:\\/\\/a\\/?b&c"));
    assert_true(em_list_has(&out, "http://a/?b\\u0026c"));
    assert_true(em_list_has(&out, "http://a/?b&amp;c"));
    assert_true(em_list_has(&out, "http:\\u002F\\u002Fa\\u002F?b&c"));
    assert_int_equal(out.n, 5);
    em_list_free(&out);
    em_bundle_spellings("plain", &out);
    assert_int_equal(out.n, 1);
    em_list_free(&out);
}

static void expect_left(const char *text, enum em_bundle_left left, const char *value)
{
    struct em_str got = EM_STR_INIT;
    size_t length = strlen(text), at = (size_t)(strstr(text, "API_URL") - text);
    char *copy = malloc(length);

    memcpy(copy, text, length);
    assert_int_equal(em_bundle_left(copy, length, at, 7, &got), left);
    assert_string_equal(em_str_c(&got), value);
    free(copy);
    em_str_free(&got);
}

static void test_left(void **state)
{
    (void)state;
    expect_left("{DEV:!1,API_URL:\"http://a\",PROD:!0}", EM_BUNDLE_VALUE, "http://a");
    expect_left("{\"API_URL\": 'http://a'}", EM_BUNDLE_VALUE, "http://a");
    expect_left("{\\\"API_URL\\\":\\\"http://a\\\"}", EM_BUNDLE_VALUE, "http://a");
    expect_left("API_URL=http://a\nOTHER=1", EM_BUNDLE_VALUE, "http://a");
    expect_left("{API_URL:void 0}", EM_BUNDLE_UNSET, "");
    expect_left("e.default.env.API_URL||\"http://a\"", EM_BUNDLE_FALLBACK, "http://a");
    expect_left("process.env.API_URL ?? `http://a`", EM_BUNDLE_FALLBACK, "http://a");
    expect_left("process.env[\"API_URL\"] || 'x'", EM_BUNDLE_FALLBACK, "x");
    expect_left("process.env.API_URL||other", EM_BUNDLE_UNSET, "");
    expect_left("process.env.API_URL", EM_BUNDLE_UNSET, "");
    expect_left("{BASE:\"/\"}.API_URL+\"/items\"", EM_BUNDLE_UNSET, "");
    expect_left("set API_URL first", EM_BUNDLE_NOTHING, "");
    expect_left("MY_API_URL:\"a\"", EM_BUNDLE_NOTHING, "");
    expect_left("API_URLS:\"a\"", EM_BUNDLE_NOTHING, "");
    expect_left("if(API_URL==\"a\")", EM_BUNDLE_NOTHING, "");
    expect_left("API_URL:\"not closed", EM_BUNDLE_NOTHING, "");
}

static void test_ways_that_are_not_inlined(void **state)
{
    (void)state;
    expect_left("let{API_URL:e}=process.env", EM_BUNDLE_DESTRUCTURED, "");
    expect_left("let{B:t,API_URL:e,C:n}=r(7).env;", EM_BUNDLE_DESTRUCTURED, "");
    expect_left("const { API_URL, B } = process.env", EM_BUNDLE_DESTRUCTURED, "");
    expect_left("let{API_URL:e}=t.environment", EM_BUNDLE_NOTHING, "");
    expect_left("let{API_URL:e}=t.config", EM_BUNDLE_NOTHING, "");
    expect_left("f({API_URL:e})", EM_BUNDLE_NOTHING, "");
    expect_left("let{API_URL:e}", EM_BUNDLE_NOTHING, "");
    expect_left("let{API_URL:", EM_BUNDLE_NOTHING, "");
    expect_left("get(\"API_URL\")", EM_BUNDLE_COMPUTED, "");
    expect_left("get(\"API_URL is not set\")", EM_BUNDLE_NOTHING, "");
    expect_left("x=\"API_URL", EM_BUNDLE_NOTHING, "");
}

static void expect_part(const char *text, const char *value, enum em_bundle_part part)
{
    size_t length = strlen(text), at = (size_t)(strstr(text, value) - text);
    char *copy = malloc(length);

    memcpy(copy, text, length);
    assert_int_equal(em_bundle_part(copy, length, at, strlen(value)), part);
    free(copy);
}

static void test_parts(void **state)
{
    (void)state;
    expect_part("https://api.example.com", "https://api.exam", EM_BUNDLE_PART);
    expect_part("https://api.example.com:80", "https://api.example.com", EM_BUNDLE_PART);
    expect_part("https://api.example.com.au", "https://api.example.com", EM_BUNDLE_PART);
    expect_part("https://api.example-old.com", "https://api.example", EM_BUNDLE_PART);
    expect_part("https://api.example.com", "https://api.example.com", EM_BUNDLE_WHOLE);
    expect_part("https://api.example.com.", "https://api.example.com", EM_BUNDLE_WHOLE);
    expect_part("\"https://api.example.com/items\"", "https://api.example.com", EM_BUNDLE_WHOLE);
    expect_part("\"https://api.example.com/\"", "https://api.example.com", EM_BUNDLE_SLASH);
    expect_part("\"https://api.example.com/x\"", "https://api.example.com/", EM_BUNDLE_WHOLE);
    expect_part("https://api.example.com", "api.example.com", EM_BUNDLE_WHOLE);
    expect_part("https://my-api.example.com", "api.example.com", EM_BUNDLE_PART);
    expect_part("https://x.api.example.com", "api.example.com", EM_BUNDLE_PART);
}

static void expect_url(const char *text, const char *url, const char *host)
{
    struct em_bundle_url got;
    size_t length = strlen(text);
    char *copy = malloc(length);
    bool found;

    memcpy(copy, text, length);
    found = em_bundle_url(copy, length, (size_t)(strstr(text, "://") - text), &got);
    assert_int_equal(found, url != NULL);
    if (found) {
        assert_int_equal(got.length, strlen(url));
        assert_memory_equal(got.text, url, got.length);
        assert_int_equal(got.host_length, strlen(host));
        assert_memory_equal(got.host, host, got.host_length);
    }
    free(copy);
}

static void test_urls(void **state)
{
    (void)state;
    expect_url("x=\"https://api.example.com/v1\";", "https://api.example.com/v1",
               "api.example.com");
    expect_url("`ws://localhost:3000/${a}`", "ws://localhost:3000/", "localhost:3000");
    expect_url("http://u:p@h:1/a@b", "http://u:p@h:1/a@b", "h:1");
    expect_url("http://[::1]:80/", "http://[::1]:80/", "[::1]:80");
    expect_url("HTTPS://EXAMPLE.COM", "HTTPS://EXAMPLE.COM", "EXAMPLE.COM");
    expect_url("see http://example.com.", "http://example.com.", "example.com");
    expect_url("`https://${host}/`", NULL, NULL);
    expect_url("ftp://a", NULL, NULL);
    expect_url("xhttp://a", NULL, NULL);
    expect_url("http://", NULL, NULL);
    expect_url("://a", NULL, NULL);
    expect_url("http://[::1", NULL, NULL);
}

static int alike(const char *url, const char *wanted)
{
    struct em_bundle_url got;

    assert_true(em_bundle_url(url, strlen(url), (size_t)(strstr(url, "://") - url), &got));
    return em_bundle_alike(&got, wanted);
}

static void test_alike(void **state)
{
    const char *wanted = "https://api.example.com/v1/";

    (void)state;
    assert_int_equal(alike("http://www.w3.org/v1", wanted), 0);
    assert_int_equal(alike("https://cdn.other.net/x.js", wanted), 0);
    assert_int_equal(alike("https://cdn.other.net/x.js", "no URL"), 0);
    assert_true(alike("http://localhost:3000/v1/items", wanted) >
                alike("http://localhost:3000/other", wanted));
    assert_true(alike("http://localhost:3000", wanted) > alike("http://localhost", wanted));
    assert_true(alike("http://localhost", wanted) > alike("https://old.example.com", wanted));
    assert_true(alike("https://old.example.com", wanted) > 0);
    assert_true(alike("http://backend:8000/x", wanted) > 0);
    assert_true(alike("https://other.net/v1", wanted) > 0);
}

static void test_noise(void **state)
{
    (void)state;
    assert_true(em_bundle_host_is_noise("www.w3.org", 10));
    assert_true(em_bundle_host_is_noise("n", 1));
    assert_false(em_bundle_host_is_noise("neww3.org", 9));
    assert_false(em_bundle_host_is_noise("api.example.com", 15));
}

static void test_around(void **state)
{
    struct em_str out = EM_STR_INIT;
    char text[400];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + 200, "HERE", 4);
    em_bundle_around(text, sizeof(text), 200, 4, &out);
    assert_int_equal(out.len, 40 + 4 + 40 + 2 * strlen("…"));
    em_str_free(&out);
    em_bundle_around("a\nbHEREc\nd", 10, 3, 4, &out);
    assert_string_equal(em_str_c(&out), "bHEREc");
    em_str_free(&out);
    for (size_t i = 0; i < 120; i++) /* cut between characters only */
        memcpy(text + 3 * i, "€", 3);
    em_bundle_around(text, 360, 180, 3, &out);
    assert_int_equal((out.len - 2 * strlen("…")) % 3, 0);
    em_str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_ways_that_are_not_inlined),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_alike),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_around),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
