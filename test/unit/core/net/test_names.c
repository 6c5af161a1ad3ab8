#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/net/names.h"

static void resolv_conf(void **state)
{
    struct em_resolv_conf conf = {.ndots = 0};
    (void)state;
    em_resolv_conf_parse("# nameserver 9.9.9.9\n"
                         "nameserver 10.0.0.2 ; the nearer one\n"
                         "domain gone.example\n"
                         "search a.example\tb.example\n"
                         "nameserver\tfd00::1\r\n"
                         "nameservers 10.0.0.9\n"
                         "nameserver\n"
                         "options timeout:2 ndots:5 edns0\n"
                         "nameserver 10.0.0.3\nnameserver 10.0.0.4",
                         &conf);
    assert_int_equal(conf.servers.n, 3);
    assert_string_equal(conf.servers.v[0], "10.0.0.2");
    assert_string_equal(conf.servers.v[1], "fd00::1");
    assert_string_equal(conf.servers.v[2], "10.0.0.3");
    assert_int_equal(conf.search.n, 2);
    assert_string_equal(conf.search.v[1], "b.example");
    assert_int_equal(conf.ndots, 5);
    em_resolv_conf_free(&conf);
}

static void empty_resolv_conf(void **state)
{
    struct em_resolv_conf conf = {.ndots = 0};
    (void)state;
    em_resolv_conf_parse("", &conf);
    assert_int_equal(conf.servers.n, 0);
    assert_int_equal(conf.ndots, 1);
    em_resolv_conf_free(&conf);
}

static void hosts(void **state)
{
    static const char text[] =
        "127.0.0.1\tlocalhost\n# 10.0.0.1 db\n10.0.0.7  Primary.Example DB # "
        "the database\n\n10.0.0.8 cache";
    static const struct {
        const char *name, *spelling;
    } examples[] = {
        {"db", "DB"},
        {"DB", "DB"},
        {"primary.example", "Primary.Example"},
        {"Cache", "cache"},
        {"LOCALHOST", "localhost"},
        {"10.0.0.8", NULL},
        {"d", NULL},
        {"the", NULL},
        {"dbx", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        EM_STR_AUTO out = EM_STR_INIT;
        bool found = em_hosts_spelling(text, examples[i].name, &out);
        assert_int_equal(found, examples[i].spelling != NULL);
        assert_string_equal(em_str_c(&out), found ? examples[i].spelling : "");
    }
}

static void nsswitch(void **state)
{
    static const struct {
        const char *text, *others;
    } examples[] = {
        {"passwd: files\nhosts:          files dns\n", ""},
        {"hosts: files mdns4_minimal [NOTFOUND=return] dns myhostname", "mdns4_minimal myhostname"},
        {"hosts: files resolve [!UNAVAIL = return] dns # ldap\n", "resolve"},
        {"#hosts: wins\nnetworks: ldap\n", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        EM_STR_AUTO out = EM_STR_INIT;
        em_nsswitch_others(examples[i].text, &out);
        assert_string_equal(em_str_c(&out), examples[i].others);
    }
}

static const unsigned char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\2db\0\0\1\0\1";
enum { QUERY = sizeof query - 1 };

/* An answer to `query` with one byte changed: at 0 to what it is. */
static bool is_answer(size_t at, unsigned char byte, size_t length)
{
    unsigned char answer[QUERY + 16] = {0};
    memcpy(answer, query, QUERY);
    answer[2] = 0x81;
    if (at)
        answer[at] = byte;
    return em_dns_is_answer(query, QUERY, answer, length);
}

static void dns_answers(void **state)
{
    (void)state;
    assert_true(is_answer(0, 0, QUERY));
    assert_true(is_answer(0, 0, QUERY + 16));
    assert_true(is_answer(13, 'D', QUERY));
    assert_true(is_answer(3, 5, QUERY));
    assert_false(is_answer(1, 0x35, QUERY)); /* the number */
    assert_false(is_answer(2, 1, QUERY));    /* a query */
    assert_false(is_answer(5, 2, QUERY));
    assert_false(is_answer(5, 0, QUERY)); /* no question */
    assert_false(is_answer(14, 'c', QUERY));
    assert_false(is_answer(QUERY - 3, 28, QUERY)); /* AAAA */
    for (size_t length = 0; length < QUERY; length++)
        assert_false(is_answer(0, 0, length));
}

/* A server that can't read a question needn't repeat it; that there is no such name is an answer to
 * one. */
static void dns_answers_without_a_question(void **state)
{
    (void)state;
    for (unsigned char code = 0; code < 16; code++) {
        unsigned char answer[EM_DNS_HEADER] = {0x12, 0x34, 0x81, code};
        assert_int_equal(em_dns_is_answer(query, QUERY, answer, sizeof answer),
                         code != 0 && code != 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolv_conf), cmocka_unit_test(empty_resolv_conf),
        cmocka_unit_test(hosts),       cmocka_unit_test(nsswitch),
        cmocka_unit_test(dns_answers), cmocka_unit_test(dns_answers_without_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
