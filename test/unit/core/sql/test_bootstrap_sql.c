/* The declarative bootstrap's statements, and what a migration's file may say about its
 * transaction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/sql/bootstrap_sql.h"
#include "embark/core/sql/lint/lint.h"
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
    em_sql_lint_next(&lint, "do this");
    em_sql_lint(&lint, &source);
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
        {"rollback to s; rollback work to savepoint s;", ""},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;", ""},
        {"DO $$ BEGIN COMMIT; END $$; SELECT 'commit;'; -- commit;", ""},
        {"prepare p AS SELECT 1; \"commit\"; start;", ""},
        {"SELECT 1 \\; commit \\; SELECT 2;", "x.sql:1:13:"},
        {"SELECT 1 \\g\nend;", "x.sql:2:1:"},
        {"SELECT 1 \\gexec\nend;", "x.sql:2:1:"},
        {"vacuum \\r\nSELECT 1;", ""},
        {"\\if :{?x}\ncommit;\n\\endif", ""},
        {"", ""},
    };
    EM_STR_AUTO said = EM_STR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        lint(pairs[i][0], &said);
        assert_string_equal(em_str_c(&said), pairs[i][1]);
    }
}

static void test_what_runs_outside(void **state)
{
    static const char *const outside[] = {
        "CREATE INDEX CONCURRENTLY i ON t (n)",
        "create unique index /* x */ concurrently if not exists i on t (n)",
        "DROP INDEX CONCURRENTLY i",
        "REINDEX (VERBOSE) TABLE CONCURRENTLY t",
        "REINDEX (CONCURRENTLY) INDEX i",
        "REINDEX DATABASE d",
        "REINDEX (VERBOSE) SCHEMA s",
        "REINDEX SYSTEM",
        "VACUUM",
        "VACUUM (FULL, ANALYZE) t",
        "CREATE DATABASE d",
        "DROP DATABASE IF EXISTS d",
        "CREATE TABLESPACE s LOCATION '/x'",
        "DROP TABLESPACE s",
        "ALTER SYSTEM SET a = 1",
        "ALTER DATABASE d SET TABLESPACE s",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
        "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
        "ALTER SUBSCRIPTION s ADD PUBLICATION p",
        "CLUSTER",
        "CLUSTER (VERBOSE)",
        "ALTER TABLE a.t DETACH PARTITION p CONCURRENTLY",
        "COMMIT PREPARED 'x'",
        "ROLLBACK PREPARED 'x'",
        "DISCARD ALL",
    };
    static const char *const inside[] = {
        "CREATE INDEX concurrently_made ON t (n)",
        "CREATE INDEX i ON t (n) -- CONCURRENTLY",
        "DROP INDEX i",
        "REINDEX TABLE t",
        "REINDEX INDEX schema_i",
        "ANALYZE t",
        "ALTER DATABASE d SET work_mem = '1MB'",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p, q WITH (connect = false, enabled = "
        "false)",
        "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
        "ALTER SUBSCRIPTION s SET (slot_name = NONE)",
        "CLUSTER t USING i",
        "CLUSTER VERBOSE t",
        "ALTER TABLE t DETACH PARTITION p",
        "DISCARD PLANS",
        "DO $$ BEGIN EXECUTE 'VACUUM'; END $$",
        "SELECT 'VACUUM'",
    };
    EM_STR_AUTO said = EM_STR_INIT;
    (void)state;
    for (size_t i = 0; i < EM_COUNT(outside); i++) {
        lint(outside[i], &said);
        if (strcmp(em_str_c(&said), "x.sql:1:1:") != 0)
            fail_msg("%s: %s", outside[i], em_str_c(&said));
    }
    for (size_t i = 0; i < EM_COUNT(inside); i++) {
        lint(inside[i], &said);
        if (said.len)
            fail_msg("%s: %s", inside[i], em_str_c(&said));
    }
}

/* Warnings: "line:column" of each. */
static void warned(const char *text, const char *places)
{
    struct em_sql_source source = em_sql_source("x.sql", text, strlen(text));
    struct em_sql_lint lint;
    EM_STR_AUTO got = EM_STR_INIT;
    memset(&lint, 0, sizeof lint);
    em_sql_lint_next(&lint, "do this");
    em_sql_lint(&lint, &source);
    for (size_t i = 0; i < lint.warnings.n; i++) {
        const char *place = em_str_c(&lint.warnings.v[i].text) + strlen("x.sql:");
        em_str_printf(&got, "%s%.*s", i ? " " : "", (int)strcspn(place, " ") - 1, place);
        assert_string_equal(em_str_c(&lint.warnings.v[i].hint), "do this");
    }
    assert_string_equal(em_str_c(&got), places);
    assert_int_equal(lint.errs.n, 0);
    em_sql_lint_free(&lint);
}

static void test_labels(void **state)
{
    (void)state;
    warned("ALTER TYPE mood ADD VALUE 'new';\nINSERT INTO t VALUES ('new');", "2:23");
    warned("ALTER TYPE a.mood ADD VALUE IF NOT EXISTS 'new' AFTER 'old';\n"
           "ALTER TABLE t ALTER m SET DEFAULT 'new';\nSELECT 'old';",
           "2:35");
    warned("ALTER TYPE mood ADD VALUE 'new' BEFORE 'old';\nALTER TYPE mood ADD VALUE 'x' AFTER "
           "'new';",
           "");
    warned("ALTER TYPE mood RENAME VALUE 'a' TO 'new';\nSELECT 'new';", "");
    warned("SELECT 'new';\nALTER TYPE mood ADD VALUE 'new';", "");
    warned("DROP SUBSCRIPTION s;", "1:1");
}

static void control(const char *text, const char *word, size_t at)
{
    EM_STR_AUTO got = EM_STR_INIT;
    size_t where = 0;
    assert_int_equal(em_sql_finds_control(text, strlen(text), true, &where, &got), word != NULL);
    assert_string_equal(em_str_c(&got), word ? word : "");
    if (word)
        assert_int_equal(where, at);
}

static void test_control_in_what_is_sent(void **state)
{
    (void)state;
    control("SELECT 1; COMMIT", "COMMIT", 10);
    control("/* x */ rollback AND CHAIN;", "rollback", 8);
    control("SELECT 1; ROLLBACK TO s;", NULL, 0);
    control("SELECT 'a''; COMMIT; '", NULL, 0);
    control("", NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_quoted),        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_no_transaction),          cmocka_unit_test(test_transaction_words),
        cmocka_unit_test(test_what_runs_outside),       cmocka_unit_test(test_labels),
        cmocka_unit_test(test_control_in_what_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
