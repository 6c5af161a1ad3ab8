/* Which program a command starts, and what its words say. */
#include "tool_world.h"

static void test_by_program(void **state)
{
    (void)state;
    finds("dbmate up", "dbmate: db/migrations | schema_migrations");
    finds("/opt/bin/dbmate --wait migrate", "dbmate: db/migrations | schema_migrations");
    finds("npx node-pg-migrate up", "node-pg-migrate: migrations | pgmigrations");
    finds("node_modules/.bin/node-pg-migrate up", "node-pg-migrate: migrations | pgmigrations");
    finds("node ./node_modules/node-pg-migrate/bin/node-pg-migrate.js up",
          "node-pg-migrate: migrations | pgmigrations");
    finds("node -r dotenv/config node_modules/knex/bin/cli.js migrate:latest",
          "Knex: migrations | knex_migrations");
    finds("npx --yes sequelize-cli db:migrate", "Sequelize: migrations | SequelizeMeta");
    finds("npx prisma@5.22.0 migrate deploy",
          "Prisma: prisma/migrations/**, prisma/schema.prisma/**, migrations/**, "
          "schema.prisma/** | _prisma_migrations");
    finds("sqlx migrate run", "sqlx: migrations | _sqlx_migrations");
    finds("goose postgres postgres://h/d up", "goose: !. | goose_db_version");
    finds("bundle exec rails db:migrate", "Rails: db/migrate/** | schema_migrations");
    finds("bin/rails db:prepare", "Rails: db/migrate/** | schema_migrations");
    finds("./efbundle --connection x",
          "Entity Framework: Migrations/**, efbundle | __EFMigrationsHistory");
    finds("mix ecto.migrate", "Ecto: priv/** | schema_migrations");
    finds_part("npx typeorm migration:run -d x.js", "| ? TypeORM's data source");
    finds_part("dotnet ef database update", "none");
}

/* What isn't a tool's own migration is no tool. */
static void test_none(void **state)
{
    (void)state;
    finds("", "none");
    finds("true", "none");
    finds("./migrate.sh", "none");
    finds("migrate", "none");
    finds("migrate up", "none");
    finds("bin/migrate --all", "none");
    finds("node migrate.js up", "none");
    finds("node node_modules/knex-like/cli.js migrate:latest", "none");
    finds("alembic current", "none");
    finds("python manage.py migrate_all", "none");
    finds("npx prisma db push", "none");
    finds("npx drizzle-kit push", "none");
    finds("echo alembic upgrade head", "none");
    finds("python -c 'import alembic'", "none");
    finds("sh script.sh alembic upgrade head", "none");
    finds("/", "none");
    finds("''", "none");
    finds("npm run", "none");
    finds("env", "none");
    finds("timeout 5", "none");
}

static void test_passed_over(void **state)
{
    (void)state;
    static const char *const fronts[] = {"env A=b",
                                         "env -u X A=b",
                                         "exec",
                                         "nice -n 5",
                                         "nice -n5",
                                         "timeout 60",
                                         "timeout -s KILL --kill-after=5 60",
                                         "nohup",
                                         "poetry run",
                                         "uv run",
                                         "uv run --frozen --no-dev",
                                         "uv run --with x",
                                         "pipenv run",
                                         "pdm run",
                                         "bundle exec",
                                         "dotenv --",
                                         "dotenv -f x.env run --",
                                         "tini --",
                                         "tini -g --",
                                         "dumb-init",
                                         "gosu app",
                                         "su-exec app:app",
                                         "stdbuf -oL",
                                         "npx",
                                         "npx --no-install",
                                         "npx -p dbmate",
                                         "bunx",
                                         "pnpm exec",
                                         "pnpm dlx",
                                         "yarn dlx",
                                         "npm exec --"};
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
        EM_STR_AUTO command = EM_STR_INIT;
        em_str_printf(&command, "%s dbmate -d sql up", fronts[i]);
        finds(em_str_c(&command), "dbmate: !sql | schema_migrations");
    }
    finds("env DBMATE_MIGRATIONS_DIR=one dbmate up", "dbmate: !one | schema_migrations");
    finds("cross-env DBMATE_MIGRATIONS_DIR=one npx dbmate up", "dbmate: !one | schema_migrations");
    /* what starts elsewhere, or can't be told */
    finds_part("env -C /srv dbmate up", "| ? what env does with -C");
    finds_part("uv run --directory x dbmate up", "| ? what uv does with --directory");
    finds_part("poetry -C x run dbmate up", "| ? what poetry does with -C");
    finds_part("npx --prefix x dbmate up", "| ? what npx does with --prefix");
    finds_part("poetry -C../x run dbmate up", "| ? what poetry does with -C../x");
    finds_part("npx -c'dbmate up' dbmate up", "| ? what npx does with -c");
    finds_part("ruby -Cx bin/rails db:migrate", "| ? what ruby does with -Cx");
    finds_part("ruby -C x bin/rails db:migrate", "| ? what ruby does with -C");
    finds_part("node -r ./setup.js node_modules/knex/bin/cli.js migrate:latest",
               "| ? what ./setup.js changes");
    finds_part("node --import=./setup.mjs node_modules/knex/bin/cli.js migrate:latest",
               "| ? what ./setup.mjs changes");
    ENV("NODE_OPTIONS=--require ./x.js", "UV_ENV_FILE=x.env", "PIPENV_DOTENV_LOCATION=p.env");
    FILES("p.env", "DBMATE_MIGRATIONS_DIR=two\n");
    finds_part("node node_modules/knex/bin/cli.js migrate:latest", "| ? what NODE_OPTIONS loads");
    finds_part("uv run dbmate up", "| ? what uv makes of UV_ENV_FILE");
    finds("pipenv run dbmate up", "dbmate: !two | schema_migrations");
    tool_env = NULL;
    FILES("pyproject.toml", "[tool.pdm.scripts]\ndbmate = \"dbmate -d other\"\n", "Pipfile",
          "[scripts]\ndbmate = \"dbmate -d other\"\n");
    finds_part("pdm run dbmate up", "| ? pyproject.toml may have a script of its own");
    finds_part("pipenv run dbmate up", "| ? Pipfile may have a script of its own");
    finds("pdm run goose up", "goose: !. | goose_db_version");
    FILES("pyproject.toml", "[tool.pdm.scripts.dbmate]\ncmd = \"x\"\n");
    finds_part("pdm run dbmate up", "| ? pyproject.toml may have a script of its own");
    tool_files = NULL;
    /* Go's flags end at the first word that is none. */
    finds_part("goose postgres x up -dir other", "| ? what goose makes of -dir behind postgres");
    finds_part("migrate -path a up -path b", "| ? what golang-migrate makes of -path behind up");
}

static void test_shell(void **state)
{
    (void)state;
    ENV("DIR=one", "TWO=a b", "EMPTY=");
    finds("sh -c 'dbmate -d sql up'", "dbmate: !sql | schema_migrations");
    finds("sh -ec 'exec dbmate -d sql up'", "dbmate: !sql | schema_migrations");
    finds("bash -c 'DBMATE_MIGRATIONS_DIR=x dbmate up'", "dbmate: !x | schema_migrations");
    finds("sh -c 'dbmate -d $DIR up'", "dbmate: !one | schema_migrations");
    finds("sh -c 'dbmate -d \"${DIR}/x\" up'", "dbmate: !one/x | schema_migrations");
    finds("sh -c 'dbmate -d sql up; '", "dbmate: !sql | schema_migrations");
    finds("sh -c 'dbmate -d sql up # done\n'", "dbmate: !sql | schema_migrations");
    finds("sh -c 'dbmate -d sql up >/dev/null 2>&1'", "dbmate: !sql | schema_migrations");
    finds_part("bash -lc 'dbmate -d sql up'", "| ? what a login's profiles set for bash");
    finds_part("bash --login -c 'dbmate -d sql up'", "| ? what a login's profiles set for bash");
    finds("sh -c \"dbmate -d 'a b' up\"", "dbmate: !a b | schema_migrations");
    static const char *const several[] = {"cd /app && dbmate up",
                                          "dbmate up; seed",
                                          "dbmate up | tee x",
                                          "dbmate up & wait",
                                          "dbmate up || true",
                                          "for i in 1 2; do dbmate up; done",
                                          "if true; then dbmate up; fi",
                                          "(dbmate up)",
                                          "set -e\ndbmate up",
                                          "{ dbmate up; }",
                                          "! dbmate up",
                                          "cd x\n dbmate up"};
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        EM_STR_AUTO command = EM_STR_INIT;
        em_str_printf(&command, "sh -c '%s'", several[i]);
        finds(em_str_c(&command), "none (compound)");
    }
    static const char *const unclear[] = {"dbmate -d $TWO up",      "dbmate -d $(cat dir) up",
                                          "dbmate -d `cat dir` up", "dbmate -d ${X:-y} up",
                                          "dbmate -d s* up",        "dbmate up <in",
                                          "dbmate -d {a,b} up",     "dbmate -d ~/x up",
                                          "dbmate -d \"$(x)\" up",  "dbmate \"up"};
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
        EM_STR_AUTO command = EM_STR_INIT;
        em_str_printf(&command, "sh -c '%s'", unclear[i]);
        finds_part(em_str_c(&command), "none");
    }
    /* without a shell, nothing expands it */
    finds_part("dbmate -d $DIR up", "| ? dbmate's -d is $DIR, which nothing expands");
}

static void test_package_scripts(void **state)
{
    (void)state;
    FILES("package.json", "{\"scripts\": {\"migrate\": \"dbmate -d sql up\", \"nested\": \"npm run "
                          "migrate\", \"two\": \"dbmate up && seed\","
                          " \"hooked\": \"dbmate up\", \"prehooked\": \"x\", \"env\": "
                          "\"DBMATE_MIGRATIONS_DIR=z dbmate up\", \"loop\": \"npm run loop\"}}");
    finds("npm run migrate", "dbmate: !sql | schema_migrations");
    finds("npm run --silent migrate", "dbmate: !sql | schema_migrations");
    finds("npm run migrate -- --strict", "dbmate: !sql | schema_migrations");
    finds("npm run migrate -- -d more", "dbmate: !sql, !more | schema_migrations");
    finds("yarn migrate", "dbmate: !sql | schema_migrations");
    finds("yarn run migrate", "dbmate: !sql | schema_migrations");
    finds("pnpm migrate", "dbmate: !sql | schema_migrations");
    finds("bun run migrate", "dbmate: !sql | schema_migrations");
    finds("npm run nested", "dbmate: !sql | schema_migrations");
    finds("npm run env", "dbmate: !z | schema_migrations");
    finds("sh -c 'npm run migrate'", "dbmate: !sql | schema_migrations");
    finds("npm run two", "none (compound)");
    finds("npm run hooked", "none (compound)");
    finds("npm run gone", "none");
    finds("npm run loop", "none");
    finds_part("npm --prefix x run migrate",
               "dbmate: !sql | schema_migrations | ? what npm does with --prefix");
    finds("yarn knex migrate:latest", "Knex: migrations | knex_migrations");
    FILES("package.json", "{\"scripts\": ");
    finds("npm run migrate", "none");
}

static void test_options(void **state)
{
    (void)state;
    finds("dbmate -d ./sql up", "dbmate: !sql | schema_migrations");
    finds("dbmate --migrations-dir=sql up", "dbmate: !sql | schema_migrations");
    finds("dbmate --migrations-dir one --migrations-dir two up",
          "dbmate: !one, !two | schema_migrations");
    finds("dbmate -d one,two up", "dbmate: !one, !two | schema_migrations");
    finds_part("dbmate --migrations-dir= up", "? dbmate's folder of migrations is named by an");
    finds_part("dbmate -d '' up", "? dbmate's folder of migrations is named by an");
    finds("dbmate --migrations-table t up", "dbmate: db/migrations | t");
    finds("dbmate --migrations-table s.t up", "dbmate: db/migrations | s.t");
    finds("node-pg-migrate -m db/steps -t t --migrations-schema s up",
          "node-pg-migrate: !db/steps | s.t");
    finds("node-pg-migrate -mdb/steps up", "node-pg-migrate: !db/steps | pgmigrations");
    finds("node-pg-migrate -m 'db/**/*.sql' --use-glob up",
          "node-pg-migrate: !db/** | pgmigrations");
    finds("goose -dir db -table t postgres x up", "goose: !db | t");
    finds("goose --dir=db postgres x up-to 3", "goose: !db | goose_db_version");
    finds("migrate -path /migrations -database postgres://h/d up",
          "golang-migrate: !/migrations | schema_migrations");
    finds("migrate -source file://db/m -database "
          "'postgres://h/d?sslmode=disable&x-migrations-table=t' up",
          "golang-migrate: !db/m | t");
    finds_part("migrate -source github://x/y -database x up",
               "| ? golang-migrate's source is no folder");
    finds_part(
        "migrate -path a -database 'x?x-migrations-table=t&x-migrations-table-quoted=1' goto 3",
        "| the database's URL has a quoted");
    finds("sqlx migrate run --source=db", "sqlx: !db | _sqlx_migrations");
    finds("npx knex migrate:latest --migrations-directory db --migrations-table-name t",
          "Knex: !db | t");
    finds("npx sequelize db:migrate --migrations-path=db", "Sequelize: !db | SequelizeMeta");
    finds("mix ecto.migrate --migrations-path a --migrations-path b --prefix s",
          "Ecto: !a/**, !b/**, priv/** | s.schema_migrations");
    finds_part("dbmate up -d", "| ? dbmate's option -d has no value");
    finds_part("dbmate --unheard-of up", "| ? dbmate's option --unheard-of isn't known");
    finds_part("rails db:migrate db:seed", "| ? db:seed is no migration");
}

static void test_variables(void **state)
{
    (void)state;
    ENV("DBMATE_MIGRATIONS_DIR=one,two", "DBMATE_MIGRATIONS_TABLE=t", "GOOSE_MIGRATION_DIR=g",
        "GOOSE_TABLE=s.t");
    finds("dbmate up", "dbmate: !one, !two | t");
    finds("dbmate -d x up", "dbmate: !x | t");
    finds("goose up", "goose: !g | s.t");
    finds("goose -dir h up", "goose: !h | s.t");
    tool_env = NULL;
    FILES(".env", "# c\nexport DBMATE_MIGRATIONS_DIR='three' # x\nGOOSE_MIGRATION_DIR=\"g2\"\n",
          "g2/1.sql", "");
    finds("dbmate up", "dbmate: !three | schema_migrations");
    finds("goose up", "goose: !g2 | goose_db_version");
    finds("goose -env none up", "goose: !. | goose_db_version");
    FILES(".env", "DBMATE_MIGRATIONS_DIR=$HOME/x\n");
    finds_part("dbmate up", "| ? .env: what DBMATE_MIGRATIONS_DIR is can't be told");
    FILES(".env", "UNREADABLE");
    finds_part("dbmate up", "| ? .env can't be read: Permission denied");
    FILES("db/1.go", "");
    finds_part("goose -dir db up", "| ? db/1.go is compiled into the program");
}

static void upgrades(const char *text, const char *expected)
{
    EM_STR_AUTO out = EM_STR_INIT;
    em_tool_upgrades_to(text, &out);
    assert_string_equal(em_str_c(&out), expected);
}

static void test_upgrades_to(void **state)
{
    (void)state;
    upgrades("#!/bin/sh\nset -e\nalembic upgrade head\n", "head");
    upgrades("alembic -c x.ini upgrade --sql heads", "heads");
    upgrades("command.upgrade(config, \"head\")\n", "head");
    upgrades("pip install --upgrade pip\nalembic upgrade heads", "heads");
    upgrades("alembic upgrade ae1027a6acf", "");
    upgrades("alembic upgrade shop@head", "");
    upgrades("pip install --upgrade overhead", "");
    upgrades("", "");
}

static void test_wants(void **state)
{
    (void)state;
    assert_true(em_tool_wants(NULL, "1.sql"));
    assert_false(em_tool_wants(NULL, "README.md"));
    assert_false(em_tool_wants(NULL, "1.js.map"));
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
        cmocka_unit_test_setup(test_by_program, tool_reset),
        cmocka_unit_test_setup(test_none, tool_reset),
        cmocka_unit_test_setup(test_passed_over, tool_reset),
        cmocka_unit_test_setup(test_shell, tool_reset),
        cmocka_unit_test_setup(test_package_scripts, tool_reset),
        cmocka_unit_test_setup(test_options, tool_reset),
        cmocka_unit_test_setup(test_variables, tool_reset),
        cmocka_unit_test(test_upgrades_to),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
