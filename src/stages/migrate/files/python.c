/* Where a Python finds modules, without asking it: Lib/site.py and Modules/getpath.py. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embark/os/files/files.h"
#include "embark/stages/migrate/files/world.h"
#include "embark/stages/require/python/interpreter.h"

enum { FILE_LIMIT = 1024 * 1024 };

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void add_folder(const char *path, struct em_list *folders)
{
    EM_FREE char *real = realpath(path, NULL);
    if (real && is_folder(real) && !em_list_has(folders, real))
        em_list_add(folders, real);
}

static void add_matches(const char *prefix, const char *pattern, struct em_list *folders)
{
    EM_STR_AUTO whole = EM_STR_INIT;
    glob_t found;
    em_str_printf(&whole, "%s/%s", prefix, pattern);
    if (glob(em_str_c(&whole), 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        add_folder(found.gl_pathv[i], folders);
    globfree(&found);
}

/* Of all of its minor versions: which one it is needn't be known. */
static void add_prefix(const char *prefix, struct em_list *folders)
{
    static const char *const patterns[] = {
        "lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3*/dist-packages",
        "lib/pypy3*/site-packages"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        add_matches(prefix, patterns[i], folders);
    if (strcmp(prefix, "/usr") == 0)
        add_prefix("/usr/local", folders);
}

/* "X" of "X/bin/python". */
static bool prefix_of(const char *program, struct em_str *prefix)
{
    em_str_puts(prefix, program);
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(em_str_c(prefix), '/');
        if (!slash)
            return false;
        em_str_cut(prefix, (size_t)(slash - prefix->data));
    }
    return true;
}

/* An environment that has the system's packages, too: home = /usr/bin. */
static void add_base(const char *prefix, struct em_list *folders)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    em_str_printf(&file, "%s/pyvenv.cfg", prefix);
    if (!em_file_read(em_str_c(&file), FILE_LIMIT, &text, &why) ||
        !strstr(em_str_c(&text), "include-system-site-packages = true"))
        return;
    const char *home = strstr(em_str_c(&text), "home = ");
    if (!home)
        return;
    home += strlen("home = ");
    EM_FREE char *folder = em_strndup(home, strcspn(home, "\r\n"));
    char *slash = strrchr(folder, '/');
    if (slash && slash > folder)
        *slash = '\0';
    add_prefix(folder, folders);
}

/* The lines of a .pth file are folders; those that begin with import are code, of which an editable
 * installation's leads elsewhere. */
static bool read_pth(const char *path, const char *site, struct em_list *folders,
                     struct em_str *why)
{
    EM_STR_AUTO text = EM_STR_INIT;
    if (!em_file_read(path, FILE_LIMIT, &text, why))
        return false;
    for (const char *line = em_str_c(&text); *line;) {
        size_t length = strcspn(line, "\r\n");
        EM_FREE char *copy = em_strndup(line, length);
        EM_STR_AUTO whole = EM_STR_INIT;
        line += length + strspn(line + length, "\r\n");
        if (em_starts(copy, "import ") || em_starts(copy, "import\t")) {
            if (!strstr(copy, "editable"))
                continue;
            em_str_printf(why, "%s is an editable installation", path);
            return false;
        }
        if (!*copy || *copy == '#')
            continue;
        em_str_printf(&whole, "%s%s%s", *copy == '/' ? "" : site, *copy == '/' ? "" : "/", copy);
        add_folder(em_str_c(&whole), folders);
    }
    return true;
}

static bool read_pths(struct em_list *folders, struct em_str *why)
{
    bool good = true;
    size_t sites = folders->n;
    for (size_t i = 0; i < sites && good; i++) {
        EM_STR_AUTO pattern = EM_STR_INIT;
        EM_FREE char *site = em_strdup(folders->v[i]);
        glob_t found;
        em_str_printf(&pattern, "%s/*.pth", site);
        if (glob(em_str_c(&pattern), 0, NULL, &found) != 0)
            continue;
        for (size_t f = 0; f < found.gl_pathc && good; f++)
            good = read_pth(found.gl_pathv[f], site, folders, why);
        globfree(&found);
    }
    return good;
}

/* poetry run, uv run…: the environment is elsewhere, unless it is .venv or an active one. */
static bool is_managed_elsewhere(const struct em_config *config, const char *python)
{
    static const char *const managers[] = {"poetry", "uv", "pipenv", "pdm", "hatch", "rye"};
    const char *active = getenv("VIRTUAL_ENV");
    if (em_starts(python, ".venv/") || strstr(python, "/.venv/") ||
        (active && *active && em_starts(python, active)))
        return false;
    for (size_t w = 0; w < config->migrate_command.n; w++)
        for (size_t m = 0; m < sizeof managers / sizeof *managers; m++)
            if (strstr(config->migrate_command.v[w], managers[m]))
                return true;
    return false;
}

static void add_path(const char *text, struct em_list *folders)
{
    while (text && *text) {
        size_t length = strcspn(text, ":");
        EM_FREE char *folder = em_strndup(text, length);
        if (*folder)
            add_folder(folder, folders);
        text += length + (text[length] == ':');
    }
}

bool em_python_folders(const struct em_config *config, struct em_list *folders, struct em_str *why)
{
    struct em_python_interpreter choice = EM_PYTHON_INTERPRETER_INIT;
    EM_STR_AUTO prefix = EM_STR_INIT;
    EM_LIST_AUTO found = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    const char *home = getenv("HOME"), *python_home = getenv("PYTHONHOME");
    int code = em_python_interpreter_find(config, NULL, "python", &choice, &err);
    const char *python = em_str_c(&choice.path);
    if (code)
        em_str_puts(why, em_str_c(&err.text));
    else if (python_home && *python_home)
        em_str_puts(why, "PYTHONHOME is set");
    else if (is_managed_elsewhere(config, python))
        em_str_puts(why, "its environment is none that embark knows");
    if (!why->len && prefix_of(python, &prefix)) {
        EM_FREE char *real = realpath(python, NULL);
        add_prefix(em_str_c(&prefix), &found);
        add_base(em_str_c(&prefix), &found);
        em_str_cut(&prefix, 0);
        if (real && prefix_of(real, &prefix) && !found.n)
            add_prefix(em_str_c(&prefix), &found);
        if (!found.n)
            em_str_printf(why, "%s has no site-packages beside it", python);
    }
    if (home && *home)
        add_matches(home, ".local/lib/python3*/site-packages", &found);
    if (!why->len)
        read_pths(&found, why);
    add_path(getenv("PYTHONPATH"), &found);
    for (size_t i = 0; i < found.n; i++)
        if (!em_list_has(folders, found.v[i]))
            em_list_add(folders, found.v[i]);
    em_python_interpreter_free(&choice);
    return !why->len;
}
