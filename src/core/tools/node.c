/* The tools of Node.js: Prisma, Knex, node-pg-migrate, Sequelize, Drizzle, TypeORM. Their
 * configuration files are programs, of which literals are read; the rest is a doubt. */
#include <jansson.h>
#include <string.h>

#include "search.h"

static enum em_tool_kind kind(const struct em_tool_search *s, const char *path)
{
    return s->world->kind(s->world->ctx, path);
}

/* The first of NAME.ext that is there. */
static bool find_config(const struct em_tool_search *s, const char *folder, const char *names,
                        struct em_str *path)
{
    EM_LIST_AUTO list = EM_LIST_INIT;
    em_tool_split(names, " ", &list);
    for (size_t i = 0; i < list.n; i++) {
        em_str_cut(path, 0);
        em_tool_join(folder, list.v[i], path);
        if (kind(s, em_str_c(path)) == EM_TOOL_FILE)
            return true;
    }
    em_str_cut(path, 0);
    return false;
}

static void add_folders(struct em_tool_search *s, const struct em_list *folders, const char *base)
{
    for (size_t i = 0; i < folders->n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(base, folders->v[i], &path);
        em_tool_add(s, em_str_c(&path), s->tool->depth)->named = true;
    }
}

/* The one literal of a key; several different ones, or code: not known. */
static void table_key(struct em_tool_search *s, const char *file, const char *text, const char *key,
                      struct em_str *into)
{
    EM_LIST_AUTO values = EM_LIST_INIT;
    bool clear = em_tool_js(text, key, ".", &values) != EM_TOOL_UNCLEAR;
    for (size_t i = 1; i < values.n; i++)
        clear &= strcmp(values.v[i], values.v[0]) == 0;
    if (!clear)
        em_tool_no_table(s, "%s: what %s is can't be told", file, key);
    else if (values.n && !into->len)
        em_str_puts(into, values.v[0]);
}

/* ---- Prisma: prisma.io/docs, Prisma schema location, prisma.config.ts ------------------------- */

static void add_schema(struct em_tool_search *s, const char *schema)
{
    EM_STR_AUTO folder = EM_STR_INIT;
    EM_STR_AUTO path = EM_STR_INIT;
    em_tool_folder_of(schema, &folder);
    em_tool_join(em_str_c(&folder), "migrations", &path);
    em_tool_add(s, em_str_c(&path), EM_TOOL_DEEP);
    if (kind(s, schema) == EM_TOOL_FILE)
        return;
    /* A folder of .prisma files: the migrations lie beside the one of them that names the database,
     * at any depth. */
    em_tool_add(s, schema, EM_TOOL_DEEP);
}

static void prisma_package(struct em_tool_search *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    json_error_t error;
    if (kind(s, "package.json") == EM_TOOL_NOTHING) {
        if (kind(s, "../package.json") != EM_TOOL_NOTHING)
            em_tool_doubt(s, "the nearest package.json lies above the working directory");
        return;
    }
    if (!em_tool_peek(s, "package.json", &text))
        return;
    json_t *package = json_loadb(em_str_c(&text), text.len, 0, &error);
    const char *schema =
        json_string_value(json_object_get(json_object_get(package, "prisma"), "schema"));
    if (!package)
        em_tool_doubt(s, "package.json:%d: %s", error.line, error.text);
    else if (schema)
        add_schema(s, schema);
    json_decref(package);
}

static void prisma_config(struct em_tool_search *s, const char *file)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO here = EM_STR_INIT;
    EM_LIST_AUTO schemas = EM_LIST_INIT;
    EM_LIST_AUTO paths = EM_LIST_INIT;
    if (!em_tool_read(s, file, &text))
        return;
    em_tool_folder_of(file, &here);
    if (em_tool_js(em_str_c(&text), "schema", em_str_c(&here), &schemas) == EM_TOOL_UNCLEAR ||
        em_tool_js(em_str_c(&text), "path", em_str_c(&here), &paths) == EM_TOOL_UNCLEAR ||
        !em_tool_js_alone(em_str_c(&text)))
        em_tool_doubt(s, "%s computes where the migrations lie", file);
    for (size_t i = 0; i < schemas.n; i++)
        add_schema(s, schemas.v[i]);
    add_folders(s, &paths, ".");
    add_folders(s, &paths, em_str_c(&here));
}

void em_tool_prisma(struct em_tool_search *s)
{
    EM_STR_AUTO config = EM_STR_INIT;
    const char *schema = em_tool_value(s, EM_TOOL_OTHER, "--schema");
    const char *named = em_tool_value(s, EM_TOOL_OTHER, "--config");
    if (named)
        em_str_puts(&config, named);
    else
        find_config(s, ".",
                    "prisma.config.ts prisma.config.js prisma.config.mjs prisma.config.cjs "
                    "prisma.config.mts prisma.config.cts .config/prisma.ts .config/prisma.js "
                    ".config/prisma.mjs .config/prisma.cjs .config/prisma.mts .config/prisma.cts",
                    &config);
    if (config.len)
        prisma_config(s, em_str_c(&config));
    if (schema)
        add_schema(s, schema);
    prisma_package(s);
    if (!schema) {
        add_schema(s, "prisma/schema.prisma");
        add_schema(s, "schema.prisma");
    }
}

/* ---- Knex: bin/cli.js, bin/utils/cli-config-utils.js ------------------------------------------ */

static void knex_file(struct em_tool_search *s, const char *file)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO here = EM_STR_INIT;
    EM_LIST_AUTO folders = EM_LIST_INIT;
    if (!em_tool_read(s, file, &text))
        return;
    em_tool_folder_of(file, &here);
    enum em_tool_said said = em_tool_js(em_str_c(&text), "directory", em_str_c(&here), &folders);
    bool option = em_tool_value(s, EM_TOOL_DIR, NULL) != NULL;
    bool elsewhere = !em_tool_js_alone(em_str_c(&text));
    if (strstr(em_str_c(&text), "migrationSource"))
        em_tool_doubt(s, "%s has a migrationSource of its own", file);
    else if (!option && (said == EM_TOOL_UNCLEAR || elsewhere))
        em_tool_doubt(s, "%s computes where the migrations lie", file);
    if (said != EM_TOOL_UNCLEAR && !option) {
        for (size_t i = 0; i < folders.n; i++)
            if (em_starts(folders.v[i], em_str_c(&here)) && strcmp(em_str_c(&here), ".") != 0)
                em_tool_add(s, folders.v[i], EM_TOOL_FLAT)->named = true;
            else
                add_folders(s, &(struct em_list){&folders.v[i], 1}, em_str_c(&here));
    }
    /* Of the environments in the file one is used, which may be one that says no folder; and seeds
     * have a `directory`, too. */
    if (!option) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(em_str_c(&here), "migrations", &path);
        em_tool_add(s, em_str_c(&path), EM_TOOL_FLAT);
    }
    table_key(s, file, em_str_c(&text), "tableName", &s->table);
    table_key(s, file, em_str_c(&text), "schemaName", &s->schema);
    if (elsewhere)
        em_tool_no_table(s, "%s takes part of its settings from elsewhere", file);
}

/* Relative folders are seen from the knexfile's folder, to which Knex changes. */
void em_tool_knex(struct em_tool_search *s)
{
    EM_STR_AUTO file = EM_STR_INIT;
    const char *cwd = em_tool_value(s, EM_TOOL_OTHER, "--cwd");
    const char *named = em_tool_value(s, EM_TOOL_FILE_OF, NULL);
    const char *table = em_tool_value(s, EM_TOOL_TABLE, NULL);
    if (cwd)
        em_tool_doubt(s, "what Knex makes of --cwd isn't known to embark");
    if (table)
        em_str_puts(&s->table, table);
    if (named)
        em_str_puts(&file, named);
    else
        find_config(
            s, ".",
            "knexfile.js knexfile.ts knexfile.mjs knexfile.cjs knexfile.mts knexfile.coffee",
            &file);
    for (size_t i = 0; i + 1 < s->options.n; i += 2)
        if (s->options.v[i][0] == EM_TOOL_DIR) {
            EM_STR_AUTO here = EM_STR_INIT;
            EM_STR_AUTO path = EM_STR_INIT;
            em_tool_folder_of(em_str_c(&file), &here);
            em_tool_join(em_str_c(&here), s->options.v[i + 1], &path);
            em_tool_add(s, em_str_c(&path), EM_TOOL_FLAT)->named = true;
        }
    if (file.len)
        knex_file(s, em_str_c(&file));
    else if (!s->n)
        em_tool_add(s, "migrations", EM_TOOL_FLAT);
    if (!s->table.len)
        em_str_puts(&s->table, "knex_migrations");
}

/* ---- node-pg-migrate: src/cli/config.ts ------------------------------------------------------- */

static void pg_file(struct em_tool_search *s, const char *file, struct em_list *folders)
{
    EM_STR_AUTO text = EM_STR_INIT;
    if (!em_tool_read(s, file, &text))
        return;
    if (em_ends(file, ".json")) {
        json_error_t error;
        json_t *json = json_loadb(em_str_c(&text), text.len, 0, &error);
        if (!json)
            em_tool_doubt(s, "%s:%d: %s", file, error.line, error.text);
        json_decref(json);
    } else if (!em_tool_js_alone(em_str_c(&text))) {
        em_tool_doubt(s, "%s takes part of its settings from elsewhere", file);
    }
    if (em_tool_js(em_str_c(&text), "migrations-dir", ".", folders) == EM_TOOL_UNCLEAR ||
        em_tool_js(em_str_c(&text), "migrationsDir", ".", folders) == EM_TOOL_UNCLEAR)
        em_tool_doubt(s, "%s computes where the migrations lie", file);
    table_key(s, file, em_str_c(&text), "migrations-table", &s->table);
    table_key(s, file, em_str_c(&text), "migrations-schema", &s->schema);
}

/* What the package `config` would read, whether it is there or not: NODE_CONFIG_DIR, or ./config.
 */
static void pg_config(struct em_tool_search *s, struct em_list *folders)
{
    const char *variable = em_tool_env(s, "NODE_CONFIG_DIR");
    const char *folder = variable && *variable ? variable : "config";
    EM_LIST_AUTO names = EM_LIST_INIT;
    const char *inline_json = em_tool_env(s, "NODE_CONFIG");
    if (inline_json && *inline_json)
        em_tool_doubt(s, "NODE_CONFIG is set");
    if (kind(s, folder) != EM_TOOL_FOLDER) {
        if (variable && *variable)
            em_tool_doubt(s, "NODE_CONFIG_DIR is %s, which is no folder", variable);
        return;
    }
    if (!s->world->names(s->world->ctx, folder, &names))
        em_tool_doubt(s, "%s can't be read", folder);
    for (size_t i = 0; i < names.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(folder, names.v[i], &path);
        if (kind(s, em_str_c(&path)) != EM_TOOL_FILE)
            continue;
        if (em_ends(names.v[i], ".json") || em_ends(names.v[i], ".js"))
            pg_file(s, em_str_c(&path), folders);
        else
            em_tool_doubt(s, "%s isn't read by embark", em_str_c(&path));
    }
}

static void add_pg_folder(struct em_tool_search *s, const char *text)
{
    size_t length = strcspn(text, "*?[{(!");
    bool wild = text[length] != '\0';
    while (wild && length && text[length - 1] != '/')
        length--;
    EM_FREE char *folder = em_strndup(text, length);
    em_tool_add(s, *folder ? folder : ".", wild ? EM_TOOL_DEEP : EM_TOOL_FLAT)->named = true;
}

void em_tool_pg_migrate(struct em_tool_search *s)
{
    EM_LIST_AUTO folders = EM_LIST_INIT;
    const char *file = em_tool_value(s, EM_TOOL_FILE_OF, NULL);
    const char *schema = em_tool_value(s, EM_TOOL_OTHER, "--schema");
    const char *table = em_tool_value(s, EM_TOOL_TABLE, NULL);
    schema = schema ? schema : em_tool_value(s, EM_TOOL_OTHER, "-s");
    const char *env = em_tool_value(s, EM_TOOL_OTHER, "--envPath");
    em_tool_dotenv(s, env ? env : ".env");
    if (table)
        em_str_puts(&s->table, table);
    for (size_t i = 0; i + 1 < s->options.n; i += 2)
        if (s->options.v[i][0] == EM_TOOL_DIR)
            em_list_add(&folders, s->options.v[i + 1]);
    pg_config(s, &folders);
    if (file)
        pg_file(s, file, &folders);
    for (size_t i = 0; i < folders.n; i++)
        add_pg_folder(s, folders.v[i]);
    if (!em_tool_value(s, EM_TOOL_DIR, NULL))
        em_tool_add(s, "migrations", EM_TOOL_FLAT);
    /* Without a setting, its migrations' schema is that of the tables. */
    if (!em_tool_value(s, EM_TOOL_SCHEMA, NULL) && !s->schema.len && schema)
        em_str_add(&s->schema, schema, strcspn(schema, ", "));
}

/* ---- Sequelize: sequelize/cli, src/core/yargs.js, src/helpers/path-helper.js ------------------ */

static void sequelize_table(struct em_tool_search *s, const char *config)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    if (kind(s, config) == EM_TOOL_NOTHING)
        return;
    if (!s->world->read(s->world->ctx, config, &text, &why))
        em_tool_no_table(s, "%s can't be read: %s", config, em_str_c(&why));
    table_key(s, config, em_str_c(&text), "migrationStorageTableName", &s->table);
    table_key(s, config, em_str_c(&text), "migrationStorageTableSchema", &s->schema);
    if ((!em_ends(config, ".json") && !em_tool_js_alone(em_str_c(&text))) ||
        strstr(em_str_c(&text), "migrationStorage:"))
        em_tool_no_table(s, "%s takes part of its settings from elsewhere", config);
}

void em_tool_sequelize(struct em_tool_search *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_LIST_AUTO folders = EM_LIST_INIT;
    EM_LIST_AUTO configs = EM_LIST_INIT;
    const char *file = em_tool_value(s, EM_TOOL_OTHER, "--options-path");
    const char *config = em_tool_value(s, EM_TOOL_OTHER, "--config");
    const char *folder = em_tool_value(s, EM_TOOL_DIR, NULL);
    file = file ? file : ".sequelizerc";
    if (kind(s, file) != EM_TOOL_NOTHING && em_tool_read(s, file, &text)) {
        EM_STR_AUTO here = EM_STR_INIT;
        em_tool_folder_of(file, &here);
        if (em_tool_js(em_str_c(&text), "migrations-path", em_str_c(&here), &folders) ==
                EM_TOOL_UNCLEAR ||
            em_tool_js(em_str_c(&text), "migrationsPath", em_str_c(&here), &folders) ==
                EM_TOOL_UNCLEAR ||
            !em_tool_js_alone(em_str_c(&text)))
            em_tool_doubt(s, "%s computes where the migrations lie", file);
        if (em_tool_js(em_str_c(&text), "config", em_str_c(&here), &configs) == EM_TOOL_UNCLEAR)
            em_tool_no_table(s, "%s computes where the configuration lies", file);
    }
    if (folder)
        em_tool_add(s, folder, EM_TOOL_FLAT)->named = true;
    else
        add_folders(s, &folders, ".");
    if (!s->n)
        em_tool_add(s, "migrations", EM_TOOL_FLAT);
    for (size_t i = 0; i < configs.n && !config; i++)
        sequelize_table(s, configs.v[i]);
    sequelize_table(s, config ? config : "config/config.json");
    sequelize_table(s, "config/config.js");
    if (!s->table.len)
        em_str_puts(&s->table, "SequelizeMeta");
}

/* ---- Drizzle: orm.drizzle.team/docs/drizzle-config-file ---------------------------------------- */

void em_tool_drizzle(struct em_tool_search *s)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    EM_LIST_AUTO folders = EM_LIST_INIT;
    const char *named = em_tool_value(s, EM_TOOL_FILE_OF, NULL);
    const char *out = em_tool_value(s, EM_TOOL_OTHER, "--out");
    if (named)
        em_str_puts(&file, named);
    else
        find_config(s, ".",
                    "drizzle.config.ts drizzle.config.js drizzle.config.mjs drizzle.config.cjs "
                    "drizzle.config.json",
                    &file);
    em_tool_no_table(s, "Drizzle's configuration isn't read for it");
    if (out)
        em_list_add(&folders, out);
    if (file.len && em_tool_read(s, em_str_c(&file), &text)) {
        if (em_tool_js(em_str_c(&text), "out", ".", &folders) == EM_TOOL_UNCLEAR ||
            (!em_ends(em_str_c(&file), ".json") && !em_tool_js_alone(em_str_c(&text))))
            em_tool_doubt(s, "%s computes where the migrations lie", em_str_c(&file));
    } else {
        em_tool_doubt(s, "there is no drizzle.config file");
    }
    add_folders(s, &folders, ".");
    if (!s->n)
        em_tool_add(s, "drizzle", EM_TOOL_DEEP);
}

/* ---- TypeORM: its data source is a program ----------------------------------------------------- */

void em_tool_typeorm(struct em_tool_search *s)
{
    em_tool_doubt(s, "TypeORM's data source, a program, says where the migrations lie");
    em_tool_no_table(s, "TypeORM's data source says it");
}
