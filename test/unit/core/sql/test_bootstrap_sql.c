/* The declarative bootstrap's statements, and what a migration's file may say about its
 * transaction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/sql/bootstrap_sql.h"
#include "embark/core/sql/lint/transaction.h"

static void test_names_are_quoted(void **state)
{
    struct em_bootstrap_plan setup = {"my\"db", "public", "a role", NULL, EM_OWNS_DATABASE};
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_LIST_AUTO own = EM_LIST_INIT;
    (void)state;
    em_bootstrap_create_role_sql(&setup, &sql);
    assert_string_equal(em_str_c(&sql), "CREATE ROLE \"a role\"");
    em_str_cut(&sql, 0);
    em_bootstrap_login_sql(&setup, "SCRAM-SHA-256$'", &sql);
    assert_string_equal(em_str_c(&sql), "ALTER ROLE \"a role\" LOGIN PASSWORD 'SCRAM-SHA-256$'''");
    em_str_cut(&sql, 0);
    em_bootstrap_create_database_sql(&setup, "template0", &sql);
    assert_string_equal(em_str_c(&sql),
                        "CREATE DATABASE \"my\"\"db\" TEMPLATE \"template0\" OWNER \"a role\"");
    em_bootstrap_own_sql(&setup, &own);
    assert_string_equal(own.v[0], "GRANT CONNECT ON DATABASE \"my\"\"db\" TO \"a role\"");
}

static void test_grants(void **state)
{
    EM_STR_AUTO schema = EM_STR_INIT;
    bool write;
    (void)state;
    assert_true(em_bootstrap_parse_grant("read on app", &write, &schema));
    assert_false(write);
    assert_string_equal(em_str_c(&schema), "app");
    assert_true(em_bootstrap_parse_grant("write on odd name", &write, &schema));
    assert_true(write);
    assert_string_equal(em_str_c(&schema), "odd name");
    assert_false(em_bootstrap_parse_grant("write on ", &write, &schema));
    assert_false(em_bootstrap_parse_grant("all on app", &write, &schema));
    assert_false(em_bootstrap_parse_grant("", &write, &schema));
}

static void test_no_transaction(void **state)
{
    static const char *const wanted[] = {
        "-- embark: no transaction",
        "\xEF\xBB\xBF-- Embark: NO transaction\r\nSELECT 1;",
        "\n-- licence\n/* more */ -- embark: no transaction\n",
        "/* embark: no transaction */SELECT 1",
    };
    static const char *const not_wanted[] = {
        "",
        "--",
        "/*",
        "/* embark: no transaction",
        "SELECT 1; -- embark: no transaction",
        "-- no transaction\nSELECT 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_true(em_sql_wants_no_transaction(wanted[i]));
    for (size_t i = 0; i < sizeof not_wanted / sizeof *not_wanted; i++)
        assert_false(em_sql_wants_no_transaction(not_wanted[i]));
}

/* The first error, or "". */
static void lint(const char *text, struct em_str *said)
{
    struct em_sql_source source = em_sql_source("x.sql", text, strlen(text));
    struct em_sql_lint lint;
    memset(&lint, 0, sizeof lint);
    em_sql_lint_transaction(&lint, &source);
    em_str_cut(said, 0);
    if (lint.errs.n)
        em_str_add(said, em_str_c(&lint.errs.v[0].text),
                   strcspn(em_str_c(&lint.errs.v[0].text), " "));
    em_sql_lint_free(&lint);
}

static void test_transaction_words(void **state)
{
    static const char *const pairs[][2] = {
        {"SELECT 1;\n  /* x */ Commit;", "x.sql:2:11:"},
        {"begin", "x.sql:1:1:"},
        {"START /* x */ TRANSACTION;", "x.sql:1:1:"},
        {"COPY t FROM stdin;\ncommit;\n\\.\nend;", "x.sql:4:1:"},
        {"\\echo begin;\nrollback;", "x.sql:2:1:"},
        {"rollback to s; rollback work to savepoint s; commit prepared 'x';", ""},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;", ""},
        {"DO $$ BEGIN COMMIT; END $$; SELECT 'commit;'; -- commit;", ""},
        {"prepare p AS SELECT 1; \"commit\"; start;", ""},
        {"", ""},
        {"'open", ""},
    };
    EM_STR_AUTO said = EM_STR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        lint(pairs[i][0], &said);
        assert_string_equal(em_str_c(&said), pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_quoted),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_no_transaction),
        cmocka_unit_test(test_transaction_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
