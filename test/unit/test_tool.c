#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/config.h"
#include "embark/core/tool.h"

/* The tool's name and its patterns, as "Alembic" or "dbmate: PATTERN". */
static void finds(const char *command, const char *expected)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_LIST_AUTO patterns = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    assert_true(em_words_split(command, &words));
    const struct em_tool *tool = em_tool_find(&words, &patterns);
    em_str_puts(&out, tool ? tool->name : "none");
    for (size_t i = 0; i < patterns.n; i++)
        em_str_printf(&out, "%s%s", i ? " " : ": ", patterns.v[i]);
    assert_string_equal(em_str_c(&out), expected);
}

static void test_by_program(void **state)
{
    (void)state;
    finds("alembic upgrade head", "Alembic");
    finds("/opt/venv/bin/alembic -c x.ini upgrade head", "Alembic");
    finds("python3 -m alembic upgrade head", "Alembic");
    finds("uv run alembic upgrade head", "Alembic");
    finds("python manage.py migrate", "Django: */migrations/*.py */*/migrations/*.py");
    finds("./manage.py migrate --noinput", "Django: */migrations/*.py */*/migrations/*.py");
    finds("npx prisma migrate deploy", "Prisma: prisma/migrations/*/migration.sql");
    finds("npx knex migrate:latest", "Knex: migrations/*");
    finds("node_modules/.bin/node-pg-migrate up", "node-pg-migrate: migrations/*");
    finds("node ./node_modules/node-pg-migrate/bin/node-pg-migrate.js up",
          "node-pg-migrate: migrations/*");
    finds("node node_modules/knex/bin/cli.js migrate:latest", "Knex: migrations/*");
    finds("node node_modules/knex-like/cli.js", "none");
    finds("node migrate.js", "none");
    finds("npx sequelize-cli db:migrate", "Sequelize: migrations/*");
    finds("dbmate up", "dbmate: db/migrations/*.sql");
    finds("sqlx migrate run", "sqlx: migrations/*.sql");
    finds("bundle exec rails db:migrate", "Rails: db/migrate/*.rb");
    finds("./efbundle", "Entity Framework: Migrations/*.cs");
}

static void targets(const char *command, const char *expected)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    assert_true(em_words_split(command, &words));
    assert_string_equal(em_tool_alembic_target(&words, &out), expected);
}

static void test_alembic_target(void **state)
{
    (void)state;
    targets("alembic upgrade head", "head");
    targets("sh -c 'alembic -c x.ini upgrade --sql heads'", "heads");
    targets("alembic upgrade", "");
    targets("alembic current", "");
}

static void test_by_option(void **state)
{
    (void)state;
    finds("dbmate -d ./sql up", "dbmate: ./sql/*.sql");
    finds("dbmate --migrations-dir=sql up", "dbmate: sql/*.sql");
    finds("dbmate --migrations-dir sql up", "dbmate: sql/*.sql");
    finds("node-pg-migrate -m db/steps up", "node-pg-migrate: db/steps/*");
    finds("goose -dir db postgres up", "goose: db/*.sql");
    finds("migrate -path /migrations -database x up", "golang-migrate: /migrations/*.sql");
    finds("sqlx migrate run --source=db", "sqlx: db/*.sql");
    finds("dbmate up -d", "dbmate: db/migrations/*.sql"); /* its value is missing */
}

static void test_within_a_shell(void **state)
{
    (void)state;
    finds("sh -c 'cd /app && alembic upgrade head'", "Alembic");
    finds("sh -c 'dbmate -d sql up'", "dbmate: sql/*.sql");
    finds("sh -c 'exec python manage.py migrate'", "Django: */migrations/*.py */*/migrations/*.py");
    finds("sh -c \"it's unclosed alembic\"", "none"); /* not split: and not crashed */
}

static void test_none(void **state)
{
    (void)state;
    finds("", "none");
    finds("true", "none");
    finds("./migrate.sh", "none");
    finds("alembics", "none");
    finds("echo alembic.ini", "none");
    finds("/", "none");
    finds("''", "none");
}

static void ini(const char *text, const char *here, const char *expected)
{
    EM_LIST_AUTO patterns = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    em_str_puts(&out, em_tool_alembic(text, strlen(text), here, &patterns) ? "yes" : "no");
    for (size_t i = 0; i < patterns.n; i++)
        em_str_printf(&out, " %s", patterns.v[i]);
    assert_string_equal(em_str_c(&out), expected);
}

static void test_alembic_locations(void **state)
{
    (void)state;
    ini("[alembic]\nscript_location = alembic\n", ".", "yes alembic/versions/*.py");
    ini("[alembic]\nscript_location = db/steps/\n", ".", "yes db/steps/versions/*.py");
    ini("[alembic]\nscript_location = %(here)s/alembic\n", ".", "yes ./alembic/versions/*.py");
    ini("[alembic]\nscript_location = %(here)s/alembic\n", "/app",
        "yes /app/alembic/versions/*.py");
    ini("[alembic]\nscript_location=alembic\nversion_locations = one, two three\n", ".",
        "yes one/*.py two/*.py three/*.py");
    ini("[alembic]\nscript_location = alembic\nversion_locations = %(here)s/a;%(here)s/b\n", "x",
        "yes x/a/*.py x/b/*.py");
    ini("[other]\nscript_location = alembic\n", ".", "no");
    ini("", ".", "no");
    ini("[alembic]\nscript_location =\n", ".", "no");
    ini("[alembic]\nscript_location = package:migrations\n", ".", "yes");
    /* a colon separates locations for older alembics; the last setting wins */
    ini("[alembic]\nscript_location = a\nscript_location = b\n", ".", "yes b/versions/*.py");
}

/* Configuration files hold more than inih likes: what is wanted is found all the same. */
static void test_alembic_strange_files(void **state)
{
    EM_STR_AUTO text = EM_STR_INIT;

    (void)state;
    ini("[alembic]\r\nscript_location = alembic\r\n", ".", "yes alembic/versions/*.py");
    ini("# c\n[alembic]\nnonsense\nscript_location = alembic # not a comment?\n", ".",
        "yes alembic # not a comment?/versions/*.py");
    em_str_puts(&text, "[alembic]\nfile_template = ");
    for (int i = 0; i < 1000; i++)
        em_str_puts(&text, "%%(year)d");
    em_str_puts(&text, "\nscript_location = alembic\n");
    ini(em_str_c(&text), ".", "yes alembic/versions/*.py");
}

static void file(const char *command, const char *expected)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    assert_true(em_words_split(command, &words));
    assert_string_equal(em_tool_alembic_file(&words, &out), expected);
}

static void test_alembic_file(void **state)
{
    (void)state;
    file("alembic upgrade head", "alembic.ini");
    file("alembic -c conf/a.ini upgrade head", "conf/a.ini");
    file("alembic --config conf/a.ini upgrade head", "conf/a.ini");
    file("alembic --config=conf/a.ini upgrade head", "conf/a.ini");
    file("sh -c 'alembic upgrade head'", "alembic.ini");
    file("sh -c 'alembic -c a.ini upgrade head'", "a.ini");
    file("python -c 'import alembic'", "alembic.ini");
    file("", "alembic.ini");
}

static void test_tables(void **state)
{
    size_t n = 0;

    (void)state;
    while (em_tool_tables[n])
        n++;
    assert_in_range(n, 11, 30);
    for (size_t i = 0; i < n; i++)
        assert_null(strchr(em_tool_tables[i], '\'')); /* they are put into SQL */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_program),
        cmocka_unit_test(test_alembic_target),
        cmocka_unit_test(test_by_option),
        cmocka_unit_test(test_within_a_shell),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_alembic_locations),
        cmocka_unit_test(test_alembic_strange_files),
        cmocka_unit_test(test_alembic_file),
        cmocka_unit_test(test_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
