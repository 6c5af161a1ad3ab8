/* Flyway, by documentation.red-gate.com/fd: Configuration, Locations, and its command line's
 * Main.java. A parameter wins over a variable, that over the configuration files. */
#include <ctype.h>
#include <string.h>

#include "search.h"

struct flyway {
    struct em_tool_search *s;
    struct em_list files; /* that were read: conf and toml */
    const char *work;     /* -workingDirectory, or "" */
    struct em_str home;   /* where it is installed; "": not known */
};

static void conf_values(struct flyway *f, const char *file, const char *text, const char *key,
                        struct em_list *values)
{
    EM_STR_AUTO name = EM_STR_INIT;
    em_str_printf(&name, "flyway.%s", key);
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        const char *from = line + strspn(line, " \t");
        size_t word = strcspn(from, "= :\t\n");
        if (word == name.len && strncmp(from, em_str_c(&name), word) == 0) {
            const char *value = from + word + strspn(from + word, " \t=:");
            EM_FREE char *copy = em_strndup(value, strcspn(value, "\r\n"));
            if (em_ends(copy, "\\") || strchr(copy, '$'))
                em_tool_doubt(f->s, "%s: what %s is can't be told", file, em_str_c(&name));
            em_list_add(values, copy);
        }
        line += length + (line[length] == '\n');
    }
}

/* All values that the configuration files have for a key; which file wins is not asked. */
static void file_values(struct flyway *f, const char *key, struct em_list *values)
{
    for (size_t i = 0; i < f->files.n; i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        const char *file = f->files.v[i];
        size_t before = values->n;
        if (!em_tool_read(f->s, file, &text))
            continue;
        if (!em_ends(file, ".toml"))
            conf_values(f, file, em_str_c(&text), key, values);
        else if (em_tool_toml(em_str_c(&text), NULL, key, values) == EM_TOOL_UNCLEAR)
            em_tool_doubt(f->s, "%s: what %s is can't be told", file, key);
        for (size_t v = before; v < values->n; v++)
            if (strchr(values->v[v], '$'))
                em_tool_doubt(f->s, "%s: what %s is can't be told", file, key);
    }
}

/* A parameter's or a variable's; NULL: neither. */
static const char *given(struct flyway *f, const char *key)
{
    EM_STR_AUTO variable = EM_STR_INIT;
    const char *value = em_tool_value(f->s, EM_TOOL_OTHER, key);
    em_str_puts(&variable, "FLYWAY_");
    for (const char *p = key; *p; p++) {
        if (isupper((unsigned char)*p))
            em_str_putc(&variable, '_');
        em_str_putc(&variable, (char)toupper((unsigned char)*p));
    }
    if (!value)
        value = em_tool_env(f->s, em_str_c(&variable));
    return value && *value ? value : NULL;
}

static void values_of(struct flyway *f, const char *key, struct em_list *values)
{
    const char *value = given(f, key);
    EM_LIST_AUTO all = EM_LIST_INIT;
    if (value)
        em_list_add(&all, value);
    else
        file_values(f, key, &all);
    for (size_t i = 0; i < all.n; i++)
        em_tool_split(all.v[i], ",", values);
}

static bool there(struct flyway *f, const char *path)
{
    return f->s->world->kind(f->s->world->ctx, path) != EM_TOOL_NOTHING;
}

static void add_file(struct flyway *f, const char *folder, const char *name)
{
    EM_STR_AUTO path = EM_STR_INIT;
    em_tool_join(folder, name, &path);
    if (there(f, em_str_c(&path)) && !em_list_has(&f->files, em_str_c(&path)))
        em_list_add(&f->files, em_str_c(&path));
}

static void find_files(struct flyway *f)
{
    static const char *const names[] = {"flyway.conf", "flyway.toml", "flyway.user.toml"};
    EM_STR_AUTO conf = EM_STR_INIT;
    const char *home = em_tool_env(f->s, "HOME");
    const char *named = given(f, "configFiles");
    EM_LIST_AUTO list = EM_LIST_INIT;
    if (f->home.len)
        em_tool_join(em_str_c(&f->home), "conf", &conf);
    for (size_t i = 0; i < EM_COUNT(names); i++) {
        if (conf.len)
            add_file(f, em_str_c(&conf), names[i]);
        if (home && *home)
            add_file(f, home, names[i]);
        if (*f->work)
            add_file(f, f->work, names[i]);
        add_file(f, ".", names[i]);
    }
    if (named)
        em_tool_split(named, ",", &list);
    for (size_t i = 0; i < list.n; i++) {
        size_t before = f->files.n;
        if (*f->work)
            add_file(f, f->work, list.v[i]);
        add_file(f, ".", list.v[i]);
        if (f->files.n == before && !em_list_has(&f->files, list.v[i]))
            em_tool_doubt(f->s, "its configuration file %s isn't there", list.v[i]);
    }
}

/* One location. What stands before a wildcard is read with all that is below it. */
static void add_location(struct flyway *f, const char *location)
{
    static const char prefix[] = "filesystem:";
    EM_STR_AUTO path = EM_STR_INIT;
    if (!em_starts(location, prefix)) {
        em_tool_doubt(f->s, "Flyway's location %s is no folder that can be read", location);
        return;
    }
    const char *folder = location + sizeof prefix - 1;
    size_t length = strcspn(folder, "*?");
    bool wild = folder[length] != '\0';
    while (wild && length && folder[length - 1] != '/')
        length--;
    EM_FREE char *plain = em_strndup(folder, length);
    em_tool_join(f->work, *plain ? plain : ".", &path);
    bool in_work = *f->work && there(f, em_str_c(&path));
    if (in_work)
        em_tool_add(f->s, em_str_c(&path), EM_TOOL_DEEP)->named = true;
    if (!in_work || there(f, plain))
        em_tool_add(f->s, *plain ? plain : ".", EM_TOOL_DEEP)->named = true;
}

/* Java migrations and resolvers, which are looked at only beside the others. */
static void add_jars(struct flyway *f)
{
    EM_LIST_AUTO folders = EM_LIST_INIT;
    values_of(f, "jarDirs", &folders);
    for (size_t i = 0; i < folders.n; i++)
        em_tool_add(f->s, folders.v[i], EM_TOOL_FLAT);
    if (!folders.n && f->home.len) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(em_str_c(&f->home), "jars", &path);
        if (there(f, em_str_c(&path)))
            em_tool_add(f->s, em_str_c(&path), EM_TOOL_FLAT);
    }
}

/* Its own folder's sql. The working directory's is read, too, and does no harm. */
static void add_default(struct flyway *f)
{
    EM_STR_AUTO own = EM_STR_INIT;
    if (f->home.len)
        em_tool_join(em_str_c(&f->home), "sql", &own);
    if (own.len)
        em_tool_add(f->s, em_str_c(&own), EM_TOOL_DEEP);
    if (*f->work) {
        EM_STR_AUTO work = EM_STR_INIT;
        em_tool_join(f->work, "sql", &work);
        em_tool_add(f->s, em_str_c(&work), EM_TOOL_DEEP);
    }
    em_tool_add(f->s, "sql", EM_TOOL_DEEP);
    em_tool_add(f->s, "migrations", EM_TOOL_DEEP);
    if (!own.len && !*f->work)
        em_tool_doubt(f->s, "no locations are set, and where Flyway is installed isn't known");
}

/* One value, of several files the one that they agree on. */
static void one_value(struct flyway *f, const char *key, struct em_str *out)
{
    EM_LIST_AUTO values = EM_LIST_INIT;
    values_of(f, key, &values);
    bool list = strcmp(key, "schemas") == 0; /* the first one counts */
    for (size_t i = 1; i < values.n && !list; i++)
        if (strcmp(values.v[i], values.v[0]) != 0)
            em_tool_no_table(f->s, "Flyway's configuration files differ in %s", key);
    if (values.n && !out->len)
        em_str_puts(out, values.v[0]);
}

void em_tool_flyway(struct em_tool_search *s)
{
    struct flyway f = {s, EM_LIST_INIT, "", EM_STR_INIT};
    EM_STR_AUTO program = EM_STR_INIT;
    EM_LIST_AUTO locations = EM_LIST_INIT;
    const char *work = em_tool_value(s, EM_TOOL_OTHER, "workingDirectory");
    f.work = work ? work : "";
    if (s->world->program(s->world->ctx, s->words.v[0], &program))
        em_tool_folder_of(em_str_c(&program), &f.home);
    find_files(&f);
    values_of(&f, "locations", &locations);
    for (size_t i = 0; i < locations.n; i++)
        add_location(&f, locations.v[i]);
    if (!locations.n)
        add_default(&f);
    add_jars(&f);
    one_value(&f, "table", &s->table);
    one_value(&f, "defaultSchema", &s->schema);
    one_value(&f, "schemas", &s->schema);
    em_list_free(&f.files);
    em_str_free(&f.home);
}
