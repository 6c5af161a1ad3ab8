/* What the tools' configuration files say: where migrations lie, and where they are noted. */
#include "tool_world.h"

#define INI(text) FILES("alembic.ini", text)

static void test_alembic_locations(void **state)
{
    (void)state;
    static const char up[] = "alembic upgrade head";
    INI("[alembic]\nscript_location = alembic\n");
    finds(up, "Alembic: !alembic/versions | alembic_version");
    finds("python3 -m alembic upgrade head", "Alembic: !alembic/versions | alembic_version");
    finds("/venv/bin/alembic upgrade head", "Alembic: !alembic/versions | alembic_version");
    INI("[alembic]\r\nscript_location = %(here)s/db/steps/\r\n");
    finds(up, "Alembic: !db/steps/versions | alembic_version");
    INI("[alembic]\nscript_location: alembic\nversion_locations = one, two three\n");
    finds(up, "Alembic: !one, !two, !three | alembic_version");
    INI("[alembic]\nscript_location = a\npath_separator = newline\nversion_locations =\n    "
        "%(here)s/core\n\n    # not here\n    %(here)s/billing\n");
    finds(up, "Alembic: !core, !billing | alembic_version");
    INI("[alembic]\nscript_location = a\npath_separator = os\nversion_locations = "
        "%(here)s/a:%(here)s/b\n");
    finds(up, "Alembic: !a, !b | alembic_version");
    INI("[alembic]\nscript_location = a\npath_separator = ;\nversion_locations = a;b c\n");
    finds(up, "Alembic: !a, !b c | alembic_version");
    INI("[alembic]\nscript_location = a\nversion_path_separator = :\nversion_locations = a:b\n");
    finds(up, "Alembic: !a, !b | alembic_version");
    INI("[alembic]\nscript_location = a\nversion_path_separator = space\nversion_locations = a "
        "b\n");
    finds(up, "Alembic: !a, !b | alembic_version");
    INI("[alembic]\nscript_location = a\nrecursive_version_locations = true\n");
    finds(up, "Alembic: !a/versions/** | alembic_version");
    INI("[DEFAULT]\nroot = db\n[alembic]\nname = steps\nscript_location = %(root)s/%(name)s\n");
    finds(up, "Alembic: !db/steps/versions | alembic_version");
    INI("[alembic]\nscript_location = a\n[shop]\nscript_location = b\n");
    finds("alembic -n shop upgrade head", "Alembic: !b/versions | alembic_version");
    finds("alembic --name=shop upgrade head", "Alembic: !b/versions | alembic_version");
}

static void test_alembic_files(void **state)
{
    (void)state;
    FILES("conf/a.ini", "[alembic]\nscript_location = %(here)s/x\n", "pyproject.toml",
          "[project]\nname = \"x\"\n[tool.alembic]\nscript_location = "
          "\"%(here)s/py\"\nversion_locations = [\n  \"%(here)s/one\", # c\n  'two',\n]\n");
    /* TOML fills in, for an Alembic that reads it. */
    finds("alembic -c conf/a.ini upgrade head",
          "Alembic: !one, !two, conf/x/versions | alembic_version");
    finds("alembic upgrade head", "Alembic: !one, !two | alembic_version");
    ENV("ALEMBIC_CONFIG=conf/a.ini");
    FILES("conf/a.ini", "[alembic]\nscript_location = %(here)s/x\n");
    finds("alembic upgrade head", "Alembic: !conf/x/versions | alembic_version");
    tool_env = NULL;
    finds("alembic -cconf/a.ini upgrade head", "Alembic: !conf/x/versions | alembic_version");
    finds("alembic --config=conf/a.ini upgrade head",
          "Alembic: !conf/x/versions | alembic_version");
    FILES("pyproject.toml",
          "[tool.alembic]\nscript_location = \"m\"\nrecursive_version_locations = true\n");
    finds("alembic upgrade head", "Alembic: !m/versions/** | alembic_version");
}

static void test_alembic_packages(void **state)
{
    (void)state;
    tool_python = "/site:/more";
    FILES("alembic.ini", "[alembic]\nscript_location = shop.db:migrations\n",
          "/site/shop/db/migrations/env.py", "");
    finds("alembic upgrade head", "Alembic: !/site/shop/db/migrations/versions | alembic_version");
    FILES("alembic.ini", "[alembic]\nscript_location = a\nversion_locations = shop:db/v, b\n",
          "shop/db/v/1.py", "");
    finds("alembic upgrade head", "Alembic: !shop/db/v, !b | alembic_version");
    FILES("alembic.ini", "[alembic]\nprepend_sys_path = src\nscript_location = shop:v\n",
          "src/shop/v/env.py", "");
    finds("alembic upgrade head", "Alembic: !src/shop/v/versions | alembic_version");
    INI("[alembic]\nscript_location = gone:migrations\n");
    finds_part("alembic upgrade head", "| ? gone:migrations: the package isn't found");
    tool_python = NULL;
    finds_part("alembic upgrade head",
               "| ? where the package of gone:migrations lies can't be told: no Python");
}

static void test_alembic_broken(void **state)
{
    (void)state;
    static const char up[] = "alembic upgrade head";
    static const struct {
        const char *text, *said;
    } broken[] = {
        {"", "has no script_location in [alembic]"},
        {"[other]\nscript_location = a\n", "has no script_location in [alembic]"},
        {"[alembic]\nscript_location =\n", "has no script_location in [alembic]"},
        {"script_location = a\n", "alembic.ini, line 1: it stands in no section"},
        {"[alembic]\nnonsense\nscript_location = a\n",
         "alembic.ini, line 2: it is neither a section nor a setting"},
        {"[alembic]\nscript_location = a\nscript_location = b\n",
         "line 3: script_location is set twice"},
        {"[alembic]\nscript_location = a\n[alembic]\n", "line 3: section alembic is there twice"},
        {"[alembic]\nscript_location = %(gone)s/a\n", "%(gone)s is set nowhere"},
        {"[alembic]\nscript_location = 100%\n", "a % leads to nothing"},
        {"[alembic]\nscript_location = %(script_location)s\n", "a % leads to nothing"},
        {"[alembic]\nscript_location = a\npath_separator = |\nversion_locations = a|b\n",
         "path_separator = | isn't known"},
        {"UNREADABLE", "alembic.ini can't be read: Permission denied"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        INI(broken[i].text);
        finds_part(up, broken[i].said);
        finds_part(up, "| ? ");
    }
    tool_files = NULL;
    finds_part(up, "| ? there is neither alembic.ini nor pyproject.toml");
    FILES("pyproject.toml", "[tool.alembic]\nscript_location = \"open\n");
    finds_part(up, "| ? pyproject.toml: what [tool.alembic] has for script_location can't be told");
    FILES("pyproject.toml", "[tool]\nalembic = { script_location = \"x\" }\n");
    finds_part(up, "| ? ");
}

static void env_py(const char *text, const char *expected)
{
    FILES("alembic.ini", "[alembic]\nscript_location = a\n", "a/env.py", text);
    finds_part("alembic upgrade head", expected);
}

static void test_alembic_table(void **state)
{
    (void)state;
    env_py("context.configure(connection=c)\n", "| alembic_version");
    env_py("context.configure(\n    connection=c,\n    version_table='mine',  # x\n)\n", "| mine");
    env_py("context.configure(version_table=\"mine\", version_table_schema=\"s\")\n", "| s.mine");
    env_py("VERSION_TABLE = 'mine'\ncontext.configure(version_table=VERSION_TABLE)\n", "| mine");
    env_py("# version_table='x'\ncontext.configure(version_table=None)\n", "| alembic_version");
    env_py("context.configure(version_table=f'{x}_version')\n",
           "| a/env.py computes version_table");
    env_py("context.configure(version_table=os.environ['T'])\n",
           "| a/env.py computes version_table");
    env_py("context.configure(version_table_schema=schema)\n",
           "| a/env.py computes version_table_schema");
    env_py("kw['version_table'] = 'x'\n", "| a/env.py computes version_table");
    env_py("connection.execute(f'SET search_path TO {tenant}')\n", "| a/env.py chooses the schema");
    env_py("configure(version_table='a')\nconfigure(version_table='b')\n",
           "| a/env.py computes version_table");
    FILES("alembic.ini", "[alembic]\nscript_location = a\ndatabases = one, two\n");
    finds_part("alembic upgrade head", "| alembic.ini names several databases");
}

static void test_flask(void **state)
{
    (void)state;
    FILES("migrations/alembic.ini", "[alembic]\n", "other/alembic.ini",
          "[alembic]\nversion_locations = %(here)s/a %(here)s/b\n");
    finds("flask db upgrade", "Flask-Migrate: !migrations/versions | alembic_version");
    finds("python -m flask --app shop db upgrade",
          "Flask-Migrate: !migrations/versions | alembic_version");
    finds("flask db upgrade -d other", "Flask-Migrate: !other/a, !other/b | alembic_version");
    ENV("FLASK_DB_UPGRADE_DIRECTORY=other");
    finds("flask db upgrade", "Flask-Migrate: !other/a, !other/b | alembic_version");
    finds("flask db current", "none");
    tool_reset(state);
    finds_part("flask db upgrade", "| ? migrations/alembic.ini isn't there");
}

#define MANAGE "manage.py", "os.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"shop.settings\")\n"

static void test_django(void **state)
{
    (void)state;
    tool_python = "/site";
    FILES(MANAGE, "shop/settings.py", "INSTALLED_APPS = []\n", "/site/django/x", "");
    finds("python manage.py migrate --noinput",
          "Django: .+apps, /site+installed | django_migrations");
    finds("./manage.py migrate -v2", "Django: .+apps, /site+installed | django_migrations");
    finds("django-admin migrate --settings shop.settings",
          "Django: .+apps, /site+installed | django_migrations");
    finds("python -m django migrate --settings=shop.settings --pythonpath x",
          "Django: .+apps, x+apps, /site+installed | django_migrations");
    finds_part("django-admin migrate", "| ? which settings Django has can't be told");
    finds_part("python manage.py migrate --settings gone",
               "| ? the settings take part of gone, which isn't found");
    ENV("DJANGO_SETTINGS_MODULE=gone");
    finds_part("python manage.py migrate", "gone, which isn't found");
    tool_env = NULL;
    FILES("src/manage.py", "environ['DJANGO_SETTINGS_MODULE'] = 'settings'", "src/settings.py", "",
          "/site/django/x", "");
    finds("python src/manage.py migrate",
          "Django: .+apps, src+apps, /site+installed | django_migrations");
}

/* Settings in several files, wherever they are. */
static void test_django_settings(void **state)
{
    (void)state;
    static const char up[] = "python manage.py migrate";
    static const char *const far[][3] = {
        {"from ..base import *\n", "shop/base.py", "shop/base.py has MIGRATION_MODULES"},
        {"from ..base.x import A\n", "shop/base/x.py", "shop/base/x.py has MIGRATION_MODULES"},
        {"if X: from other import *\n", "other.py", "other.py has MIGRATION_MODULES"},
        {"try:\n    from .local import *\nexcept ImportError:\n    pass\n",
         "shop/settings/local.py", "shop/settings/local.py has MIGRATION_MODULES"},
        {"from . import (\n  local,\n)\n", "shop/settings/local.py",
         "local.py has MIGRATION_MODULES"},
        {"from other import Base\n", "other.py", "other.py has MIGRATION_MODULES"},
        {"import other\n", "other.py", "other.py has MIGRATION_MODULES"},
        {"from ...x import *\n", "x.py", "x.py has MIGRATION_MODULES"},
        {"from ....x import *\n", "x.py", "imports from above the working directory"},
        {"exec(open('x').read())\n", "x.py", "shop/settings/prod.py computes settings by exec("},
        {"from split_settings.tools import include\n", "x.py", "takes settings from files"},
        {"from gone import *\n", "x.py", "take part of gone, which isn't found"},
    };
    tool_python = "/site";
    ENV("DJANGO_SETTINGS_MODULE=shop.settings.prod");
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        FILES("manage.py", "", "shop/settings/prod.py", far[i][0], far[i][1],
              "MIGRATION_MODULES = {}\n", "/site/django/x", "");
        finds_part(up, far[i][2]);
    }
    FILES("manage.py", "", "shop/settings/prod.py", "from os import path\nimport sys\n",
          "/site/django/x", "");
    finds(up, "Django: .+apps, /site+installed | django_migrations");
    ENV("DJANGO_SETTINGS_MODULE=shop.settings.prod", "DJANGO_CONFIGURATION=Prod");
    finds_part(up, "| ? DJANGO_CONFIGURATION is set");
    ENV("DJANGO_SETTINGS_MODULE=shop.settings.prod");
    FILES("manage.py", "from configurations.management import execute_from_command_line\n",
          "shop/settings/prod.py", "", "/site/django/x", "");
    finds_part(up, "| ? manage.py takes its settings from classes");
    FILES("manage.py", "", "shop/settings/prod.py", "", "/site/django/x", "");
    finds("env PYTHONPATH=lib:more python manage.py migrate",
          "Django: .+apps, /site+installed, lib+installed, more+installed | django_migrations");
    finds_part("env VIRTUAL_ENV=x python manage.py migrate", "| ? which Python VIRTUAL_ENV=x");
}

/* What steers the tool beside its words and the migrations. */
static void same(const char *command, bool expected)
{
    static struct em_str before;
    EM_STR_AUTO now = EM_STR_INIT;
    if (command)
        tool_settings(command, &now);
    if (command && before.len)
        assert_int_equal(strcmp(em_str_c(&before), em_str_c(&now)) == 0, expected);
    em_str_free(&before);
    em_str_puts(&before, em_str_c(&now));
}

static void test_settings(void **state)
{
    (void)state;
    static const char django[] = "python manage.py migrate", flyway[] = "flyway migrate";
    tool_python = "/site";
    FILES(MANAGE, "shop/settings.py", "INSTALLED_APPS = ['a', FEATURE]\n", "/site/django/x", "");
    same(NULL, true);
    same(django, true);
    same(django, true);
    FILES(MANAGE, "shop/settings.py", "INSTALLED_APPS = ['a', 'b', FEATURE]\n", "/site/django/x",
          "");
    same(django, false);
    ENV("FEATURE=c");
    same(django, false);
    ENV("FEATURE=c", "UNRELATED=x");
    same(django, true);
    FILES(MANAGE, "shop/settings.py",
          "h = env['HOSTNAME'], env['SECRET_KEY'], env['DATABASE_URL']\n", "/site/django/x", "");
    same(django, false);
    ENV("HOSTNAME=a", "SECRET_KEY=b", "DATABASE_URL=postgres://u:p@h/d");
    same(django, true);
    tool_reset(state);
    FILES("flyway.conf", "flyway.target=1\n");
    same(NULL, true);
    same(flyway, true);
    FILES("flyway.conf", "flyway.target=2\n");
    same(flyway, false);
    ENV("FLYWAY_PLACEHOLDERS_X=1");
    same(flyway, false);
    ENV("FLYWAY_PLACEHOLDERS_X=1", "FLYWAY_PASSWORD=1", "FLYWAY_URL=jdbc:postgresql://h/d");
    same(flyway, true);
    tool_reset(state);
    FILES("package.json", "{\"version\": \"1\", \"scripts\": {\"m\": \"dbmate up\"}}");
    same(NULL, true);
    same("npm run m", true);
    FILES("package.json", "{\"version\": \"2\", \"scripts\": {\"m\": \"dbmate up\"}}");
    same("npm run m", true);
    FILES("package.json", "{\"scripts\": {\"m\": \"dbmate up && node seed\"}}");
    same("npm run m", false);
    tool_reset(state);
    same(NULL, true);
    ENV("REVISION=a");
    same("sh -c 'alembic upgrade $REVISION'", true);
    ENV("REVISION=head");
    same("sh -c 'alembic upgrade $REVISION'", false);
    FILES("migrate.sh", "psql -f a.sql\n");
    same("sh migrate.sh", false);
    same("sh migrate.sh", true);
    FILES("migrate.sh", "psql -f b.sql\n");
    same("sh migrate.sh", false);
    FILES("a/env.py", "run()\n", "alembic.ini", "[alembic]\nscript_location = a\n");
    same("alembic upgrade head", false);
    FILES("a/env.py", "run(); run()\n", "alembic.ini", "[alembic]\nscript_location = a\n");
    same("alembic upgrade head", false);
    same(NULL, true);
}

static void test_django_incomplete(void **state)
{
    (void)state;
    static const char up[] = "python manage.py migrate";
    tool_python = "/site";
    FILES(MANAGE, "shop/settings.py", "", "/site/other/x", "");
    finds_part(up, "| ? where Django is installed can't be told");
    FILES(MANAGE, "shop/settings.py", "MIGRATION_MODULES = {'a': 'b'}\n", "/site/django/x", "");
    finds_part(up, "| ? shop/settings.py has MIGRATION_MODULES");
    FILES(MANAGE, "shop/settings/prod.py", "from .base import *\n", "shop/settings/base.py",
          "MIGRATION_MODULES = {}\n", "/site/django/x", "");
    finds_part(up, "| ? shop/settings/base.py has MIGRATION_MODULES");
    FILES(MANAGE, "shop/settings.py", "from common.base import *\n", "common/base.py",
          "MIGRATION_MODULES = {}\n", "/site/django/x", "");
    finds_part(up, "| ? common/base.py has MIGRATION_MODULES");
    FILES(MANAGE, "shop/settings.py", "from gone import *\n", "/site/django/x", "");
    finds_part(up, "| ? the settings take part of gone");
    FILES("manage.py", "sys.path.insert(0, '/srv/apps')\nsetdefault('DJANGO_SETTINGS_MODULE', 's')",
          "s.py", "", "/site/django/x", "");
    finds_part(up, "| ? manage.py changes sys.path");
    tool_python = NULL;
    finds_part(up, "| ? manage.py changes sys.path");
}

static void test_flyway(void **state)
{
    (void)state;
    finds("flyway migrate",
          "Flyway: /opt/flyway/sql/**, sql/**, migrations/** | flyway_schema_history");
    finds("flyway -locations=filesystem:a,filesystem:b/c migrate",
          "Flyway: !a/**, !b/c/** | flyway_schema_history");
    finds("flyway -url=x -locations=filesystem:a -table=t -defaultSchema=s migrate",
          "Flyway: !a/** | s.t");
    finds("flyway -locations=filesystem:a -schemas=one,two info migrate",
          "Flyway: !a/** | one.flyway_schema_history");
    finds("flyway -locations=filesystem:db/*/sql migrate",
          "Flyway: !db/** | flyway_schema_history");
    finds("flyway -workingDirectory=w -locations=filesystem:a migrate",
          "Flyway: !a/** | flyway_schema_history");
    finds_part("flyway -locations=classpath:db/migration migrate",
               "| ? Flyway's location classpath:db/migration is no folder");
    finds_part("flyway -locations=db migrate", "| ? Flyway's location db is no folder");
    finds_part("flyway -locations=filesystem:a,s3:b migrate", "| ? Flyway's location s3:b");
    ENV("FLYWAY_LOCATIONS=filesystem:x,filesystem:y", "FLYWAY_TABLE=t");
    finds("flyway migrate", "Flyway: !x/**, !y/** | t");
    ENV("FLYWAY_CONFIG_FILES=c/my.conf");
    FILES("c/my.conf",
          "# c\nflyway.url = x\nflyway.locations = filesystem:x, filesystem:y\nflyway.table=t\n");
    finds("flyway migrate", "Flyway: !x/**, !y/** | t");
    tool_env = NULL;
    finds("flyway -configFiles=c/my.conf migrate", "Flyway: !x/**, !y/** | t");
    finds_part("flyway -configFiles=gone.conf migrate",
               "| ? its configuration file gone.conf isn't there");
    FILES("flyway.conf", "flyway.locations=filesystem:one\n", "flyway.toml",
          "[flyway]\nlocations = [\"filesystem:two\"]\n", "/opt/flyway/conf/flyway.conf",
          "flyway.locations=filesystem:three\nflyway.table=t\n");
    finds("flyway migrate", "Flyway: !three/**, !one/**, !two/** | t");
    FILES("flyway.toml", "[environments.a]\nurl = \"x\"\n[flyway]\nlocations = "
                         "[\"filesystem:two\",\n  \"filesystem:four\"]\n");
    finds("flyway migrate", "Flyway: !two/**, !four/** | flyway_schema_history");
    FILES("flyway.toml", "[flyway]\nlocations = [\"filesystem:two\"");
    finds_part("flyway migrate", "| ? flyway.toml: what locations is can't be told");
    FILES("flyway.conf", "flyway.locations=filesystem:${env.X}\n");
    finds_part("flyway migrate", "| ? flyway.conf: what flyway.locations is can't be told");
    FILES("flyway.conf", "UNREADABLE");
    finds_part("flyway migrate", "| ? flyway.conf can't be read");
}

static void test_rails(void **state)
{
    (void)state;
    static const char up[] = "bin/rails db:migrate";
    FILES("config/database.yml", "production:\n  primary:\n    database: x\n  animals:\n    "
                                 "migrations_paths: db/animals # c\n");
    finds_part(
        up, "Rails: db/migrate/**, !db/animals/** | config/database.yml names several databases");
    FILES("config/database.yml", "a:\n  migrations_paths: [\"db/a\", db/b]\nb:\n  "
                                 "migrations_paths:\n    - db/c\n    - \"db/d\"\n");
    finds_part(up, "Rails: db/migrate/**, !db/a/**, !db/b/**, !db/c/**, !db/d/** |");
    FILES("config/database.yml", "a:\n  migrations_paths: <%= x %>\n");
    finds_part(up, "| ? config/database.yml computes migrations_paths");
    FILES("config/application.rb", "config.paths[\"db/migrate\"] << \"more\"\n");
    finds_part(up, "| ? config/application.rb says where migrations lie");
    FILES("config/initializers/x.rb", "ActiveRecord::Migrator.migrations_paths << 'x'\n");
    finds_part(up, "| ? config/initializers/x.rb says");
    FILES("Gemfile.lock", "PATH\n  remote: engines/shop\n  specs:\n    shop (0.1)\n\nGEM\n  "
                          "remote: https://rubygems.org/\n");
    finds(up, "Rails: db/migrate/**, Gemfile.lock, engines/shop/db/migrate/** | schema_migrations");
}

static void test_prisma(void **state)
{
    (void)state;
    static const char up[] = "npx prisma migrate deploy";
    FILES("db/s.prisma", "");
    finds_part("npx prisma migrate deploy --schema db/s.prisma", "Prisma: db/migrations/** |");
    FILES("package.json", "{\"prisma\": {\"schema\": \"db/s.prisma\"}}", "db/s.prisma", "");
    finds_part(up, "Prisma: db/migrations/**, prisma/migrations/**");
    FILES("prisma.config.ts",
          "export default defineConfig({ schema: 'db/s.prisma', migrations: { path: \"db/steps\" } "
          "})",
          "db/s.prisma", "");
    finds_part(up, "Prisma: db/migrations/**, !db/steps/**");
    FILES("prisma.config.ts",
          "export default defineConfig({ migrations: { path: process.env.P } })");
    finds_part(up, "| ? prisma.config.ts computes where");
    FILES("package.json", "{");
    finds_part(up, "| ? package.json:");
    FILES("db/schema/base/main.prisma", "", "package.json", "{}");
    finds_part("npx prisma migrate deploy --schema db/schema",
               "Prisma: db/migrations/**, db/schema/** |");
    FILES("../package.json", "{}");
    finds_part(up, "| ? the nearest package.json lies above");
}

static void test_knex(void **state)
{
    (void)state;
    static const char up[] = "npx knex migrate:latest";
    FILES("knexfile.js", "module.exports = { client: 'pg', migrations: { directory: ['./a', "
                         "\"b\"], tableName: 't' } };");
    finds(up, "Knex: !a, !b, migrations | t");
    FILES("knexfile.js", "const path = require('path');\nmodule.exports = { migrations: { "
                         "directory: path.join(__dirname, 'db', 'steps') } };");
    finds(up, "Knex: !db/steps, migrations | knex_migrations");
    FILES("db/knexfile.ts",
          "export default { migrations: { directory: './steps', schemaName: 's' } }");
    finds("npx knex --knexfile db/knexfile.ts migrate:latest",
          "Knex: !db/steps, db/migrations | s.knex_migrations");
    FILES("db/knexfile.js", "module.exports = { migrations: { directory: __dirname + '/steps' } }");
    finds("npx knex --knexfile=db/knexfile.js migrate:latest",
          "Knex: !db/steps, db/migrations | knex_migrations");
    FILES("knexfile.js", "module.exports = { client: 'pg' /* directory: 'x' */ };");
    finds(up, "Knex: migrations | knex_migrations");
    static const char *const unclear[] = {
        "module.exports = { migrations: { directory: dir } }",
        "const directory = 'x'; module.exports = { migrations: { directory } }",
        "module.exports = require('./config')",
        "module.exports = { ...base }",
        "module.exports = { migrations: { directory: `${x}/y` } }",
        "module.exports = { migrations: { directory: a ? 'x' : 'y' } }",
        "module.exports = { migrations: { directory: 'x' + y } }",
        "x.directory = 'y'",
        "x['directory'] = y",
        "module.exports = require(path.resolve('x'))",
        "module.exports = require('@acme/settings')",
        "import base from '@acme/settings'; export default base",
        "export { default } from './x'",
        "module.exports = { migrations: { directory: './a'\n.replace('a', 'b') } }",
        "module.exports = { migrations: { directory: ['a'].concat(x) } }",
        "migrationSource: new X()"};
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
        FILES("knexfile.js", unclear[i]);
        finds_part(up, "| ? knexfile.js ");
    }
    FILES("knexfile.js", "const { knexSnakeCaseMappers } = require('objection');\nrequire('dotenv')"
                         ".config();\nimport.meta.dirname;\nmodule.exports = { seeds: { directory:"
                         " './seeds' } };");
    finds(up, "Knex: !seeds, migrations | knex_migrations");
    tool_files = NULL;
    finds_part("npx knex --cwd x migrate:latest", "| ? what Knex makes of --cwd");
}

static void test_node_pg_migrate(void **state)
{
    (void)state;
    FILES("config/default.json",
          "{\"db\": {\"migrations-dir\": \"steps\", \"migrations-table\": \"t\"}}");
    finds("node-pg-migrate up", "node-pg-migrate: !steps, migrations | t");
    finds("node-pg-migrate up -m x", "node-pg-migrate: !x, !steps | t");
    FILES("pg.json", "{\"migrations-dir\": \"steps\", \"migrations-schema\": \"s\"}");
    finds("node-pg-migrate -f pg.json up", "node-pg-migrate: !steps, migrations | s.pgmigrations");
    FILES("pg.json", "{\"migrations-dir\": ");
    finds_part("node-pg-migrate -f pg.json up", "| ? pg.json:");
    FILES("pg.js", "module.exports = {'migrations-dir': process.env.X}");
    finds_part("node-pg-migrate -f pg.js up", "| ? pg.js computes where");
    FILES(".env", "NODE_CONFIG_DIR=c\n", "c/default.json", "{\"db\": {\"migrations-dir\": \"x\"}}");
    finds("node-pg-migrate up", "node-pg-migrate: !x, migrations | pgmigrations");
    ENV("NODE_CONFIG_DIR=a:b");
    finds_part("node-pg-migrate up", "| ? NODE_CONFIG_DIR is a:b, which is no folder");
    tool_env = NULL;
    FILES("config/default.yaml", "");
    finds_part("node-pg-migrate up", "| ? config/default.yaml isn't read");
    ENV("NODE_CONFIG={}");
    finds_part("node-pg-migrate up", "| ? NODE_CONFIG is set");
}

static void test_sequelize_and_drizzle(void **state)
{
    (void)state;
    FILES(".sequelizerc",
          "const path = require('path');\nmodule.exports = { 'migrations-path': path.resolve('db', "
          "'steps'), 'config': path.resolve('db', 'c.json') };",
          "db/c.json", "{\"production\": {\"migrationStorageTableName\": \"t\"}}");
    finds("npx sequelize-cli db:migrate", "Sequelize: !db/steps | t");
    FILES(".sequelizerc", "module.exports = { 'migrations-path': dir };");
    finds_part("npx sequelize-cli db:migrate", "| ? .sequelizerc computes where");
    FILES("config/config.js", "module.exports = { migrationStorageTableName: name }");
    finds_part("npx sequelize-cli db:migrate",
               "| config/config.js: what migrationStorageTableName is can't be told");
    FILES("drizzle.config.ts",
          "export default defineConfig({ out: './db', dialect: 'postgresql' })");
    finds_part("npx drizzle-kit migrate", "Drizzle: !db/** |");
    FILES("drizzle.config.ts", "export default defineConfig({ out: OUT })");
    finds_part("npx drizzle-kit migrate", "| ? drizzle.config.ts computes where");
    tool_files = NULL;
    finds_part("npx drizzle-kit migrate", "| ? there is no drizzle.config file");
}

static void test_sqlx_and_ecto(void **state)
{
    (void)state;
    FILES("sqlx.toml", "[migrate]\nmigrations-dir = \"db\"\n");
    finds("sqlx migrate run", "sqlx: !db | _sqlx_migrations");
    FILES("sqlx.toml", "[migrate]\ntable-name = \"t\"\n");
    finds("sqlx migrate run", "sqlx: migrations | sqlx.toml sets table-name");
    FILES("apps/shop/mix.exs", "", "config/config.exs", "config :shop, Shop.Repo, priv: \"db\"\n");
    finds_part("mix do ecto.migrate + run x.exs", "| ? mix do runs several tasks");
    finds_part(
        "mix ecto.migrate",
        "Ecto: priv/**, apps/shop/priv/** | schema_migrations | ? config/config.exs sets priv:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_alembic_locations, tool_reset),
        cmocka_unit_test_setup(test_alembic_files, tool_reset),
        cmocka_unit_test_setup(test_alembic_packages, tool_reset),
        cmocka_unit_test_setup(test_alembic_broken, tool_reset),
        cmocka_unit_test_setup(test_alembic_table, tool_reset),
        cmocka_unit_test_setup(test_flask, tool_reset),
        cmocka_unit_test_setup(test_django, tool_reset),
        cmocka_unit_test_setup(test_django_incomplete, tool_reset),
        cmocka_unit_test_setup(test_django_settings, tool_reset),
        cmocka_unit_test_setup(test_settings, tool_reset),
        cmocka_unit_test_setup(test_flyway, tool_reset),
        cmocka_unit_test_setup(test_rails, tool_reset),
        cmocka_unit_test_setup(test_prisma, tool_reset),
        cmocka_unit_test_setup(test_knex, tool_reset),
        cmocka_unit_test_setup(test_node_pg_migrate, tool_reset),
        cmocka_unit_test_setup(test_sequelize_and_drizzle, tool_reset),
        cmocka_unit_test_setup(test_sqlx_and_ecto, tool_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
