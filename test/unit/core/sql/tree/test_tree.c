#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/sql/tree/tree.h"

struct given {
    const char *name, *text;
};

static const char *variable(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "SET") == 0 || strcmp(name, "FLYWAY_PLACEHOLDERS_SET") == 0 ? "value"
           : strcmp(name, "EMPTY") == 0                                             ? ""
                                                                                    : NULL;
}

/* Names come sorted; `files` ends with a NULL. */
static void plant(struct em_sql_tree *tree, enum em_sql_format format, const struct given *files)
{
    EM_LIST_AUTO names = EM_LIST_INIT;
    memset(tree, 0, sizeof *tree);
    tree->folder = "m";
    tree->format = format;
    tree->variable = variable;
    for (size_t i = 0; files[i].name; i++)
        em_list_add(&names, files[i].name);
    em_sql_tree_names(tree, &names);
    for (size_t i = 0; files[i].name; i++) {
        for (size_t j = 0; j < tree->n; j++)
            if (strcmp(tree->v[j].name, files[i].name) == 0)
                em_str_puts(&tree->v[j].text, files[i].text);
        if (strcmp(files[i].name, "atlas.sum") == 0)
            em_str_puts(&tree->sum, files[i].text);
    }
    em_sql_tree_judge(tree);
    em_sql_tree_cut(tree);
}

#define GIVEN(...)         \
    (const struct given[]) \
    {                      \
        __VA_ARGS__,       \
        {                  \
            NULL, NULL     \
        }                  \
    }

static void refused(enum em_sql_format format, const struct given *files, const char *words)
{
    struct em_sql_tree tree;
    plant(&tree, format, files);
    if (!tree.errs.n || !strstr(em_str_c(&tree.errs.v[0].text), words))
        fail_msg("%s: expected \"%s\", and got \"%s\"", files[0].name, words,
                 tree.errs.n ? em_str_c(&tree.errs.v[0].text) : "no error");
    em_sql_tree_free(&tree);
}

/* What is run of one file, with no blanks at a line's start and end. */
static void runs(enum em_sql_format format, const char *name, const char *text, const char *run,
                 bool alone)
{
    struct em_sql_tree tree;
    EM_STR_AUTO got = EM_STR_INIT;
    plant(&tree, format, GIVEN({name, text}));
    if (tree.errs.n)
        fail_msg("%s: %s", text, em_str_c(&tree.errs.v[0].text));
    assert_int_equal(tree.n, 1);
    for (const char *p = em_str_c(&tree.v[0].run); *p; p++) {
        while (*p == '\n' && got.len && got.data[got.len - 1] == ' ')
            em_str_cut(&got, got.len - 1);
        if (*p != ' ' || (got.len && !strchr(" \n", got.data[got.len - 1])))
            em_str_putc(&got, *p);
    }
    assert_string_equal(em_str_c(&got), run);
    assert_int_equal(tree.v[0].alone, alone);
    em_sql_tree_free(&tree);
}

static void order(enum em_sql_format format, const struct given *files, enum em_sql_format found,
                  const char *names)
{
    struct em_sql_tree tree;
    EM_STR_AUTO got = EM_STR_INIT;
    plant(&tree, format, files);
    if (tree.errs.n)
        fail_msg("%s: %s", files[0].name, em_str_c(&tree.errs.v[0].text));
    assert_int_equal(tree.format, found);
    for (size_t i = 0; i < tree.n; i++)
        em_str_printf(&got, "%s%s", i ? " " : "", tree.v[i].name);
    assert_string_equal(em_str_c(&got), names);
    em_sql_tree_free(&tree);
}

static void test_formats(void **state)
{
    (void)state;
    order(0, GIVEN({"10_b.sql", "B;"}, {"9_a.sql", "A;"}), EM_SQL_OWN, "9_a.sql 10_b.sql");
    order(0, GIVEN({"10_b.sql", "-- migrate:up\n"}, {"9_a.sql", "-- migrate:up\n"}), EM_SQL_DBMATE,
          "10_b.sql 9_a.sql");
    order(0, GIVEN({"10_b.sql", "-- +goose Up\n"}, {"9_a.sql", "-- +goose up\n"}), EM_SQL_GOOSE,
          "9_a.sql 10_b.sql");
    order(0, GIVEN({"1_a.down.sql", "D"}, {"1_a.up.sql", "A"}), EM_SQL_PAIRS, "1_a.up.sql");
    order(EM_SQL_SQLX, GIVEN({"1_a.down.sql", ""}, {"1_a.up.sql", ""}, {"2_b.sql", ""}),
          EM_SQL_SQLX, "1_a.up.sql 2_b.sql");
    order(0,
          GIVEN({"B2__b.sql", ""}, {"R__a_view.sql", ""}, {"U1__x.sql", ""}, {"V1_10__x.sql", ""},
                {"sub/R__Z.sql", ""}, {"sub/V1.9__y.sql", ""}, {"V2__c.sql", ""}),
          EM_SQL_FLYWAY,
          "sub/V1.9__y.sql V1_10__x.sql B2__b.sql V2__c.sql sub/R__Z.sql R__a_view.sql");
    order(0, GIVEN({"1_a.sql", "-- Up Migration\nA;\n-- Down Migration\nB;\n"}, {"2_b.sql", "B"}),
          EM_SQL_NODE_PG, "1_a.sql 2_b.sql");
    order(EM_SQL_NODE_PG, GIVEN({"1704067200001_b.sql", ""}, {"20240101000000000_a.sql", ""}),
          EM_SQL_NODE_PG, "20240101000000000_a.sql 1704067200001_b.sql");
    order(0,
          GIVEN({"10.sql", "-- +migrate Up\n"}, {"9.sql", "-- +migrate Up\n"},
                {"init.sql", "-- +migrate Up\n"}),
          EM_SQL_MIGRATE, "9.sql 10.sql init.sql");
    order(0, GIVEN({"10_b/migration.sql", ""}, {"9_a/migration.sql", ""}), EM_SQL_PRISMA,
          "10_b/migration.sql 9_a/migration.sql");
    order(0, GIVEN({"README.md", ""}, {"embed.go", ""}, {"1_a.sql", ""}, {"sub/x.sql", ""}),
          EM_SQL_OWN, "1_a.sql");
}

static void test_names(void **state)
{
    (void)state;
    refused(0, GIVEN({"1_a.sql", ""}, {"2_b.go", ""}), "m/2_b.go: a migration in Go");
    refused(0, GIVEN({"1_a.sql", ""}, {"2_b.js", ""}), "JavaScript");
    refused(0, GIVEN({"1_a.sql", ""}, {"x.py", ""}), "Python");
    refused(0, GIVEN({"1_a.SQL", ""}, {"2_a.sql", ""}), "1_a.SQL: a migration's name ends in .sql");
    refused(0, GIVEN({"1_a.sql", ""}, {"01_b.sql", ""}), "have the same number");
    refused(0, GIVEN({"V1__a.sql", ""}, {"V1.0__b.sql", ""}), "have the same number");
    refused(0, GIVEN({"R__a.sql", ""}, {"sub/R__a.sql", ""}), "have the same number");
    refused(0, GIVEN({"V1__a.sql", ""}, {"beforeMigrate.sql", ""}),
            "beforeMigrate.sql: a callback of Flyway's");
    refused(0, GIVEN({"V1__a.sql", ""}, {"v2__b.sql", ""}), "v2__b.sql: its name is none");
    refused(0, GIVEN({"1_a.up.sql", ""}, {"2_b.sql", ""}), "2_b.sql: its name is none");
    refused(0, GIVEN({"1_a.up.sql", ""}, {"2_b.down.sql", ""}), "2_b.down.sql: by its name");
    refused(0, GIVEN({"1_a.down.sql", ""}), "1_a.down.sql: by its name");
    refused(0, GIVEN({"1_a/migration.sql", ""}, {"2_b.sql", ""}), "2_b.sql: its name is none");
    refused(EM_SQL_OWN, GIVEN({"1_a.up.sql", ""}), "starts with its number");
}

static void test_mixes(void **state)
{
    (void)state;
    refused(0, GIVEN({"1_a.sql", "-- migrate:up\n"}, {"2_b.sql", "X;\n-- +goose Up\n"}),
            "m/2_b.sql:2:1: the mark \"-- +goose Up\" is goose's, but the mark \"-- migrate:up\" "
            "(m/1_a.sql:1:1) is dbmate's");
    refused(0, GIVEN({"1_a.up.sql", "-- +goose Up\n"}), "is goose's, but its name");
    refused(0, GIVEN({"V1__a.sql", ""}, {"x/migration.sql", ""}), "Prisma's, but");
    refused(0, GIVEN({"1_a.sql", "-- migrate:up\n"}, {"atlas.sum", ""}), "is Atlas's, but");
    refused(EM_SQL_GOOSE, GIVEN({"1_a.sql", "-- migrate:up\n"}),
            "m/1_a.sql:1:1: a mark of dbmate's");
    refused(EM_SQL_OWN, GIVEN({"1_a.sql", "A;\n-- migrate:down\n"}),
            "m/1_a.sql:2:1: begins the part");
    refused(0, GIVEN({"1_a.sql", "A;\n-- //@UNDO\n"}),
            "m/1_a.sql:2:1: begins the part that takes the "
            "migration back (MyBatis Migrations)");
}

static void test_dbmate(void **state)
{
    (void)state;
    runs(0, "1_a.sql", "-- migrate:up\nA;\n-- migrate:down\nB;\n", "-- migrate:up\nA;\n\n\n",
         false);
    runs(0, "1_a.sql", "\xEF\xBB\xBF--  migrate:up transaction:false\r\nA;\r\n",
         "\xEF\xBB\xBF-- migrate:up transaction:false\r\nA;\r\n", true);
    runs(0, "1_a.sql", "/* x */\n-- migrate:up transaction:true\nA;\n--migrate:down x:y z\nB;",
         "\n-- migrate:up transaction:true\nA;\n\n", false);
    refused(0, GIVEN({"1.sql", "-- migrate:up\n -- migrate:down\nB;"}),
            "m/1.sql:2:1: dbmate knows");
    refused(0, GIVEN({"1.sql", "-- migrate:up\n-- MIGRATE:DOWN\nB;"}), "m/1.sql:2:1: dbmate knows");
    refused(0, GIVEN({"1.sql", "-- migrate:up env:X\nA;"}), "m/1.sql:1:1: only the option");
    refused(0, GIVEN({"1.sql", "A;\n-- migrate:up\n"}), "m/1.sql:1:1: a statement in front");
    refused(0, GIVEN({"1.sql", "-- migrate:down\nB;\n-- migrate:up\n"}), "m/1.sql:1:1: begins");
    refused(0, GIVEN({"1.sql", "-- migrate:up\nA;"}, {"2.sql", "B;"}), "m/2.sql:1:1: no part");
    refused(0, GIVEN({"1.sql", "-- migrate:up\nA;\n-- migrate:up\nB;"}), "m/1.sql:3:1:");
}

static void test_goose(void **state)
{
    (void)state;
    runs(0, "1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nA;\n-- +goose Down\nB;",
         "\n-- +goose Up\nA;\n\n", true);
    runs(0, "1_a.sql",
         "-- +goose Up\n-- +goose StatementBegin\nA; B\n-- +goose StatementEnd\nC;\n-- +goose "
         "Down\n",
         "-- +goose Up\n-- +goose StatementBegin\nA; B\n;\nC;\n\n", false);
    runs(0, "1_a.sql",
         "-- +goose Up\n-- +goose ENVSUB ON\n$SET ${SET} ${NO:-x} ${EMPTY-y}${EMPTY:-z} "
         "$$b$$ $t$ $1\n-- +goose ENVSUB OFF\n$SET",
         "-- +goose Up\n-- +goose ENVSUB ON\nvalue value x z $$b$$ $t$ $1\n-- +goose ENVSUB "
         "OFF\n$SET",
         false);
    /* As goose: a mark counts in a block comment. */
    runs(0, "1_a.sql", "-- +goose Up\nA; /*\n-- +goose Down\n*/ B;", "-- +goose Up\nA; /*\n\n",
         false);
    refused(0, GIVEN({"1_a.sql", "-- +goose Up\n  -- +goose Down\n"}),
            "m/1_a.sql:2:1: goose knows");
    refused(0, GIVEN({"1_a.sql", "-- +goose Up\n-- +goose Dwn\n"}), "m/1_a.sql:2:1: goose has no");
    refused(0, GIVEN({"1_a.sql", "-- +goose Up\n-- +goose StatementBegin\nA;"}), "m/1_a.sql:2:1:");
    refused(0, GIVEN({"1_a.sql", "-- +goose Up\n-- +goose StatementEnd\nA;"}), "m/1_a.sql:2:1:");
    refused(0, GIVEN({"1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\n${SET:1:2}"}),
            "m/1_a.sql:3:1:");
    refused(0, GIVEN({"a.sql", "-- +goose Up\n"}), "m/a.sql: its name is none of goose's");
}

static void test_others(void **state)
{
    (void)state;
    runs(0, "1.sql", "-- +migrate Up notransaction\nA;\n-- +migrate Down\nB;\n-- +migrate Up\nC;",
         "-- +migrate Up notransaction\nA;\n\n\n-- +migrate Up\nC;", true);
    refused(0, GIVEN({"1.sql", "-- +migrate Up\n--+migrate Down\nB;"}), "m/1.sql:2:1: sql-migrate");
    refused(0, GIVEN({"1.sql", "-- +migrate Up\n-- +migrate down\nB;"}),
            "m/1.sql:2:1: sql-migrate");
    runs(0, "1_a.sql", "-- Down Migration\nB;\n--- UP  migration:\nA;\n",
         "\n\n--- UP migration:\nA;\n", false);
    refused(0, GIVEN({"1.sql", "A;\n-- Down Migration\nB;"}), "m/1.sql:2:1: begins the part");
    runs(EM_SQL_SQLX, "1_a.sql", "-- no-transaction\nA;", "-- no-transaction\nA;", true);
    runs(0, "1_a.up.sql", "BEGIN;\nA;\nCOMMIT;\n", "\nA;\n\n", false);
    runs(0, "1_a.up.sql", "CREATE INDEX CONCURRENTLY i ON t (n);",
         "CREATE INDEX CONCURRENTLY i ON t (n);", true);
    runs(0, "1_a.up.sql", "CREATE INDEX concurrently_i ON t (n);",
         "CREATE INDEX concurrently_i ON t (n);", false);
    runs(0, "1_a.up.sql", "BEGIN; A; COMMIT; BEGIN; B; COMMIT;",
         "BEGIN; A; COMMIT; BEGIN; B; COMMIT;", true);
    runs(0, "1_a/migration.sql", "VACUUM t;\n", "VACUUM t;\n", true);
    runs(0, "V1__a.sql", "VACUUM t; VACUUM ${set};\n", "VACUUM t; VACUUM value;\n", true);
    runs(0, "1_a.sql", "-- embark: no transaction\n-- migrate:up\nA;", "\n-- migrate:up\nA;", true);
}

static void test_flyway(void **state)
{
    struct em_sql_tree tree;
    (void)state;
    plant(&tree, 0,
          GIVEN({"V1__a.sql", "A ${nothing} ${flyway:filename};"},
                {"V1__a.sql.conf", "#x\nexecuteInTransaction = false\r\n"}, {"V2__a.sql", "${x};"},
                {"V2__a.sql.conf", "placeholderReplacement=false\n"}));
    assert_int_equal(tree.errs.n, 0);
    assert_int_equal(tree.n, 2);
    assert_true(tree.v[0].alone);
    assert_int_equal(tree.unset.n, 1);
    assert_non_null(
        strstr(em_str_c(&tree.unset.v[0].text),
               "m/V1__a.sql:1:3: ${nothing} has no value: FLYWAY_PLACEHOLDERS_NOTHING"));
    assert_non_null(strstr(em_str_c(&tree.v[0].run), "V1__a.sql;"));
    assert_string_equal(em_str_c(&tree.v[1].run), "${x};");
    em_sql_tree_free(&tree);
    refused(0, GIVEN({"V1__a.sql", ""}, {"V1__a.sql.conf", "\nencoding=latin1\n"}),
            "V1__a.sql.conf:2:1");
}

/* Computed by Atlas's rules, apart from this code. */
static const char sum[] = "h1:TvuN9IMWD6oRKZJsB+NujVZJtYpNRaNCV99fFxe1HJo=\n"
                          "1_a.sql h1:bwjNgdNqPxlW50Ox2fCuhzHseIXyyT5JOpnioAsFnGE=\n"
                          "2_b.sql h1:4agkvoRPOdEmpKD0zRV2T4HZefhQkD6Zh/OHtL2OnYI=\n";

static void test_atlas(void **state)
{
    (void)state;
    order(0,
          GIVEN({"1_a.sql", "CREATE TABLE a ();\n"}, {"2_b.sql", "CREATE TABLE b ();\n"},
                {"atlas.sum", sum}),
          EM_SQL_ATLAS, "1_a.sql 2_b.sql");
    refused(0,
            GIVEN({"1_a.sql", "CREATE TABLE a ();\n"}, {"2_b.sql", "CREATE TABLE c ();\n"},
                  {"atlas.sum", sum}),
            "2_b.sql differs");
    refused(0, GIVEN({"1_a.sql", "CREATE TABLE a ();\n"}, {"atlas.sum", sum}),
            "2_b.sql differs, or is missing");
    refused(0, GIVEN({"1_a.sql", "-- atlas:txmode none\n\nA;"}), "has no atlas.sum");
    refused(0, GIVEN({"1_a.sql", "A;"}, {"atlas.sum", "h1:x\n1_a.sql h1:y\n"}),
            "m/atlas.sum is not of these files: 1_a.sql");
}

static void test_find(void **state)
{
    struct em_sql_tree tree;
    (void)state;
    plant(&tree, 0, GIVEN({"10_b/migration.sql", ""}, {"9_a/migration.sql", ""}));
    assert_int_equal(em_sql_tree_find(&tree, "m/10_b/migration.sql"), 0);
    assert_int_equal(em_sql_tree_find(&tree, "9_a"), 1);
    assert_int_equal(em_sql_tree_find(&tree, "migration.sql"), 2);
    assert_int_equal(em_sql_tree_find(&tree, "x"), 2);
    em_sql_tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats), cmocka_unit_test(test_names), cmocka_unit_test(test_mixes),
        cmocka_unit_test(test_dbmate),  cmocka_unit_test(test_goose), cmocka_unit_test(test_others),
        cmocka_unit_test(test_flyway),  cmocka_unit_test(test_atlas), cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
