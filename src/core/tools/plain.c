/* Tools whose options and variables say nearly all: dbmate, goose, golang-migrate, sqlx, Entity
 * Framework, Ecto. */
#include <string.h>

#include "search.h"

/* main.go, loadEnvFiles(): --env-file, else .env. */
void em_tool_dbmate(struct em_tool_search *s)
{
    bool any = false;
    for (size_t i = 0; i + 1 < s->options.n; i += 2)
        if (strcmp(s->options.v[i], "o--env-file") == 0) {
            em_tool_dotenv(s, s->options.v[i + 1]);
            any = true;
        }
    if (!any)
        em_tool_dotenv(s, ".env");
    /* "schema.table" */
    const char *option = em_tool_value(s, EM_TOOL_TABLE, NULL);
    const char *variable = em_tool_env(s, "DBMATE_MIGRATIONS_TABLE");
    const char *table = option ? option : variable ? variable : "", *dot = strchr(table, '.');
    if (dot) {
        em_str_add(&s->schema, table, (size_t)(dot - table));
        em_str_puts(&s->table, dot + 1);
    }
}

/* cmd/goose/main.go. Migrations in Go are compiled into a program of one's own. */
void em_tool_goose(struct em_tool_search *s)
{
    const char *file = em_tool_value(s, EM_TOOL_OTHER, "-env");
    file = file ? file : em_tool_value(s, EM_TOOL_OTHER, "--env");
    if (!file || strcmp(file, "none") != 0)
        em_tool_dotenv(s, file && *file ? file : ".env");
    const char *folder = em_tool_value(s, EM_TOOL_DIR, NULL);
    const char *variable = em_tool_env(s, "GOOSE_MIGRATION_DIR");
    folder = folder && strcmp(folder, ".") != 0 ? folder : variable && *variable ? variable : ".";
    em_tool_add(s, folder, EM_TOOL_FLAT)->named = true;
    EM_LIST_AUTO names = EM_LIST_INIT;
    s->world->names(s->world->ctx, folder, &names);
    for (size_t i = 0; i < names.n; i++)
        if (em_ends(names.v[i], ".go") && !em_ends(names.v[i], "_test.go"))
            em_tool_doubt(s, "%s/%s is compiled into the program", folder, names.v[i]);
    const char *table = em_tool_value(s, EM_TOOL_TABLE, NULL);
    table = table ? table : em_tool_env(s, "GOOSE_TABLE");
    const char *dot = table ? strchr(table, '.') : NULL;
    if (dot) {
        em_str_add(&s->schema, table, (size_t)(dot - table));
        em_str_puts(&s->table, dot + 1);
    }
}

/* A parameter of a URL's query, as it stands there. */
static bool query_value(const char *url, const char *name, struct em_str *out)
{
    const char *at = strchr(url, '?');
    size_t length = strlen(name);
    while (at && *at) {
        at++;
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            em_str_add(out, at + length + 1, strcspn(at + length + 1, "&#"));
            return true;
        }
        at = strchr(at, '&');
    }
    return false;
}

static const char *golang_option(const struct em_tool_search *s, const char *one, const char *two)
{
    const char *value = em_tool_value(s, EM_TOOL_OTHER, one);
    return value ? value : em_tool_value(s, EM_TOOL_OTHER, two);
}

/* internal/cli/main.go; source/file; database/postgres */
void em_tool_golang(struct em_tool_search *s)
{
    static const char scheme[] = "file://";
    const char *source = golang_option(s, "-source", "--source");
    const char *path = golang_option(s, "-path", "--path");
    const char *database = golang_option(s, "-database", "--database");
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO quoted = EM_STR_INIT;
    if (path)
        em_tool_add(s, path, EM_TOOL_FLAT)->named = true;
    if (source && em_starts(source, scheme) && !strpbrk(source, "%?#"))
        em_tool_add(s, source + sizeof scheme - 1, EM_TOOL_FLAT)->named = true;
    else if (source)
        em_tool_doubt(s, "golang-migrate's source is no folder");
    if (!path && !source)
        em_tool_doubt(s, "golang-migrate has neither -path nor -source");
    if (!database)
        return;
    query_value(database, "x-migrations-table", &table);
    if (query_value(database, "x-migrations-table-quoted", &quoted) ||
        strchr(em_str_c(&table), '%') || strchr(em_str_c(&table), '.'))
        em_tool_no_table(s, "the database's URL has a quoted x-migrations-table");
    else
        em_str_puts(&s->table, em_str_c(&table));
}

/* sqlx-cli; sqlx.toml of 0.9 may say another folder, and another table. */
void em_tool_sqlx(struct em_tool_search *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_LIST_AUTO folders = EM_LIST_INIT;
    EM_LIST_AUTO tables = EM_LIST_INIT;
    const char *file = em_tool_value(s, EM_TOOL_OTHER, "--config");
    if (em_tool_value(s, EM_TOOL_OTHER, "--params-from"))
        em_tool_doubt(s, "what sqlx makes of --params-from isn't known to embark");
    file = file ? file : "sqlx.toml";
    if (s->world->kind(s->world->ctx, file) == EM_TOOL_NOTHING || !em_tool_read(s, file, &text))
        return;
    if (em_tool_toml(em_str_c(&text), "migrate", "migrations-dir", &folders) == EM_TOOL_UNCLEAR)
        em_tool_doubt(s, "%s: what migrations-dir is can't be told", file);
    for (size_t i = 0; i < folders.n && !em_tool_value(s, EM_TOOL_DIR, NULL); i++)
        em_tool_add(s, folders.v[i], EM_TOOL_FLAT)->named = true;
    if (em_tool_toml(em_str_c(&text), "migrate", "table-name", &tables) != EM_TOOL_SILENT)
        em_tool_no_table(s, "%s sets table-name", file);
}

/* A bundle has its migrations compiled in: it is all of them itself. What runs the project's own
 * code compiles it first. */
void em_tool_bundle(struct em_tool_search *s)
{
    EM_STR_AUTO program = EM_STR_INIT;
    em_tool_add(s, "Migrations", EM_TOOL_DEEP);
    if (strcmp(em_base_name(s->words.v[0]), "efbundle") != 0)
        em_tool_doubt(s, "dotnet ef compiles the project");
    else if (s->world->program(s->world->ctx, s->words.v[0], &program))
        em_tool_add(s,
                    s->words.v[0][0] == '.' || s->words.v[0][0] == '/' ? s->words.v[0]
                                                                       : em_str_c(&program),
                    EM_TOOL_FLAT);
    else
        em_tool_doubt(s, "%s isn't found", s->words.v[0]);
}

/* Ecto.Migrator: priv/REPO/migrations and all below; the files of config may say another folder. */
void em_tool_ecto(struct em_tool_search *s)
{
    EM_LIST_AUTO apps = EM_LIST_INIT;
    EM_LIST_AUTO configs = EM_LIST_INIT;
    for (size_t i = 0; i + 1 < s->options.n; i += 2)
        if (s->options.v[i][0] == EM_TOOL_DIR)
            em_tool_add(s, s->options.v[i + 1], EM_TOOL_DEEP)->named = true;
    em_tool_add(s, "priv", EM_TOOL_DEEP);
    EM_STR_AUTO mix = EM_STR_INIT;
    if (em_word_among("do", s->rest.n ? s->rest.v[0] : ""))
        em_tool_doubt(s, "mix do runs several tasks");
    if (s->world->kind(s->world->ctx, "mix.exs") == EM_TOOL_FILE &&
        em_tool_read(s, "mix.exs", &mix) && strstr(em_str_c(&mix), "ecto.migrate"))
        em_tool_doubt(s, "mix.exs has an alias of ecto.migrate");
    if (s->world->kind(s->world->ctx, "apps") == EM_TOOL_FOLDER)
        s->world->names(s->world->ctx, "apps", &apps);
    for (size_t i = 0; i < apps.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_str_printf(&path, "apps/%s/priv", apps.v[i]);
        em_tool_add(s, em_str_c(&path), EM_TOOL_DEEP);
    }
    if (s->world->kind(s->world->ctx, "config") == EM_TOOL_FOLDER)
        s->world->names(s->world->ctx, "config", &configs);
    for (size_t i = 0; i < configs.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        EM_STR_AUTO text = EM_STR_INIT;
        em_str_printf(&path, "config/%s", configs.v[i]);
        if (s->world->kind(s->world->ctx, em_str_c(&path)) != EM_TOOL_FILE ||
            !em_tool_read(s, em_str_c(&path), &text))
            continue;
        if (strstr(em_str_c(&text), "priv:"))
            em_tool_doubt(s, "%s sets priv: for a repo", em_str_c(&path));
        if (strstr(em_str_c(&text), "migration_source:") ||
            strstr(em_str_c(&text), "migration_default_prefix:"))
            em_tool_no_table(s, "%s names the table, or its schema", em_str_c(&path));
    }
}
