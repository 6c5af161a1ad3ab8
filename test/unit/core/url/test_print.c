#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "url_show.h"

static bool knows_host_only(const char *keyword)
{
    return strcmp(keyword, "host") == 0;
}

static void asks_what_is_known(void **state)
{
    EM_STR_AUTO out = EM_STR_INIT;
    (void)state;
    show("postgres://h?require_auth=none&host=i&application_name=x", knows_host_only, &out);
    assert_string_equal(em_str_c(&out), "host=[i] -require_auth -application_name");
    em_str_cut(&out, 0);
    show("postgres://h?require_auth=none&sslnegotiation=direct&oauth_issuer=x", NULL, &out);
    assert_string_equal(em_str_c(&out),
                        "host=[h] require_auth=[none] sslnegotiation=[direct] oauth_issuer=[x]");
}

static void get_and_set(void **state)
{
    EM_URL_AUTO url = EM_URL_INIT;
    (void)state;
    assert_null(em_url_get(&url, "host"));
    em_url_set(&url, "host", NULL);
    em_url_set(&url, "host", "");
    assert_int_equal(url.keys.n, 0);
    for (int i = 0; i < 20; i++) {
        char name[8] = {'k', (char)('a' + i)};
        em_url_set(&url, name, "v");
    }
    em_url_set(&url, "kc", "w");
    em_url_set(&url, "kc", em_url_get(&url, "kc")); /* its own value */
    assert_string_equal(em_url_get(&url, "kc"), "w");
    em_url_set(&url, "ka", "");
    em_url_set(&url, "kt", NULL);
    assert_int_equal(url.keys.n, 18);
    assert_int_equal(url.values.n, 18);
    assert_null(url.keys.v[18]);
    assert_string_equal(url.keys.v[0], "kb");
    assert_null(em_url_get(&url, "ka"));
    em_url_set(&url, "ka", "x");
    assert_string_equal(url.keys.v[18], "ka");
    em_url_free(&url);
    em_url_free(&url);
    assert_int_equal(url.keys.n, 0);
}

static void where(void **state)
{
    static const struct {
        const char *host, *port, *shown;
    } examples[] = {
        {"db", "5433", "db:5433"},
        {"::1", "5432", "[::1]:5432"},
        {"/var/run/postgresql", "5432", "/var/run/postgresql/.s.PGSQL.5432"},
        {"@abstract", "1", "@abstract/.s.PGSQL.1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        EM_STR_AUTO out = EM_STR_INIT;
        em_place_print(examples[i].host, examples[i].port, &out);
        assert_string_equal(em_str_c(&out), examples[i].shown);
    }
}

static void print(void **state)
{
    static const struct {
        const char *text, *without, *with;
    } examples[] = {
        {"host=h user='a b' password='p@s/s' dbname='d/e' sslmode=require sslpassword=x",
         "postgresql://a%20b@h/d%2Fe?sslmode=require",
         "postgresql://a%20b:p%40s%2Fs@h/d%2Fe?sslmode=require&sslpassword=x"},
        {"password=x host=h", "postgresql://h/", "postgresql://:x@h/"},
        {"host=a,b port=7 dbname=d", "postgresql://a:7,b:7/d", "postgresql://a:7,b:7/d"},
        {"host=a,::1 port=7,", "postgresql://a:7,[::1]/", "postgresql://a:7,[::1]/"},
        {"host=/tmp port=5433 user=u password=p", "postgresql://u@/?host=/tmp&port=5433",
         "postgresql://u:p@/?host=/tmp&port=5433"},
        {"host=h,/tmp port=1,2", "postgresql:///?host=h,/tmp&port=1,2",
         "postgresql:///?host=h,/tmp&port=1,2"},
        {"postgres://u@h/d?options=-c%20a%3Db&schema=x", "postgresql://u@h/d?options=-c%20a%3Db",
         "postgresql://u@h/d?options=-c%20a%3Db"},
        {"service=s", "postgresql:///?service=s", "postgresql:///?service=s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        EM_ERR_AUTO err = EM_ERR_INIT;
        EM_STR_AUTO without = EM_STR_INIT;
        EM_STR_AUTO with = EM_STR_INIT;
        EM_URL_AUTO url = EM_URL_INIT;
        assert_int_equal(em_url_parse(&url, examples[i].text, NULL, &err), 0);
        em_url_print(&url, false, &without);
        em_url_print(&url, true, &with);
        assert_string_equal(em_str_c(&without), examples[i].without);
        assert_string_equal(em_str_c(&with), examples[i].with);
    }
}

/* What is printed is read again as it was, by another random URL each time. */
static void print_and_parse(void **state)
{
    static const char *const keys[] = {"user",    "password", "host",
                                       "port",    "dbname",   "options",
                                       "sslmode", "hostaddr", "application_name"};
    static const char bytes[] = "ab1 :/@?#%&=+'\"\\[]<>;~\xC3\xA9\x7F";
    uint64_t random = 5;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        EM_URL_AUTO url = EM_URL_INIT;
        EM_URL_AUTO again = EM_URL_INIT;
        EM_STR_AUTO text = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            EM_STR_AUTO value = EM_STR_INIT;
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            for (uint64_t n = random >> 61; n > 0; n--) {
                random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                em_str_putc(&value, bytes[(random >> 33) % (sizeof bytes - 2)]);
            }
            if (strcmp(keys[i], "host") == 0) {
                static const char *const hosts[] = {
                    "", "h", "a,b", "::1", "/tmp", "a,/tmp", "fe80::1%eth0,b", "@abstract"};
                em_url_set(&url, "host", hosts[(random >> 40) % 8]);
            } else if (strcmp(keys[i], "port") == 0) {
                if (em_url_get(&url, "host") && strchr(em_url_get(&url, "host"), ','))
                    em_url_set(&url, "port", (random >> 40) % 2 ? "1,2" : ",7");
                else
                    em_url_set(&url, "port", (random >> 40) % 2 ? "5432" : "");
            } else if (strcmp(keys[i], "hostaddr") != 0) {
                em_url_set(&url, keys[i], em_str_c(&value));
            }
        }
        em_url_print(&url, true, &text);
        int code = em_url_parse(&again, em_str_c(&text), NULL, &err);
        if (strchr(em_str_c(&text), '\x7F'))
            fail_msg("not encoded: %s", em_str_c(&text));
        if (code)
            fail_msg("%s: %s", em_str_c(&text), em_str_c(&err.text));
        assert_int_equal(url.keys.n, again.keys.n);
        for (size_t i = 0; i < url.keys.n; i++)
            assert_string_equal(url.values.v[i], em_url_get(&again, url.keys.v[i]));
    }
}

static void places(void **state)
{
    static const struct {
        const char *text, *shown;
    } examples[] = {
        {"postgresql://h/d", "h||"},
        {"postgresql:///d", "||"},
        {"postgresql://a:1,b,[::1]:3/d", "a||1 b|| ::1||3"},
        {"host=a,/run/pg port=7", "a||7 /run/pg||7"},
        {"host=a,b hostaddr=10.0.0.1,10.0.0.2 port=1,2", "a|10.0.0.1|1 b|10.0.0.2|2"},
        {"hostaddr=10.0.0.1,10.0.0.2", "|10.0.0.1| |10.0.0.2|"},
        {"host=@abstract", "@abstract||"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        EM_STR_AUTO out = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        EM_URL_AUTO url = EM_URL_INIT;
        assert_int_equal(em_url_parse(&url, examples[i].text, NULL, &err), 0);
        for (size_t n = 0; n < em_url_places(&url); n++) {
            EM_PLACE_AUTO place = EM_PLACE_INIT;
            em_url_place(&url, n, &place);
            em_str_printf(&out, "%s%s|%s|%s", n ? " " : "", place.host, place.address, place.port);
        }
        assert_string_equal(em_str_c(&out), examples[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_what_is_known),
        cmocka_unit_test(get_and_set),
        cmocka_unit_test(where),
        cmocka_unit_test(places),
        cmocka_unit_test(print),
        cmocka_unit_test(print_and_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
