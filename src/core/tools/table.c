#include "embark/core/tools/tools.h"

#include <ctype.h>
#include <string.h>

#include "search.h"

#define OPTIONS static const struct em_tool_option
/* clang-format off */

/* alembic/config.py, CommandLine: https://alembic.sqlalchemy.org/en/latest/api/config.html */
OPTIONS alembic[] = {{'c', "-c --config"}, {'o', "-n --name"}, {'o', "-x"},
                     {'f', "--raiseerr -q --quiet --sql"}, {'v', "--tag"}, {0, ""}};
/* flask_migrate/cli.py, and Flask's own options */
OPTIONS flask[] = {{'d', "-d --directory"}, {'o', "-x --x-arg"}, {'v', "-A --app --tag"}, {'o', "-e --env-file"},
                   {'f', "--sql --debug --no-debug"}, {0, ""}};
/* docs.djangoproject.com, django-admin: migrate, and the options of all commands */
OPTIONS django[] = {{'f', "--noinput --no-input --fake --fake-initial --plan --run-syncdb --check --prune --no-color --force-color --traceback --skip-checks"},
                    {'v', "-v --verbosity --database"}, {'o', "--settings --pythonpath"}, {0, ""}};
/* main.go: https://github.com/amacneil/dbmate */
OPTIONS dbmate[] = {{'d', "-d --migrations-dir"}, {'t', "--migrations-table"}, {'o', "--env-file"},
                    {'v', "-e --env -u --url -s --schema-file --wait-timeout --driver"},
                    {'f', "--no-dump-schema --wait --strict -v --verbose"}, {0, ""}};
/* cmd/goose/main.go: https://github.com/pressly/goose */
OPTIONS goose[] = {{'d', "-dir --dir"}, {'t', "-table --table"}, {'o', "-env --env"},
                   {'v', "-certfile --certfile -ssl-cert --ssl-cert -ssl-key --ssl-key -timeout --timeout"},
                   {'f', "-v --v -s --s -allow-missing --allow-missing -no-color --no-color -no-versioning --no-versioning"}, {0, ""}};
/* internal/cli/main.go: https://github.com/golang-migrate/migrate */
OPTIONS golang[] = {{'o', "-path --path -source --source -database --database"},
                    {'v', "-prefetch --prefetch -lock-timeout --lock-timeout"}, {'f', "-verbose --verbose"}, {0, ""}};
/* sqlx-cli/src/opt.rs: https://github.com/launchbadge/sqlx */
OPTIONS sqlx[] = {{'d', "--source"}, {'v', "-D --database-url --connect-timeout --target-version"}, {'o', "--config --params-from"},
                  {'f', "--dry-run --ignore-missing -I --no-dotenv -q --quiet --sqlite-create-db-wal"}, {0, ""}};
/* bin/node-pg-migrate, src/cli/options.ts: https://salsita.github.io/node-pg-migrate/cli */
OPTIONS pg_migrate[] = {
    {'d', "-m --migrations-dir --migrationsDir"}, {'t', "-t --migrations-table --migrationsTable"},
    {'s', "--migrations-schema --migrationsSchema"}, {'c', "-f --config-file --configFile"},
    {'o', "-s --schema --config-value --configValue --envPath --tsconfig"},
    {'v', "-d --database-url-var --ignore-pattern --migration-file-language -j --migration-filename-format --lock-value --template-file-name"},
    {'f', "--use-glob --create-schema --create-migrations-schema --check-order --no-check-order --verbose --no-verbose --decamelize --reject-unauthorized --no-reject-unauthorized --single-transaction --no-single-transaction --lock --no-lock --fake --dry-run --timestamp --tsx --ts-node"}, {0, ""}};
/* https://www.prisma.io/docs/orm/reference/prisma-cli-reference */
OPTIONS prisma[] = {{'o', "--schema --config"}, {'f', "--skip-generate"}, {0, ""}};
/* bin/cli.js: https://knexjs.org/guide/migrations.html */
OPTIONS knex[] = {{'d', "--migrations-directory"}, {'t', "--migrations-table-name"}, {'c', "--knexfile"},
                  {'o', "--cwd"}, {'v', "--env --client --connection --timeout --debug-level --knexpath"},
                  {'f', "--debug --esm --verbose --all --no-timeout"}, {0, ""}};
/* src/core/yargs.js: https://github.com/sequelize/cli */
OPTIONS sequelize[] = {{'d', "--migrations-path"}, {'o', "--options-path --config"},
                       {'v', "--env --url --models-path --seeders-path --to --from --name"}, {'f', "--debug"}, {0, ""}};
/* https://orm.drizzle.team/docs/drizzle-kit-migrate */
OPTIONS drizzle[] = {{'c', "--config"}, {'o', "--out"}, {'v', "--dialect"}, {0, ""}};
/* https://typeorm.io/docs/advanced-topics/using-cli */
OPTIONS typeorm[] = {{'o', "-d --dataSource"}, {'v', "-t --transaction"}, {'f', "-f --fake"}, {0, ""}};
/* https://documentation.red-gate.com/fd: -key=value, of which all others are the connection's or say how */
OPTIONS flyway[] = {{'f', "-X -q -n -e -i -outputType -community"}, {0, ""}};
/* https://guides.rubyonrails.org/command_line.html */
OPTIONS rails[] = {{'f', "--trace -t --quiet -q --silent -s --verbose -v"}, {'o', "-e --environment -f --rakefile -C --directory"}, {0, ""}};
/* https://learn.microsoft.com/ef/core/managing-schemas/migrations/applying */
OPTIONS bundle[] = {{'v', "--connection"}, {'f', "--verbose -v --no-color --prefix-output"}, {0, ""}};
/* lib/mix/tasks/ecto.migrate.ex: https://github.com/elixir-ecto/ecto_sql */
OPTIONS ecto[] = {{'d', "--migrations-path"}, {'s', "--prefix"}, {'v', "-r --repo -n --step --to --to-exclusive --pool-size --log-level"},
                  {'f', "--all --quiet --no-compile --no-deps-check --strict-version-order --log-migrations-sql --log-migrator-sql --skip-table-creation"}, {0, ""}};

static const struct em_tool tools[] = {
    {"Alembic", "Alembic", "alembic alembic.config", "upgrade", alembic, "", EM_TOOL_FLAT, NULL, NULL, NULL, "alembic_version", NULL, NULL, em_tool_alembic, NULL},
    {"Flask-Migrate", "Alembic", "flask", "db upgrade", flask, "", EM_TOOL_FLAT, NULL, NULL, NULL, "alembic_version", NULL, NULL, em_tool_flask, NULL},
    {"Django", "Django", "manage.py django-admin django", "migrate", django, "", EM_TOOL_APPS, NULL, NULL, NULL, "django_migrations", NULL, "DJANGO_*", em_tool_django, NULL},
    {"Prisma", "Prisma", "prisma", "migrate deploy", prisma, "", EM_TOOL_DEEP, NULL, NULL, NULL, "_prisma_migrations", NULL, NULL, em_tool_prisma, "public"},
    {"Knex", "Knex", "knex", "migrate:latest|migrate:up", knex, "", EM_TOOL_FLAT, NULL, NULL, NULL, NULL, NULL, "NODE_ENV", em_tool_knex, NULL},
    {"node-pg-migrate", "node-pg-migrate", "node-pg-migrate", "up", pg_migrate, "migrations", EM_TOOL_FLAT, NULL, NULL, NULL, "pgmigrations", NULL, "NODE_ENV NODE_APP_INSTANCE NODE_CONFIG_ENV", em_tool_pg_migrate, "public"},
    {"Sequelize", "Sequelize", "sequelize sequelize-cli", "db:migrate", sequelize, "", EM_TOOL_FLAT, NULL, NULL, NULL, NULL, NULL, "NODE_ENV", em_tool_sequelize, NULL},
    {"Drizzle", NULL, "drizzle-kit", "migrate", drizzle, "", EM_TOOL_DEEP, NULL, NULL, NULL, NULL, NULL, NULL, em_tool_drizzle, NULL},
    {"TypeORM", NULL, "typeorm typeorm-ts-node-commonjs typeorm-ts-node-esm", "migration:run", typeorm, "", EM_TOOL_FLAT, NULL, NULL, NULL, NULL, NULL, NULL, em_tool_typeorm, NULL},
    {"dbmate", "dbmate", "dbmate", "up|migrate", dbmate, "db/migrations", EM_TOOL_FLAT, "DBMATE_MIGRATIONS_DIR", "DBMATE_MIGRATIONS_TABLE", NULL, "schema_migrations", "*.sql", NULL, em_tool_dbmate, NULL},
    {"goose", "goose", "goose", "up|up-to|up-by-one", goose, ".", EM_TOOL_FLAT, "GOOSE_MIGRATION_DIR", "GOOSE_TABLE", NULL, "goose_db_version", "*.sql *.go", NULL, em_tool_goose, NULL},
    {"golang-migrate", "golang-migrate", "migrate", "up|goto", golang, "", EM_TOOL_FLAT, NULL, NULL, NULL, "schema_migrations", "[0-9]*", NULL, em_tool_golang, NULL},
    {"Flyway", "Flyway", "flyway", "migrate", flyway, "", EM_TOOL_DEEP, NULL, "FLYWAY_TABLE", "FLYWAY_DEFAULT_SCHEMA", "flyway_schema_history", NULL, "FLYWAY_*", em_tool_flyway, NULL},
    {"sqlx", "sqlx", "sqlx cargo-sqlx", "migrate run|database setup", sqlx, "migrations", EM_TOOL_FLAT, NULL, NULL, NULL, "_sqlx_migrations", NULL, NULL, em_tool_sqlx, NULL},
    {"Rails", "Rails", "rails rake", "db:migrate|db:migrate:*|db:prepare", rails, "db/migrate", EM_TOOL_DEEP, NULL, NULL, NULL, "schema_migrations", NULL, "RAILS_ENV RACK_ENV VERSION SCOPE", em_tool_rails, NULL},
    {"Entity Framework", "Entity Framework", "efbundle dotnet-ef", "", bundle, "Migrations", EM_TOOL_DEEP, NULL, NULL, NULL, "__EFMigrationsHistory", NULL, NULL, em_tool_bundle, NULL},
    {"Ecto", NULL, "mix", "ecto.migrate", ecto, "", EM_TOOL_DEEP, NULL, NULL, NULL, "schema_migrations", NULL, "MIX_ENV", em_tool_ecto, NULL},
};

const char *const em_tool_tables[] = {
    "alembic_version", "django_migrations", "schema_migrations", "_prisma_migrations", "flyway_schema_history",
    "knex_migrations", "goose_db_version", "_sqlx_migrations", "SequelizeMeta", "pgmigrations",
    "__EFMigrationsHistory", NULL,
};
/* clang-format on */

/* ---- The words ------------------------------------------------------------------------------- */

/* What npx is given may have a version; what a node_modules folder holds is called by its package:
 * node_modules/knex/bin/cli.js. */
static void program_of(const char *word, struct em_str *name)
{
    static const char packages[] = "node_modules/";
    const char *package = strstr(word, packages);
    for (const char *next = package; next; next = strstr(next + 1, packages))
        package = next + sizeof packages - 1;
    if (package && em_starts(package, ".bin/"))
        package = NULL;
    const char *base = package ? package : em_base_name(word);
    em_str_add(name, base, package ? strcspn(base, "/") : strlen(base));
    const char *version = name->len ? strchr(name->data + 1, '@') : NULL;
    if (version)
        em_str_cut(name, (size_t)(version - name->data));
}

static const struct em_tool_option *option_of(const struct em_tool *tool, const char *name)
{
    for (const struct em_tool_option *o = tool->options; o->role; o++)
        if (em_word_among(name, o->names))
            return o;
    return NULL;
}

static void keep(struct em_tool_search *s, const struct em_tool_option *option, const char *name,
                 const char *value)
{
    EM_STR_AUTO key = EM_STR_INIT;
    em_str_printf(&key, "%c%s", option->role, name);
    em_list_add(&s->options, em_str_c(&key));
    em_list_add(&s->options, value);
    bool matters = option->role != EM_TOOL_VALUE && option->role != EM_TOOL_FLAG;
    if (matters && strchr(value, '$') && !strstr(value, "://"))
        em_tool_doubt(s, "%s's %s is %s, which nothing expands", s->tool->name, name, value);
}

/* "-x V", "--x=V", "-xV" (of a letter). Returns how many words it took. */
static size_t take_option(struct em_tool_search *s, size_t at)
{
    const char *word = s->words.v[at], *sign = strchr(word, '=');
    EM_FREE char *name = em_strndup(word, sign ? (size_t)(sign - word) : strlen(word));
    EM_FREE char *letter = em_strndup(word, 2);
    const struct em_tool_option *option = option_of(s->tool, name);
    const struct em_tool_option *joined =
        option || word[1] == '-' ? NULL : option_of(s->tool, letter);
    if (joined && joined->role != EM_TOOL_FLAG && joined->role != EM_TOOL_UNTOLD) {
        keep(s, joined, letter, word + 2);
        return 1;
    }
    if (!option) {
        em_tool_doubt(s, "%s's option %s isn't known to embark", s->tool->name, name);
        return 1;
    }
    if (option->role == EM_TOOL_FLAG) {
        keep(s, option, name, sign ? sign + 1 : "");
        return 1;
    }
    if (option->role == EM_TOOL_UNTOLD) {
        em_tool_doubt(s, "what %s makes of %s isn't known to embark", s->tool->name, name);
        return 1;
    }
    if (sign) {
        keep(s, option, name, sign + 1);
        return 1;
    }
    if (at + 1 >= s->words.n)
        em_tool_doubt(s, "%s's option %s has no value", s->tool->name, name);
    else
        keep(s, option, name, s->words.v[at + 1]);
    return 2;
}

/* Flyway's are all -key=value. */
static void read_options(struct em_tool_search *s)
{
    bool only = false;
    bool pairs = strcmp(s->tool->name, "Flyway") == 0;
    bool go = em_word_among(s->tool->name, "goose golang-migrate");
    for (size_t at = 1; at < s->words.n;) {
        const char *word = s->words.v[at];
        if (!only && strcmp(word, "--") == 0) {
            only = true;
            at++;
        } else if (only || word[0] != '-' || !word[1]) {
            em_list_add(&s->rest, word);
            at++;
        } else if (pairs && strchr(word, '=')) {
            const struct em_tool_option other = {EM_TOOL_OTHER, ""};
            EM_FREE char *name = em_strndup(word + 1, strcspn(word + 1, "="));
            keep(s, &other, em_starts(name, "flyway.") ? name + 7 : name, strchr(word, '=') + 1);
            at++;
        } else {
            if (go && s->rest.n) /* Go's flags end at the first word that is none */
                em_tool_doubt(s, "what %s makes of %s behind %s isn't known to embark",
                              s->tool->name, word, s->rest.v[0]);
            at += take_option(s, at);
        }
    }
}

static bool word_is(const char *word, const char *verb, size_t length)
{
    if (length && verb[length - 1] == '*')
        return strncmp(word, verb, length - 1) == 0;
    return strlen(word) == length && memcmp(word, verb, length) == 0;
}

/* The words of `verb` stand one after the other among the rest. */
static bool says(const struct em_list *rest, const char *verb, size_t length)
{
    for (size_t at = 0; at < rest->n; at++) {
        size_t done = 0, i = at;
        while (done < length && i < rest->n) {
            size_t word = strcspn(verb + done, " |");
            if (!word_is(rest->v[i], verb + done, word))
                break;
            done += word + (verb[done + word] == ' ');
            i++;
        }
        if (done >= length)
            return true;
    }
    return false;
}

static bool migrates(const struct em_tool_search *s)
{
    const char *verb = s->tool->verbs;
    if (!*verb)
        return true;
    while (*verb) {
        size_t length = strcspn(verb, "|");
        if (says(&s->rest, verb, length))
            return true;
        verb += length + (verb[length] == '|');
    }
    return false;
}

static bool find_row(struct em_tool_search *s, const char *program)
{
    for (size_t t = 0; t < EM_COUNT(tools) && !s->tool; t++)
        if (em_word_among(program, tools[t].programs))
            s->tool = &tools[t];
    if (!s->tool)
        return false;
    read_options(s);
    /* What is merely called migrate. */
    bool named =
        strcmp(s->tool->name, "golang-migrate") != 0 || em_tool_value(s, EM_TOOL_OTHER, NULL);
    if (!named || !migrates(s))
        s->tool = NULL;
    return s->tool != NULL;
}

/* ---- What the words and the environment say ------------------------------------------------- */

static void add_folders(struct em_tool_search *s, const char *text, bool named)
{
    EM_LIST_AUTO folders = EM_LIST_INIT;
    em_tool_split(text, named ? "," : " ", &folders);
    for (size_t i = 0; i < folders.n; i++)
        em_tool_add(s, folders.v[i], s->tool->depth)->named = named;
}

static const char *first_of(const char *a, const char *b)
{
    return a && *a ? a : b && *b ? b : NULL;
}

static void plain_places(struct em_tool_search *s)
{
    const struct em_tool *tool = s->tool;
    bool any = false;
    for (size_t i = 0; i + 1 < s->options.n; i += 2)
        if (s->options.v[i][0] == EM_TOOL_DIR) {
            add_folders(s, s->options.v[i + 1], true);
            any = true;
        }
    const char *folders = tool->folder_env ? em_tool_env(s, tool->folder_env) : NULL;
    if (!any && folders && *folders)
        add_folders(s, folders, true);
    else if (!any)
        add_folders(s, tool->folders, false);
}

static void plain_table(struct em_tool_search *s)
{
    const struct em_tool *tool = s->tool;
    const char *table =
        first_of(em_tool_value(s, EM_TOOL_TABLE, NULL),
                 first_of(tool->table_env ? em_tool_env(s, tool->table_env) : NULL, tool->table));
    const char *schema = first_of(em_tool_value(s, EM_TOOL_SCHEMA, NULL),
                                  tool->schema_env ? em_tool_env(s, tool->schema_env) : NULL);
    if (table && !s->table.len)
        em_str_puts(&s->table, table);
    if (schema && !s->schema.len)
        em_str_puts(&s->schema, schema);
}

/* The variables that the tool takes for options, or for the choice of a part of its settings. */
static void variables(struct em_tool_search *s)
{
    EM_LIST_AUTO names = EM_LIST_INIT;
    em_tool_split(s->tool->steers ? s->tool->steers : "", " ", &names);
    for (size_t i = 0; i < names.n; i++) {
        EM_LIST_AUTO found = EM_LIST_INIT;
        size_t length = strcspn(names.v[i], "*");
        EM_FREE char *prefix = em_strndup(names.v[i], length);
        s->world->variables(s->world->ctx, prefix, &found);
        for (size_t e = 0; e < s->env.n; e++)
            em_list_add(&found, s->env.v[e]);
        for (size_t f = 0; f < found.n; f++) {
            size_t name = strcspn(found.v[f], "=");
            EM_FREE char *copy = em_strndup(found.v[f], name);
            if (em_starts(copy, prefix) && (names.v[i][length] || name == length))
                em_tool_steers_env(s, copy, found.v[f] + name + 1);
        }
    }
}

/* Of a program that isn't known: the script that it is, or that it is given. */
static void scripts(struct em_tool_search *s)
{
    for (size_t i = 0; i < s->words.n; i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO path = EM_STR_INIT;
        EM_STR_AUTO ignored = EM_STR_INIT;
        const char *word = s->words.v[i];
        if (i > 0 || strchr(word, '/'))
            em_str_puts(&path, word);
        else if (!s->world->program(s->world->ctx, word, &path))
            continue;
        if (word[0] != '-' && s->world->kind(s->world->ctx, em_str_c(&path)) == EM_TOOL_FILE &&
            s->world->read(s->world->ctx, em_str_c(&path), &text, &ignored))
            em_tool_steers(s, "script", word, em_str_c(&text), text.len);
    }
}

void em_tool_search(struct em_tool_search *s, const struct em_list *command)
{
    EM_STR_AUTO program = EM_STR_INIT;
    if (!em_tool_command(s, command)) {
        scripts(s);
        return;
    }
    program_of(s->words.v[0], &program);
    if (!find_row(s, em_str_c(&program))) {
        scripts(s);
        em_str_cut(&s->doubt, 0);
        em_tool_doubt(s, "what %s reads isn't known to embark", em_str_c(&program));
        return;
    }
    if (s->tool->configure)
        s->tool->configure(s);
    if (!s->n)
        plain_places(s);
    if (!s->n && !s->doubt.len) /* dbmate --migrations-dir= */
        em_tool_doubt(s, "%s's folder of migrations is named by an empty text", s->tool->name);
    plain_table(s);
    variables(s);
    if (s->table_why.len) {
        em_str_cut(&s->table, 0);
        em_str_cut(&s->schema, 0);
    } else if (!s->table.len) {
        em_tool_no_table(s, "%s's table isn't known", s->tool->name);
    }
}

void em_tool_upgrades_to(const char *text, struct em_str *target)
{
    static const char upgrade[] = "upgrade";
    for (const char *at = strstr(text, upgrade); at && !target->len; at = strstr(at + 1, upgrade)) {
        const char *word = at + sizeof upgrade - 1, *line = word + strcspn(word, "\n;|&");
        while (word < line && !target->len) {
            size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_");
            bool bounded = !isalnum((unsigned char)word[-1]) && !strchr("-_@+.", word[-1]);
            if (bounded && ((length == 4 && memcmp(word, "head", 4) == 0) ||
                            (length == 5 && memcmp(word, "heads", 5) == 0)))
                em_str_add(target, word, length);
            word += length ? length : 1;
        }
    }
}
