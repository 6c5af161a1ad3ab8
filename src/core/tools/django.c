/* Django: the migrations of all apps, which lie where Python finds modules: db/migrations/loader.py
 * (MigrationLoader.load_disk). Which apps are installed, only the settings know; those that aren't
 * do no harm. */
#include <string.h>

#include "embark/core/languages/python/source.h"
#include "search.h"

/* A settings module imports from another one, and so on: so many files are read. */
enum { FILES_MAX = 64 };

struct django {
    struct em_tool_search *s;
    struct em_list roots; /* where modules are looked for */
    struct em_list read;  /* files that were read */
    size_t own;           /* how many of the roots are the project's */
};

static enum em_tool_kind kind(const struct django *d, const char *path)
{
    return d->s->world->kind(d->s->world->ctx, path);
}

/* The folder or file of a dotted name. */
static bool module_in(const struct django *d, const char *root, const char *name,
                      struct em_str *path)
{
    EM_STR_AUTO inner = EM_STR_INIT;
    for (const char *p = name; *p; p++)
        em_str_putc(&inner, *p == '.' ? '/' : *p);
    em_str_cut(path, 0);
    em_tool_join(root, em_str_c(&inner), path);
    if (kind(d, em_str_c(path)) == EM_TOOL_FOLDER)
        return true;
    em_str_puts(path, ".py");
    return kind(d, em_str_c(path)) == EM_TOOL_FILE;
}

/* The same, below any of the first roots. */
static bool find_module(const struct django *d, const char *name, size_t roots, struct em_str *path)
{
    for (size_t i = 0; i < roots; i++)
        if (module_in(d, d->roots.v[i], name, path))
            return true;
    return false;
}

static void read_settings(struct django *d, const char *file);

/* All files of the folder: settings are split into several that import each other. */
static void read_folder(struct django *d, const char *folder)
{
    EM_LIST_AUTO names = EM_LIST_INIT;
    if (!d->s->world->names(d->s->world->ctx, folder, &names))
        em_tool_doubt(d->s, "%s can't be read", folder);
    for (size_t i = 0; i < names.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(folder, names.v[i], &path);
        if (em_ends(names.v[i], ".py") && kind(d, em_str_c(&path)) == EM_TOOL_FILE)
            read_settings(d, em_str_c(&path));
    }
}

static void read_path(struct django *d, const char *path)
{
    if (em_ends(path, ".py"))
        read_settings(d, path);
    else
        read_folder(d, path);
}

/* `needed`: without it the settings aren't known; else it may as well be an installed package. */
static void read_module(struct django *d, const char *name, bool needed)
{
    EM_STR_AUTO path = EM_STR_INIT;
    bool found = find_module(d, name, needed ? d->roots.n : d->own, &path);
    if (found)
        read_path(d, em_str_c(&path));
    else if (needed)
        em_tool_doubt(d->s, "the settings take part of %s, which isn't found", name);
}

/* from .name import …, from ..name import …, from . import name, … */
static void read_relative(struct django *d, const char *file, const char *name,
                          const struct em_list *imported)
{
    size_t dots = strspn(name, ".");
    EM_STR_AUTO folder = EM_STR_INIT;
    em_tool_folder_of(file, &folder);
    for (size_t i = 1; i < dots; i++) {
        EM_STR_AUTO above = EM_STR_INIT;
        if (strcmp(em_str_c(&folder), ".") == 0) {
            em_tool_doubt(d->s, "%s imports from above the working directory", file);
            return;
        }
        em_tool_folder_of(em_str_c(&folder), &above);
        em_str_cut(&folder, 0);
        em_str_puts(&folder, em_str_c(&above));
    }
    for (size_t i = 0; i < imported->n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        const char *module = name[dots] ? name + dots : imported->v[i];
        if (module_in(d, em_str_c(&folder), module, &path))
            read_path(d, em_str_c(&path));
    }
}

/* from NAME import …, import NAME, wherever they stand in a statement: of the project's own
 * modules, and of those of which all is taken. */
static void follow(struct django *d, const char *file, const struct em_py_statement *statement)
{
    EM_FREE char *text = em_strndup(statement->span.text, statement->span.length);
    EM_LIST_AUTO words = EM_LIST_INIT;
    em_tool_split(text, " \t\n:;\\,()", &words);
    for (size_t i = 0; i + 1 < words.n; i++) {
        bool from = strcmp(words.v[i], "from") == 0;
        const char *name = words.v[i + 1];
        if (from && *name == '.' && i + 3 < words.n) {
            struct em_list imported = {words.v + i + 3, words.n - i - 3};
            read_relative(d, file, name, &imported);
        } else if (from && i + 2 < words.n) {
            bool all = strcmp(words.v[i + 2], "import*") == 0 ||
                       (i + 3 < words.n && strcmp(words.v[i + 3], "*") == 0);
            read_module(d, name, all);
        } else if (!from && strcmp(words.v[i], "import") == 0 && i == 0) {
            read_module(d, name, false);
        }
    }
}

static void read_settings(struct django *d, const char *file)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    static const char *const code[] = {"exec(", "import_module(", "globals(", "__import__("};
    if (em_list_has(&d->read, file) || d->s->doubt.len)
        return;
    if (d->read.n >= FILES_MAX)
        em_tool_doubt(d->s, "the settings are in more than %d files", FILES_MAX);
    em_list_add(&d->read, file);
    if (!em_tool_read(d->s, file, &bytes))
        return;
    if (strstr(em_str_c(&bytes), "MIGRATION_MODULES"))
        em_tool_doubt(d->s, "%s has MIGRATION_MODULES: some migrations lie elsewhere", file);
    for (size_t i = 0; i < EM_COUNT(code); i++)
        if (strstr(em_str_c(&bytes), code[i]))
            em_tool_doubt(d->s, "%s computes settings by %s…)", file, code[i]);
    if (strstr(em_str_c(&bytes), "split_settings"))
        em_tool_doubt(d->s, "%s takes settings from files that it names itself", file);
    struct em_py_span rest = {em_str_c(&bytes), bytes.len};
    struct em_py_statement statement = {0, {NULL, 0}};
    while (em_py_next(&rest, &statement))
        follow(d, file, &statement);
}

/* The setdefault("DJANGO_SETTINGS_MODULE", "x.settings") of manage.py. */
static void default_of(const char *text, struct em_str *name)
{
    const char *at = strstr(text, "DJANGO_SETTINGS_MODULE");
    if (!at)
        return;
    at += strlen("DJANGO_SETTINGS_MODULE");
    at += strspn(at, "\"'], =\t\r\n");
    size_t length = strcspn(at, "\"'()\n");
    if (at[length] == '"' || at[length] == '\'')
        em_str_add(name, at, length);
}

/* What changes sys.path by more than a folder of the project. */
static bool leads_out(const char *text)
{
    for (const char *at = strstr(text, "sys.path"); at; at = strstr(at + 1, "sys.path")) {
        EM_FREE char *line = em_strndup(at, strcspn(at, "\n"));
        if (strstr(line, "..") || strstr(line, "parent.parent") || strstr(line, "\"/") ||
            strstr(line, "'/") || strstr(line, "environ"))
            return true;
    }
    return false;
}

static void read_manage(struct django *d, struct em_str *settings)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO folder = EM_STR_INIT;
    const char *script = d->s->words.v[0];
    const char *option = em_tool_value(d->s, EM_TOOL_OTHER, "--settings");
    const char *variable = em_tool_env(d->s, "DJANGO_SETTINGS_MODULE");
    if (strcmp(em_base_name(script), "manage.py") == 0) {
        em_tool_folder_of(script, &folder);
        if (!em_list_has(&d->roots, em_str_c(&folder)))
            em_list_add(&d->roots, em_str_c(&folder));
        if (!em_tool_read(d->s, script, &bytes))
            return;
        default_of(em_str_c(&bytes), settings);
        if (strstr(em_str_c(&bytes), "configurations"))
            em_tool_doubt(d->s, "%s takes its settings from classes", script);
        if (leads_out(em_str_c(&bytes)))
            em_tool_doubt(d->s, "%s changes sys.path", script);
    }
    if (option || (variable && *variable)) {
        em_str_cut(settings, 0);
        em_str_puts(settings, option ? option : variable);
    }
}

/* Where Django itself is found, its installed apps are. */
static void add_installed(struct django *d)
{
    EM_LIST_AUTO folders = EM_LIST_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    bool found = false;
    if (!d->s->world->python(d->s->world->ctx, &folders, &why))
        em_tool_doubt(d->s, "where installed packages lie can't be told: %s", em_str_c(&why));
    em_tool_python_path(d->s, &folders);
    for (size_t i = 0; i < folders.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(folders.v[i], "django", &path);
        found |= kind(d, em_str_c(&path)) == EM_TOOL_FOLDER;
        em_list_add(&d->roots, folders.v[i]);
        em_tool_add(d->s, folders.v[i], EM_TOOL_INSTALLED);
    }
    if (!found)
        em_tool_doubt(d->s, "where Django is installed can't be told");
}

void em_tool_django(struct em_tool_search *s)
{
    struct django d = {s, EM_LIST_INIT, EM_LIST_INIT, 0};
    EM_STR_AUTO settings = EM_STR_INIT;
    const char *more = em_tool_value(s, EM_TOOL_OTHER, "--pythonpath");
    em_list_add(&d.roots, ".");
    if (more)
        em_list_add(&d.roots, more);
    read_manage(&d, &settings);
    for (size_t i = 0; i < d.roots.n; i++)
        em_tool_add(s, d.roots.v[i], EM_TOOL_APPS);
    d.own = d.roots.n;
    add_installed(&d);
    if (em_tool_env(s, "DJANGO_CONFIGURATION"))
        em_tool_doubt(s, "DJANGO_CONFIGURATION is set");
    if (!settings.len)
        em_tool_doubt(s, "which settings Django has can't be told");
    else
        read_module(&d, em_str_c(&settings), true);
    em_list_free(&d.roots);
    em_list_free(&d.read);
}
