#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/sql/lint/down_marks.h"

static void refused(const char *path, const char *text, const char *place, const char *tool)
{
    EM_ERR_AUTO err = EM_ERR_INIT;

    assert_false(em_sql_has_no_down_marks(path, text, &err));
    assert_int_equal(err.code, EM_EXIT_SQL);
    assert_non_null(strstr(em_str_c(&err.text), place));
    assert_non_null(strstr(em_str_c(&err.text), tool));
    assert_true(err.hint.len > 0);
}

static void test_marks(void **state)
{
    (void)state;
    refused("m/1.sql", "-- migrate:up\nA;\n\n-- migrate:down\nB;\n", "m/1.sql:4:1:", "dbmate");
    refused("m/1.sql", "-- migrate:down transaction:false", "m/1.sql:1:1:", "dbmate");
    refused("m/1.sql", "  --migrate:down\r\n", "m/1.sql:1:1:", "dbmate");
    refused("m/1.sql", "x\n-- +goose Down\n", ":2:1:", "goose");
    refused("m/1.sql", "x\n--  +goose   DOWN\n", ":2:1:", "goose");
    refused("m/1.sql", "-- +migrate Down notransaction", ":1:1:", "sql-migrate");
    refused("m/1.sql", "--- Down Migration ---\n", ":1:1:", "node-pg-migrate");
    refused("m/1.sql", "-- down migration", ":1:1:", "node-pg-migrate");
    refused("m/1.sql", "-- //@UNDO\n", ":1:1:", "MyBatis");
    refused("m/1.sql", "-- !Downs\n", ":1:1:", "Play");
    refused("m/1_a.down.sql", "SELECT 1;", "1_a.down.sql", "golang-migrate");
}

static void test_other_comments(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "--",
        "-- migrate:up\nSELECT 1;",
        "-- +goose Up\n-- +goose StatementBegin\n",
        "-- migrate:downtown",
        "SELECT '-- migrate:down';",
        "-- see +goose Down",
        "-- downs",
        "- migrate:down",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        EM_ERR_AUTO err = EM_ERR_INIT;
        assert_true(em_sql_has_no_down_marks("m/1_a.up.sql", texts[i], &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_other_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
