#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/postgres/sqlstate.h"
#include "sqlstate_messages.h"

static void real_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EM_STR_AUTO brief = EM_STR_INIT;
        char sqlstate[6];
        assert_int_equal(em_sqlstate_find(cases[i].message, sqlstate), *cases[i].sqlstate != 0);
        em_sqlstate_brief(cases[i].message, &brief);
        assert_string_equal(sqlstate, cases[i].sqlstate);
        assert_string_equal(em_str_c(&brief), cases[i].brief);
        if (em_sqlstate_class(sqlstate, cases[i].message) != cases[i].class)
            fail_msg("class of: %s", cases[i].message);
    }
}

static void check(const char *message, const char *sqlstate, enum em_db_class class,
                  const char *text)
{
    EM_STR_AUTO brief = EM_STR_INIT;
    char found[6];
    em_sqlstate_find(message, found);
    em_sqlstate_brief(message, &brief);
    assert_string_equal(found, sqlstate);
    assert_int_equal(em_sqlstate_class(found, message), class);
    assert_string_equal(em_str_c(&brief), text);
}

#define AT(host) "connection to server at \"" host "\", port 5432 failed: "

/* The manual's lists, and what stands near them. */
static void classes_by_state(void **state)
{
    static const char *const retried[] = {"57P01", "57P02", "57P03", "57014", "53000",
                                          "53200", "53300", "08000", "08001", "08006",
                                          "08P01", "25006", "40001", "XX000", "58030"};
    static const char *const fatal[] = {"3D000", "42501", "55000", "42704",
                                        "22023", "0A000", "3F000"};
    (void)state;
    for (size_t i = 0; i < sizeof retried / sizeof *retried; i++)
        assert_int_equal(em_sqlstate_class(retried[i], NULL), EM_DB_RETRY);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        assert_int_equal(em_sqlstate_class(fatal[i], NULL), EM_DB_FATAL);
    assert_int_equal(em_sqlstate_class("28P01", NULL), EM_DB_AUTH);
    assert_int_equal(em_sqlstate_class("28000", ""), EM_DB_AUTH);
    assert_int_equal(em_sqlstate_class(NULL, NULL), EM_DB_RETRY);
}

/* Texts of libpq's source that are hard to bring about. */
static void classes_by_text(void **state)
{
    static const char *const fatal[] = {
        AT("h") "sslmode value \"require\" invalid when SSL support is not compiled in\n",
        "sslmode value \"require\" invalid when SSL support is not compiled in\n",
        "weak sslmode \"prefer\" may not be used with sslrootcert=system (use \"verify-full\")\n",
        AT("h") "server certificate for \"a\" (and 2 other names) does not match host name \"h\"\n",
        AT("h") "could not open certificate file \"/x\": Permission denied\n",
        AT("h") "SSL error: tlsv1 alert unknown ca\n",
        AT("h") "none of the server's SASL authentication mechanisms are supported\n",
        AT("h") "incorrect server signature\n",
        AT("h") "authentication method 9 not supported\n",
        AT("h") "auth method \"password\" requirement failed: server requested a cleartext "
                "password\n",
        "missing \"=\" after \"x\" in connection info string\n",
        "service file \"/x\" not found\n",
    };
    static const char *const retried[] = {
        AT("h") "timeout expired\n",
        AT("h") "SSL error: unexpected eof while reading\n",
        AT("h") "SSL SYSCALL error: Connection reset by peer\n",
        AT("h") "SSL connection has been closed unexpectedly\n",
        AT("h") "could not receive data from server: Connection reset by peer\n",
        AT("h") "could not create socket: Address family not supported by protocol\n",
        AT("h") "Network is unreachable\n",
        AT("h") "could not send GSSAPI negotiation packet: Broken pipe\n",
        "could not translate host name \"certificate\" to address: Temporary failure in name "
        "resolution\n",
        "something that nobody has seen yet\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        if (em_sqlstate_class("", fatal[i]) != EM_DB_FATAL)
            fail_msg("not fatal: %s", fatal[i]);
    for (size_t i = 0; i < sizeof retried / sizeof *retried; i++)
        if (em_sqlstate_class("", retried[i]) != EM_DB_RETRY)
            fail_msg("not retried: %s", retried[i]);
}

static void classes_of_pgbouncer(void **state)
{
    (void)state;
    assert_int_equal(
        em_sqlstate_class("08P01",
                          AT("h") "FATAL:  08P01: server login has been failing, try again later"
                                  " (server_login_retry)\n"),
        EM_DB_RETRY);
    assert_int_equal(em_sqlstate_class(
                         "08P01", AT("h") "FATAL:  08P01: too many connections for role \"app\"\n"),
                     EM_DB_RETRY);
    assert_int_equal(em_sqlstate_class("08P01", AT("h") "FATAL:  08P01: no more connections allowed"
                                                        " (max_client_conn)\n"),
                     EM_DB_RETRY);
}

/* sslmode=prefer where pg_hba.conf has hostssl only: the second try says nothing about the
 * password. */
static void a_fallback_does_not_decide(void **state)
{
    (void)state;
    check(AT("h") "FATAL:  28P01: password authentication failed for user \"a\"\n"
                  "LOCATION:  auth_failed, auth.c:334\n" //
          AT("h") "FATAL:  28000: no pg_hba.conf entry for host \"h\", user \"a\", database \"d\", "
                  "no encryption\n"
                  "LOCATION:  ClientAuthentication, auth.c:544\n",
          "28P01", EM_DB_AUTH, "password authentication failed for user \"a\"");
    /* Another address is no fallback. */
    check(AT("h") "FATAL:  28P01: a\n" AT("i") "FATAL:  28000: b\n", "28000", EM_DB_AUTH,
          "\"h\", port 5432: a; \"i\", port 5432: b");
}

static void several_hosts(void **state)
{
    (void)state;
    check(AT("a") "FATAL:  57P03: the database system is starting up\n"
                  "LOCATION:  ProcessStartupPacket, postmaster.c:2415\n" //
          AT("b") "Connection refused\n\tIs the server running on that host and accepting TCP/IP "
                  "connections?\n",
          "", EM_DB_RETRY,
          "\"a\", port 5432: the database system is starting up; \"b\", port 5432: Connection "
          "refused");
    check(AT("a") "Connection refused\n" AT("b") "Connection refused\n", "", EM_DB_RETRY,
          "Connection refused");
    check(AT("a") "Connection refused\ncould not translate host name \"b\" to address: Name or "
                  "service not known\n",
          "", EM_DB_RETRY,
          "\"a\", port 5432: Connection refused; could not translate host name \"b\" to address: "
          "Name or service not known");
}

/* A server's DETAIL may quote another login's message. */
static void a_message_in_a_message(void **state)
{
    (void)state;
    check(
        "ERROR:  08001: could not connect to server \"far\"\n"
        "DETAIL:  connection to server at \"localhost\" (::1), port 1 failed: Connection refused\n"
        "\tIs the server running on that host and accepting TCP/IP connections?\n"
        "connection to server at \"localhost\" (127.0.0.1), port 1 failed: Connection refused\n"
        "LOCATION:  connect_pg_server, connection.c:482\n",
        "08001", EM_DB_RETRY,
        "could not connect to server \"far\" (connection to server at \"localhost\" (::1), port 1 "
        "failed: Connection "
        "refused Is the server running on that host and accepting TCP/IP connections? connection "
        "to server at "
        "\"localhost\" (127.0.0.1), port 1 failed: Connection refused)");
}

static void odd_messages(void **state)
{
    (void)state;
    check(NULL, "", EM_DB_RETRY, "no reason was given");
    check("", "", EM_DB_RETRY, "no reason was given");
    check("\n\n", "", EM_DB_RETRY, "no reason was given");
    check("FATAL:  sorry", "", EM_DB_RETRY, "sorry");
    check("FATAL:  28P01:", "", EM_DB_RETRY, "28P01:");
    check("FATAL:  28p01: x\n", "", EM_DB_RETRY, "28p01: x");
    check("x\nDETAIL:  HELLO: world\n", "", EM_DB_RETRY, "x (DETAIL:  HELLO: world)");
    check("connection to server at ", "", EM_DB_RETRY, "connection to server at");
    check(AT("h"), "", EM_DB_RETRY, "no reason was given");
    check("ÖLÜMCÜL (FATAL):  53300: dolu\n", "53300", EM_DB_RETRY, "dolu");
}

/* Any bytes, put together from what the parser looks for. */
static void random_messages(void **state)
{
    static const char *const parts[] = {
        "connection to server at ",
        "\"h\"",
        " failed: ",
        "FATAL:  ",
        "28P01: ",
        "28000: ",
        "\n",
        "\t",
        " ",
        "DETAIL:  ",
        "LOCATION:  ",
        "LINE 1: ",
        "HINT:  ",
        "x",
        ".",
        ":",
        "(",
        "é",
        "could not translate host name ",
        "invalid ",
        " value: \"",
    };
    uint64_t random = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        EM_STR_AUTO message = EM_STR_INIT;
        EM_STR_AUTO brief = EM_STR_INIT;
        char found[6];
        for (int n = round % 24; n > 0; n--) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            em_str_puts(&message, parts[(random >> 33) % (sizeof parts / sizeof *parts)]);
        }
        bool has = em_sqlstate_find(em_str_c(&message), found);
        assert_int_equal(strlen(found), has ? 5 : 0);
        em_sqlstate_class(found, em_str_c(&message));
        em_sqlstate_brief(em_str_c(&message), &brief);
        assert_true(brief.len > 0);
        assert_null(strchr(em_str_c(&brief), '\n'));
        assert_null(strstr(em_str_c(&brief), "LOCATION:  auth"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_messages),
        cmocka_unit_test(classes_by_state),
        cmocka_unit_test(classes_by_text),
        cmocka_unit_test(classes_of_pgbouncer),
        cmocka_unit_test(a_fallback_does_not_decide),
        cmocka_unit_test(several_hosts),
        cmocka_unit_test(a_message_in_a_message),
        cmocka_unit_test(odd_messages),
        cmocka_unit_test(random_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
