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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolv_conf),
        cmocka_unit_test(empty_resolv_conf),
        cmocka_unit_test(hosts),
        cmocka_unit_test(nsswitch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
