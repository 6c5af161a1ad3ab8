/* What migration tools' commands and configuration files say. The first byte chooses the command, then come its last words' line, and what stands
 * in every file that the tool would read.
 *
 * Beside not crashing: what is found has a path, and what can't be told is said.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/tools/search.h"
#include "embark/core/config/config.h"
#include "embark/core/tools/tools.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
    if (!what)
        abort();
}

static const char *text; /* of every file */

static const char *world_env(void *ctx, const char *name)
{
    (void)ctx;
    return strlen(name) % 3 ? NULL : "value/x";
}

/* Folders are not deep: a path with many slashes is nothing. */
static enum em_tool_kind world_kind(void *ctx, const char *path)
{
    size_t slashes = 0;

    (void)ctx;
    for (const char *p = path; *p; p++)
        slashes += *p == '/';
    return slashes > 6 ? EM_TOOL_NOTHING : strchr(path, '.') && path[1] ? EM_TOOL_FILE : EM_TOOL_FOLDER;
}

static bool world_read(void *ctx, const char *path, struct em_str *out, struct em_str *why)
{
    (void)ctx;
    (void)path;
    (void)why;
    em_str_puts(out, text);
    return true;
}

static bool world_names(void *ctx, const char *folder, struct em_list *names)
{
    (void)ctx;
    (void)folder;
    em_list_add(names, "a.sql");
    em_list_add(names, "flyway.toml");
    em_list_add(names, "settings.py");
    return true;
}

static bool world_python(void *ctx, struct em_list *folders, struct em_str *why)
{
    (void)ctx;
    (void)why;
    em_list_add(folders, "site");
    return true;
}

static void world_variables(void *ctx, const char *prefix, struct em_list *out)
{
    (void)ctx;
    EM_STR_AUTO pair = EM_STR_INIT;
    em_str_printf(&pair, "%sX=1", prefix);
    em_list_add(out, em_str_c(&pair));
}

static bool world_program(void *ctx, const char *name, struct em_str *path)
{
    (void)ctx;
    em_str_printf(path, "/bin/%s", name);
    return *name != 'g';
}

static const struct em_tool_world world = {world_env,    world_kind,      world_read,    world_names,
                                           world_python, world_variables, world_program, NULL};

static void search(const char *command, const char *words)
{
    EM_STR_AUTO line = EM_STR_INIT;
    EM_LIST_AUTO list = EM_LIST_INIT;
    EM_TOOL_SEARCH_AUTO s = {.world = &world};

    em_str_printf(&line, "%s %s", command, words);
    if (!em_command_line_split(em_str_c(&line), &list) || !list.n)
        return;
    em_tool_search(&s, &list);
    for (size_t i = 0; i < s.n; i++)
        must(s.places[i].path && *s.places[i].path);
    must(s.n > 0 || s.doubt.len > 0);
}

static void parsers(void)
{
    EM_LIST_AUTO values = EM_LIST_INIT;
    EM_STR_AUTO value = EM_STR_INIT;
    EM_STR_AUTO wrong = EM_STR_INIT;

    if (em_tool_js(text, "directory", "/here", &values) != EM_TOOL_LITERAL)
        em_list_free(&values);
    em_tool_js_alone(text);
    em_tool_toml(text, "flyway", "locations", &values);
    em_tool_ini(text, "alembic", "script_location", "/here", &value, &wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const commands[] = {
        "alembic upgrade head",  "flask db upgrade",      "python manage.py migrate", "flyway migrate", "dbmate up",    "goose up",
        "migrate up",            "sqlx migrate run",      "bundle exec rake db:migrate", "mix ecto.migrate", "npx prisma migrate deploy",
        "npx knex migrate:latest", "node-pg-migrate up",  "sequelize db:migrate",     "drizzle-kit migrate", "typeorm migration:run",
        "npm run migrate",       "sh -c"};
    char *copy, *newline;

    if (size < 1 || size > 8192)
        return 0;
    copy = em_strndup((const char *)data + 1, size - 1);
    newline = strchr(copy, '\n');
    if (newline)
        *newline = '\0';
    text = newline ? newline + 1 : "";
    search(commands[data[0] % (sizeof commands / sizeof *commands)], copy);
    parsers();
    free(copy);
    return 0;
}
