/* Alembic and Flask-Migrate, by alembic/config.py, alembic/script/base.py and flask_migrate. */
#include <string.h>

#include "embark/core/languages/python/source.h"
#include "search.h"

/* The two files that settings may stand in; the .ini one wins. */
struct settings {
    struct em_tool_search *s;
    struct em_str ini_file, toml_file, ini, toml, ini_here, toml_here;
    const char *section;
};

static void free_settings(struct settings *c)
{
    em_str_free(&c->ini_file);
    em_str_free(&c->toml_file);
    em_str_free(&c->ini);
    em_str_free(&c->toml);
    em_str_free(&c->ini_here);
    em_str_free(&c->toml_here);
}

/* Of the .ini file. */
static enum em_tool_said ini_setting(struct settings *c, const char *key, struct em_str *value)
{
    EM_STR_AUTO wrong = EM_STR_INIT;
    if (!c->ini.len)
        return EM_TOOL_SILENT;
    enum em_tool_said said =
        em_tool_ini(em_str_c(&c->ini), c->section, key, em_str_c(&c->ini_here), value, &wrong);
    if (said == EM_TOOL_UNCLEAR)
        em_tool_doubt(c->s, "%s, %s", em_str_c(&c->ini_file), em_str_c(&wrong));
    return said;
}

static void put_here(const char *text, const char *here, struct em_str *out)
{
    static const char marker[] = "%(here)s";
    while (*text) {
        const char *at = strstr(text, marker);
        em_str_add(out, text, at ? (size_t)(at - text) : strlen(text));
        text = at ? at + sizeof marker - 1 : "";
        if (at)
            em_str_puts(out, here);
    }
}

static enum em_tool_said toml_setting(struct settings *c, const char *key, struct em_list *values)
{
    EM_LIST_AUTO raw = EM_LIST_INIT;
    enum em_tool_said said = em_tool_toml(em_str_c(&c->toml), "tool.alembic", key, &raw);
    if (said == EM_TOOL_UNCLEAR)
        em_tool_doubt(c->s, "%s: what [tool.alembic] has for %s can't be told",
                      em_str_c(&c->toml_file), key);
    for (size_t i = 0; i < raw.n; i++) {
        EM_STR_AUTO value = EM_STR_INIT;
        put_here(raw.v[i], em_str_c(&c->toml_here), &value);
        em_list_add(values, em_str_c(&value));
    }
    return said;
}

/* One value, of either file; "": not set. */
static void setting(struct settings *c, const char *key, struct em_str *value)
{
    EM_LIST_AUTO values = EM_LIST_INIT;
    if (ini_setting(c, key, value) == EM_TOOL_SILENT &&
        toml_setting(c, key, &values) == EM_TOOL_LITERAL && values.n)
        em_str_puts(value, values.v[0]);
}

/* Config.get_version_locations_list(), get_prepend_sys_paths_list(). */
static void paths_setting(struct settings *c, const char *key, const char *legacy_separators,
                          bool versions, struct em_list *out)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO separator = EM_STR_INIT;
    static const char *const names[] = {"space", "newline", "os", ":", ";"};
    static const char *const separators[] = {" ", "\n", ":", ":", ";"};
    if (ini_setting(c, key, &text) != EM_TOOL_LITERAL || !text.len) {
        toml_setting(c, key, out);
        return;
    }
    if (ini_setting(c, "path_separator", &separator) == EM_TOOL_SILENT && versions)
        ini_setting(c, "version_path_separator", &separator);
    if (!separator.len) {
        em_tool_split(em_str_c(&text), legacy_separators, out);
        return;
    }
    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (strcmp(names[i], em_str_c(&separator)) == 0) {
            em_tool_split(em_str_c(&text), separators[i], out);
            return;
        }
    em_tool_doubt(c->s, "%s: path_separator = %s isn't known", em_str_c(&c->ini_file),
                  em_str_c(&separator));
}

/* ---- Places --------------------------------------------------------------------------------- */

/* package:folder, of an installed package or one of the project: wherever there is one. */
static void package_folders(struct settings *c, const char *location, struct em_list *out)
{
    EM_LIST_AUTO roots = EM_LIST_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_STR_AUTO inner = EM_STR_INIT;
    em_list_add(&roots, ".");
    paths_setting(c, "prepend_sys_path", " ,:\n", false, &roots);
    if (!c->s->world->python(c->s->world->ctx, &roots, &why))
        em_tool_doubt(c->s, "where the package of %s lies can't be told: %s", location,
                      em_str_c(&why));
    em_tool_python_path(c->s, &roots);
    for (const char *p = location; *p; p++)
        em_str_putc(&inner, *p == ':' || (*p == '.' && p < strchr(location, ':')) ? '/' : *p);
    for (size_t i = 0; i < roots.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(roots.v[i], em_str_c(&inner), &path);
        if (c->s->world->kind(c->s->world->ctx, em_str_c(&path)) == EM_TOOL_FOLDER &&
            !em_list_has(out, em_str_c(&path)))
            em_list_add(out, em_str_c(&path));
    }
    if (!out->n)
        em_tool_doubt(c->s, "%s: the package isn't found where Python looks", location);
}

static void locate(struct settings *c, const char *location, struct em_list *out)
{
    if (*location != '/' && strchr(location, ':'))
        package_folders(c, location, out);
    else
        em_list_add(out, location);
}

static void add_versions(struct settings *c, const char *location, const char *below, bool perhaps)
{
    EM_STR_AUTO recursive = EM_STR_INIT;
    EM_STR_AUTO sourceless = EM_STR_INIT;
    EM_LIST_AUTO folders = EM_LIST_INIT;
    setting(c, "recursive_version_locations", &recursive);
    setting(c, "sourceless", &sourceless);
    locate(c, location, &folders);
    for (size_t i = 0; i < folders.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(folders.v[i], below, &path);
        struct em_tool_place *place =
            em_tool_add(c->s, *below ? em_str_c(&path) : folders.v[i],
                        strcmp(em_str_c(&recursive), "true") == 0 ? EM_TOOL_DEEP : EM_TOOL_FLAT);
        place->compiled = strcmp(em_str_c(&sourceless), "true") == 0;
        place->named |= !perhaps;
    }
}

/* ---- env.py: where the versions are noted ---------------------------------------------------- */

static bool is_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Past comments and blanks. */
static const char *code(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n");
        if (*p != '#')
            return p;
        p += strcspn(p, "\n");
    }
}

/* The text that a top level NAME = "…" of the file sets. */
static bool constant(const char *text, const char *name, struct em_str *out)
{
    struct em_py_span rest = {text, strlen(text)}, value;
    struct em_py_statement statement = {0, {NULL, 0}};
    bool found = false;
    while (em_py_next(&rest, &statement)) {
        EM_LIST_AUTO strings = EM_LIST_INIT;
        if (!em_py_assigns(&statement, name, &value))
            continue;
        if (found || statement.indent || !em_py_strings(&value, &strings) || strings.n != 1)
            return false;
        em_str_puts(out, strings.v[0]);
        found = true;
    }
    return found;
}

/* What `key=…` is in a call. False: it can't be told. */
static bool keyword(const char *text, const char *key, struct em_str *out)
{
    size_t length = strlen(key);
    for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
        const char *line = at;
        while (line > text && line[-1] != '\n')
            line--;
        if ((at > text && is_name(at[-1])) || is_name(at[length]) ||
            memchr(line, '#', (size_t)(at - line)))
            continue;
        const char *value = code(at + length);
        EM_STR_AUTO found = EM_STR_INIT;
        if (*value != '=' || value[1] == '=')
            return false;
        value = code(value + 1);
        if (em_starts(value, "None"))
            continue;
        if (*value == '"' || *value == '\'') {
            size_t end = strcspn(value + 1, "'\"\\\n");
            em_str_add(&found, value + 1, end);
            if (value[end + 1] != *value)
                return false;
        } else {
            size_t end = 0;
            while (is_name(value[end]))
                end++;
            EM_FREE char *name = em_strndup(value, end);
            /* version_table = "x" at the file's top, and version_table=version_table below */
            if (!end || !strchr(",)\n", *code(value + end)) || !constant(text, name, &found))
                return false;
        }
        if (out->len && strcmp(em_str_c(out), em_str_c(&found)) != 0)
            return false;
        em_str_cut(out, 0);
        em_str_puts(out, em_str_c(&found));
    }
    return true;
}

static void read_env(struct settings *c, const char *location)
{
    EM_LIST_AUTO folders = EM_LIST_INIT;
    EM_STR_AUTO databases = EM_STR_INIT;
    const struct em_tool_world *world = c->s->world;
    if (ini_setting(c, "databases", &databases) == EM_TOOL_LITERAL && databases.len)
        em_tool_no_table(c->s, "%s names several databases", em_str_c(&c->ini_file));
    locate(c, location, &folders);
    for (size_t i = 0; i < folders.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO why = EM_STR_INIT;
        em_tool_join(folders.v[i], "env.py", &path);
        if (world->kind(world->ctx, em_str_c(&path)) == EM_TOOL_NOTHING)
            continue;
        if (!world->read(world->ctx, em_str_c(&path), &text, &why)) {
            em_tool_no_table(c->s, "%s can't be read: %s", em_str_c(&path), em_str_c(&why));
            return;
        }
        em_tool_steers_file(c->s, em_str_c(&path), em_str_c(&text), text.len);
        if (!keyword(em_str_c(&text), "version_table", &c->s->table))
            em_tool_no_table(c->s, "%s computes version_table", em_str_c(&path));
        if (!keyword(em_str_c(&text), "version_table_schema", &c->s->schema))
            em_tool_no_table(c->s, "%s computes version_table_schema", em_str_c(&path));
        if (strstr(em_str_c(&text), "search_path") ||
            strstr(em_str_c(&text), "schema_translate_map"))
            em_tool_no_table(c->s, "%s chooses the schema, or several", em_str_c(&path));
    }
}

/* ---- Both ----------------------------------------------------------------------------------- */

static void read_target(struct em_tool_search *s)
{
    for (size_t i = 0; i + 1 < s->rest.n; i++)
        if (strcmp(s->rest.v[i], "upgrade") == 0) {
            em_str_puts(&s->target, s->rest.v[i + 1]);
            return;
        }
}

static bool read_file(struct settings *c, const struct em_str *file, struct em_str *here,
                      struct em_str *bytes)
{
    em_tool_folder_of(em_str_c(file), here);
    if (c->s->world->kind(c->s->world->ctx, em_str_c(file)) == EM_TOOL_NOTHING)
        return false;
    return em_tool_read(c->s, em_str_c(file), bytes);
}

/* Config.script_location and what belongs to it. */
static void add_all(struct settings *c, const char *script_location)
{
    EM_LIST_AUTO locations = EM_LIST_INIT;
    EM_STR_AUTO said = EM_STR_INIT;
    paths_setting(c, "version_locations", " ,", true, &locations);
    for (size_t i = 0; i < locations.n; i++)
        add_versions(c, locations.v[i], "", false);
    /* pyproject.toml is read since 1.16 only. */
    if (!locations.n ||
        (ini_setting(c, "version_locations", &said) == EM_TOOL_SILENT && c->ini.len))
        add_versions(c, script_location, "versions", locations.n > 0);
    read_env(c, script_location);
}

/* CommandLine._inis_from_config() */
static void name_files(struct settings *c)
{
    const char *env = em_tool_env(c->s, "ALEMBIC_CONFIG");
    em_str_puts(&c->ini_file, "alembic.ini");
    em_str_puts(&c->toml_file, "pyproject.toml");
    if (env && *env) {
        struct em_str *file =
            strcmp(em_base_name(env), "pyproject.toml") == 0 ? &c->toml_file : &c->ini_file;
        em_str_cut(file, 0);
        em_str_puts(file, env);
    }
    for (size_t i = 0; i + 1 < c->s->options.n; i += 2) {
        const char *value = c->s->options.v[i + 1];
        if (c->s->options.v[i][0] != EM_TOOL_FILE_OF)
            continue;
        struct em_str *file =
            strcmp(em_base_name(value), "pyproject.toml") == 0 ? &c->toml_file : &c->ini_file;
        em_str_cut(file, 0);
        em_str_puts(file, value);
    }
}

void em_tool_alembic(struct em_tool_search *s)
{
    struct settings c = {.s = s, .section = "alembic"};
    EM_STR_AUTO location = EM_STR_INIT;
    const char *name = em_tool_value(s, EM_TOOL_OTHER, "-n");
    name = name ? name : em_tool_value(s, EM_TOOL_OTHER, "--name");
    c.section = name ? name : "alembic";
    read_target(s);
    name_files(&c);
    bool any = read_file(&c, &c.ini_file, &c.ini_here, &c.ini);
    any |= read_file(&c, &c.toml_file, &c.toml_here, &c.toml);
    setting(&c, "script_location", &location);
    if (!any)
        em_tool_doubt(s, "there is neither %s nor %s", em_str_c(&c.ini_file),
                      em_str_c(&c.toml_file));
    else if (!location.len)
        em_tool_doubt(s, "%s has no script_location in [%s]", em_str_c(&c.ini_file), c.section);
    else
        add_all(&c, em_str_c(&location));
    free_settings(&c);
}

/* Its alembic.ini lies in the folder, which is the script_location whatever the file says. */
void em_tool_flask(struct em_tool_search *s)
{
    struct settings c = {.s = s, .section = "alembic"};
    const char *file = em_tool_value(s, EM_TOOL_OTHER, "-e");
    em_tool_dotenv(s, file ? file : ".env");
    em_tool_dotenv(s, ".flaskenv");
    const char *folder = em_tool_value(s, EM_TOOL_DIR, NULL);
    const char *variable = em_tool_env(s, "FLASK_DB_UPGRADE_DIRECTORY");
    folder = folder ? folder : variable && *variable ? variable : "migrations";
    read_target(s);
    if (!s->target.len)
        em_str_puts(&s->target, "head");
    em_tool_join(folder, "alembic.ini", &c.ini_file);
    em_str_puts(&c.toml_file, "pyproject.toml");
    if (read_file(&c, &c.ini_file, &c.ini_here, &c.ini))
        add_all(&c, folder);
    else
        em_tool_doubt(s, "%s isn't there", em_str_c(&c.ini_file));
    free_settings(&c);
}
