/* core/postgres/options.h, and what a URL's options say of search_path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/postgres/options.h"
#include "embark/core/url/url.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_search_path(void **state)
{
    /* options, and what a server makes of it: "SHOW search_path" on PostgreSQL 15 said so. */
    static const char *const found[][2] = {
        {"-c search_path=app", "app"},
        {"-csearch_path=app", "app"},
        {"--search_path=app", "app"},
        {"--search-path=app", "app"},
        {"-c search-path=app", "app"},
        {"-c SEARCH_PATH=app", "app"},
        {"-c search_path=", ""},
        {"-c search_path=a=b", "a=b"},
        {"-c search_path=app,public", "app,public"},
        {"-c search_path=app,\\ public", "app, public"},
        {"-c search_path=a\\\\b", "a\\b"},
        {"-c search_path=\"Odd\\ Name\",public", "\"Odd Name\",public"},
        {"\t-c\n search_path=app ", "app"},
        {"-c search_path=app\\", "app"},
        {"-c search_path=first -c work_mem=8MB --search_path=last", "last"},
        {"-c statement_timeout=5s -c search_path=app", "app"},
        {"-e -fs -S 4096 -c search_path=app", "app"},
        {"-ecsearch_path=app", "app"},
        {"-ec search_path=app", "app"},
        {"-c sear\\ch_path=app", "app"},
    };
    static const char *const none[] = {
        "",
        " ",
        "-c work_mem=8MB",
        "-c search_path",
        "-c",
        "search_path=app",
        "-c search_paths=app",
        "-c search_pat=app",
        "-c application_name=-csearch_path=app",
        "-f -csearch_path=app",
        "-- -c search_path=app",
        "-c\\ search_path=app",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(found); i++) {
        EM_URL_AUTO url = EM_URL_INIT;
        EM_STR_AUTO path = EM_STR_INIT;
        em_str_puts(&path, "before");
        em_url_set(&url, "options", found[i][0]);
        if (!em_url_search_path(&url, &path) || strcmp(em_str_c(&path), found[i][1]) != 0)
            fail_msg("%s: %s, not %s", found[i][0], em_str_c(&path), found[i][1]);
    }
    for (size_t i = 0; i < COUNT(none); i++) {
        EM_URL_AUTO url = EM_URL_INIT;
        EM_STR_AUTO path = EM_STR_INIT;
        em_str_puts(&path, "before");
        em_url_set(&url, "options", none[i]);
        if (em_url_search_path(&url, &path) || strcmp(em_str_c(&path), "before") != 0)
            fail_msg("%s: %s", none[i], em_str_c(&path));
    }
}

static void test_of_a_url(void **state)
{
    EM_URL_AUTO url = EM_URL_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO path = EM_STR_INIT;
    (void)state;
    assert_int_equal(
        em_url_parse(&url, "postgres://h/d?schema=s&options=-csearch_path%3Da%2Cb", NULL, &err), 0);
    assert_true(em_url_search_path(&url, &path));
    assert_string_equal(em_str_c(&path), "a,b");
    assert_string_equal(url.schema, "s");
}

static void test_plain(void **state)
{
    static const char *const plain[] = {
        "", "  ", "-c a=b", "--a=b", "-e -c a=b", "-c a=b\\ c", "-f s", "-c a=",
    };
    /* A server refuses them, or they are a proxy's. */
    static const char *const other[] = {
        "endpoint=ep-cool-1",
        "reference=abc",
        "-c a=b project=x",
        "-c",
        "-c a",
        "--a",
        "--",
        "-",
        "-c a=b -- -c c=d",
        "-Z",
        "-c =b",
        "a",
    };
    (void)state;
    assert_true(em_pg_options_plain(NULL));
    for (size_t i = 0; i < COUNT(plain); i++)
        if (!em_pg_options_plain(plain[i]))
            fail_msg("%s", plain[i]);
    for (size_t i = 0; i < COUNT(other); i++)
        if (em_pg_options_plain(other[i]))
            fail_msg("%s", other[i]);
}

/* Whatever plain options stand in front, what is added counts. */
static void test_add(void **state)
{
    static const char *const before[] = {
        "",
        "-c search_path=evil",
        "-c search_path=evil\\",
        "-c search_path=evil\\\\",
        "-c search_path=evil\\ ",
        "--search-path=evil ",
    };
    static const char *const values[] = {"pg_catalog,pg_temp", "read committed", "a\\b", ""};
    (void)state;
    for (size_t i = 0; i < COUNT(before); i++)
        for (size_t v = 0; v < COUNT(values); v++) {
            EM_STR_AUTO options = EM_STR_INIT;
            EM_STR_AUTO value = EM_STR_INIT;
            em_str_puts(&options, before[i]);
            em_pg_options_add(&options, "search_path", values[v]);
            em_pg_options_add(&options, "role", "none");
            assert_true(em_pg_options_plain(em_str_c(&options)));
            assert_true(em_pg_options_get(em_str_c(&options), "search_path", &value));
            assert_string_equal(em_str_c(&value), values[v]);
            assert_true(em_pg_options_get(em_str_c(&options), "role", &value));
            assert_string_equal(em_str_c(&value), "none");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_path),
        cmocka_unit_test(test_of_a_url),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
