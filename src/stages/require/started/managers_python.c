/* What runs a command in an environment of Python: where each manager's documentation and source
 * say that it is. What isn't there at the image's build the manager makes at the start, or the
 * environment is another one then: a doubt, and no verdict. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/base/sha256.h"
#include "embark/os/files/files.h"
#include "embark/stages/require/started/started.h"

enum { PROJECT_MAX = 1024 * 1024, KEY_LENGTH = 8 };

/* One use of a manager. */
struct use {
    const char *program;
    struct em_started_place *place;
    const char *project; /* --project and its like; NULL */
    const char *named;   /* an environment's name or path; NULL */
    bool by_path, active, no_project;
};

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool exists(const char *dir, const char *name)
{
    EM_STR_AUTO path = EM_STR_INIT;

    em_started_path(dir, name, &path);
    return access(em_str_c(&path), F_OK) == 0;
}

/* The environment's folder, relative to `dir`: false if there is no interpreter in it. */
static bool use_environment(struct use *u, const char *dir, const char *environment)
{
    EM_STR_AUTO bin = EM_STR_INIT;

    em_started_path(dir, environment, &bin);
    em_str_puts(&bin, "/bin");
    if (!exists(em_str_c(&bin), "python"))
        return false;
    em_started_prefer(u->place, em_str_c(&bin));
    u->place->manager = EM_MANAGER_PYTHON;
    return true;
}

static void doubt(struct use *u, const char *format, const char *what)
{
    u->place->manager = EM_MANAGER_PYTHON;
    em_str_cut(&u->place->doubt, 0);
    em_str_printf(&u->place->doubt, format, u->program, what);
}

/* The nearest folder from `dir` upwards that `has` the file. */
static bool search_above(const char *dir, bool (*has)(const char *dir, const char *file),
                         const char *file, struct em_str *out)
{
    EM_FREE char *real = realpath(dir[0] ? dir : ".", NULL);

    for (char *end = real; real && end;) {
        if (has(*real ? real : "/", file)) {
            em_str_puts(out, *real ? real : "/");
            return true;
        }
        end = strrchr(real, '/');
        if (end)
            *end = '\0';
    }
    return false;
}

static bool find_above(const char *dir, const char *file, struct em_str *out)
{
    return search_above(dir, exists, file, out);
}

static const char *dir_of(const struct use *u, struct em_str *out)
{
    if (u->project)
        em_started_path(em_str_c(&u->place->dir), u->project, out);
    else
        em_str_puts(out, em_str_c(&u->place->dir));
    return em_str_c(out);
}

static bool use_active(struct use *u)
{
    const char *active = variable("VIRTUAL_ENV");

    return active && use_environment(u, "", active);
}

/* ---- uv ------------------------------------------------------------------------------------------ */

static bool has_workspace(const char *dir, const char *file)
{
    EM_STR_AUTO text = EM_STR_INIT;

    return em_started_read(dir, file, PROJECT_MAX, &text) &&
           strstr(em_str_c(&text), "[tool.uv.workspace]") != NULL;
}

/* The project, or the workspace that it is a member of. */
static bool uv_root(const char *dir, struct em_str *root)
{
    EM_STR_AUTO project = EM_STR_INIT;

    if (!find_above(dir, "pyproject.toml", &project))
        return false;
    if (!search_above(em_str_c(&project), has_workspace, "pyproject.toml", root))
        em_str_puts(root, em_str_c(&project));
    return true;
}

static void choose_uv(struct use *u)
{
    EM_STR_AUTO dir = EM_STR_INIT;
    EM_STR_AUTO root = EM_STR_INIT;
    const char *environment = variable("UV_PROJECT_ENVIRONMENT");

    if (!u->project)
        u->project = variable("UV_PROJECT");
    dir_of(u, &dir);
    if (u->active && use_active(u))
        return;
    if (!u->no_project && uv_root(em_str_c(&dir), &root)) {
        if (!use_environment(u, em_str_c(&root), environment ? environment : ".venv"))
            doubt(u, "%s makes its environment %s at the start: what it will hold",
                  environment ? environment : ".venv");
    } else if (!use_active(u) && (!find_above(em_str_c(&dir), ".venv", &root) ||
                                  !use_environment(u, em_str_c(&root), ".venv"))) {
        doubt(u, "which interpreter %s takes%s", "");
    }
}

/* ---- poetry, pipenv, pdm, rye: environments that are named for the project's folder -------------- */

/* The first eight letters of a SHA-256 of the text in base64 for URLs. */
static void key_of(const char *text, char key[KEY_LENGTH + 1])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char digest[EM_SHA256_SIZE];

    em_sha256(text, strlen(text), digest);
    for (int i = 0; i < KEY_LENGTH; i++) {
        int bit = i * 6;
        unsigned two = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];

        key[i] = letters[two >> (10 - bit % 8) & 63];
    }
    key[KEY_LENGTH] = '\0';
}

/* The one folder in `parent` with -KEY in its name. */
static bool use_keyed(struct use *u, const char *parent, const char *of)
{
    char key[KEY_LENGTH + 1];
    EM_STR_AUTO found = EM_STR_INIT;
    DIR *stream = em_dir_open(parent);
    struct dirent *entry;
    size_t count = 0;

    key_of(of, key);
    while (stream && (entry = readdir(stream))) {
        const char *at = strstr(entry->d_name, key);

        if (!at || at == entry->d_name || at[-1] != '-' ||
            (at[KEY_LENGTH] && at[KEY_LENGTH] != '-'))
            continue;
        count++;
        em_str_cut(&found, 0);
        em_str_puts(&found, entry->d_name);
    }
    if (stream)
        closedir(stream);
    return count == 1 && use_environment(u, parent, em_str_c(&found));
}

/* The environment that is named for `of`, in the folder of the variable `named`, or else in
 * virtualenvs below that of `base`, or below `home` in the home directory. */
static void choose_keyed(struct use *u, const char *of, const char *named, const char *base,
                         const char *home)
{
    EM_STR_AUTO parent = EM_STR_INIT;

    if (variable(named))
        em_str_puts(&parent, variable(named));
    else if (variable(base))
        em_str_printf(&parent, "%s/virtualenvs", variable(base));
    else
        em_str_printf(&parent, "%s/%s/virtualenvs", variable("HOME") ? variable("HOME") : "/root",
                      home);
    if (!use_keyed(u, em_str_c(&parent), of))
        doubt(u, "which environment %s takes (%s holds none for this folder, or several)",
              em_str_c(&parent));
}

/* The folder of the project's file. False: the active environment is taken, or there is none. */
static bool find_project(struct use *u, const char *file, const char *missing, struct em_str *root)
{
    EM_STR_AUTO dir = EM_STR_INIT;

    if (use_active(u))
        return false;
    if (find_above(dir_of(u, &dir), file, root))
        return true;
    doubt(u, missing, "");
    return false;
}

static bool is_false(const char *value)
{
    return value && em_word_among(value, "false False 0 no");
}

/* poetry.toml: in the section [virtualenvs], create = false. */
static bool poetry_makes_none(const char *root)
{
    EM_STR_AUTO text = EM_STR_INIT;
    const char *at;

    if (is_false(variable("POETRY_VIRTUALENVS_CREATE")))
        return true;
    if (!em_started_read(root, "poetry.toml", PROJECT_MAX, &text))
        return false;
    at = strstr(em_str_c(&text), "\ncreate");
    at = at ? at + strlen("\ncreate") : NULL;
    at = at ? at + strspn(at, " =") : NULL;
    return at && em_starts(at, "false");
}

static void choose_poetry(struct use *u)
{
    EM_STR_AUTO root = EM_STR_INIT;

    if (!find_project(u, "pyproject.toml", "where %s has its project%s", &root))
        return;
    if (!is_false(variable("POETRY_VIRTUALENVS_IN_PROJECT")) &&
        use_environment(u, em_str_c(&root), ".venv"))
        return;
    if (!poetry_makes_none(em_str_c(&root)))
        choose_keyed(u, em_str_c(&root), "POETRY_VIRTUALENVS_PATH", "POETRY_CACHE_DIR",
                     ".cache/pypoetry");
}

static void choose_pipenv(struct use *u)
{
    EM_STR_AUTO root = EM_STR_INIT;
    EM_STR_AUTO file = EM_STR_INIT;

    if (!find_project(u, "Pipfile", "where %s has its Pipfile%s", &root) ||
        use_environment(u, em_str_c(&root), ".venv"))
        return;
    em_str_printf(&file, "%s/Pipfile", em_str_c(&root));
    choose_keyed(u, em_str_c(&file), "WORKON_HOME", "XDG_DATA_HOME", ".local/share");
}

/* .pdm-python holds the interpreter's path; __pypackages__ is none of Python's own ways. */
static void choose_pdm(struct use *u)
{
    EM_STR_AUTO dir = EM_STR_INIT;
    EM_STR_AUTO root = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;

    dir_of(u, &dir);
    if (!find_above(em_str_c(&dir), "pyproject.toml", &root) ||
        exists(em_str_c(&root), "__pypackages__")) {
        doubt(u, "which packages %s takes%s", "");
        return;
    }
    if (em_started_read(em_str_c(&root), ".pdm-python", PROJECT_MAX, &text)) {
        em_str_cut(&text, strcspn(em_str_c(&text), "\n"));
        for (int i = 0; i < 2 && strrchr(em_str_c(&text), '/'); i++) /* DIR/bin/python */
            em_str_cut(&text, (size_t)(strrchr(em_str_c(&text), '/') - em_str_c(&text)));
        if (text.len && use_environment(u, "", em_str_c(&text)))
            return;
    }
    if (!use_active(u) && !use_environment(u, em_str_c(&root), ".venv"))
        doubt(u, "%s makes its environment %s at the start: what it will hold", ".venv");
}

static void choose_rye(struct use *u)
{
    EM_STR_AUTO root = EM_STR_INIT;

    if (!find_above(em_str_c(&u->place->dir), "pyproject.toml", &root) ||
        !use_environment(u, em_str_c(&root), ".venv"))
        doubt(u, "%s makes its environment %s at the start: what it will hold", ".venv");
}

/* ---- conda, mamba, pixi -------------------------------------------------------------------------- */

/* CONDA_ENVS_PATH is a list; the root prefix is above the program's own folder. */
static bool use_conda_named(struct use *u, const char *name)
{
    static const char *const roots[] = {"CONDA_ROOT", "MAMBA_ROOT_PREFIX", "CONDA_PREFIX"};
    static const char *const usual[] = {"/opt/conda",      "/opt/miniconda3",  "/root/miniconda3",
                                        "/opt/micromamba", "/root/micromamba", "/usr/local"};
    EM_STR_AUTO path = EM_STR_INIT;
    bool base = strcmp(name, "base") == 0;
    const char *list = variable("CONDA_ENVS_PATH");

    list = list ? list : variable("CONDA_ENVS_DIRS");
    for (const char *p = list ? list : ""; *p && !base; p += strcspn(p, ":,"), p += *p != '\0') {
        em_str_cut(&path, 0);
        em_str_printf(&path, "%.*s/%s", (int)strcspn(p, ":,"), p, name);
        if (use_environment(u, "", em_str_c(&path)))
            return true;
    }
    for (size_t i = 0; i < 9; i++) {
        const char *root = i < 3 ? variable(roots[i]) : usual[i - 3];

        em_str_cut(&path, 0);
        if (root)
            em_str_printf(&path, "%s%s%s", root, base ? "" : "/envs/", base ? "" : name);
        if (root && (!base || exists(root, "conda-meta")) &&
            use_environment(u, "", em_str_c(&path)))
            return true;
    }
    return false;
}

static void choose_conda(struct use *u)
{
    const char *active = variable("CONDA_PREFIX");

    if (u->named && u->by_path) {
        if (!use_environment(u, em_str_c(&u->place->dir), u->named))
            doubt(u, "what %s runs in (%s has no bin/python)", u->named);
    } else if (u->named || !active || !use_environment(u, "", active)) {
        const char *name = u->named ? u->named : "base";

        if (!use_conda_named(u, name))
            doubt(u, "where %s has its environment %s", name);
    }
}

static void choose_pixi(struct use *u)
{
    EM_STR_AUTO root = EM_STR_INIT;
    EM_STR_AUTO path = EM_STR_INIT;
    const char *name = u->named ? u->named : "default";

    em_str_printf(&path, ".pixi/envs/%s", name);
    if (!find_above(em_str_c(&u->place->dir), ".pixi", &root) ||
        !use_environment(u, em_str_c(&root), em_str_c(&path)))
        doubt(u, "where %s has its environment %s", name);
}

/* ---- Those of which nothing is known -------------------------------------------------------------- */

static void choose_none(struct use *u)
{
    doubt(u, "in which environment %s runs a command%s", "");
}

/* ---- All of them ----------------------------------------------------------------------------------- */

struct manager {
    const char *name, *run; /* "": every use of it runs a command */
    void (*choose)(struct use *u);
    const char *dir, *project, *environment, *path; /* options */
    const char *values;                             /* others with a value */
    const char *odd; /* options that make an environment of their own */
};
static const struct manager managers[] = {
    {"uv", "run", choose_uv, "--directory", "--project", "", "",
     "-p --python --extra --no-extra --group --no-group --only-group --env-file --cache-dir "
     "--config-file --color --index --default-index -i --index-url --extra-index-url -f "
     "--find-links --package --python-platform -C --config-setting --prerelease --resolution "
     "--link-mode --refresh-package --reinstall-package -P --upgrade-package --no-binary-package "
     "--no-build-package --no-build-isolation-package --exclude-newer --index-strategy "
     "--keyring-provider --allow-insecure-host --fork-strategy --no-sources-package "
     "--python-preference --build-constraints",
     "--with --with-editable --with-requirements --isolated -s --script --gui-script"},
    {"uv", "tool", choose_none, "", "", "", "", "", ""},
    {"uvx", "", choose_none, "", "", "", "", "", ""},
    {"pipx", "run", choose_none, "", "", "", "", "", ""},
    {"poetry", "run", choose_poetry, "-C --directory", "-P --project", "", "", "", ""},
    {"pipenv", "run", choose_pipenv, "", "", "", "", "--python", ""},
    {"pdm", "run", choose_pdm, "", "-p --project", "", "", "-c --config --venv --recreate",
     "--venv --recreate"},
    {"rye", "run", choose_rye, "", "", "", "", "-p --pyproject", ""},
    {"hatch", "", choose_none, "", "", "", "", "", ""},
    {"tox", "", choose_none, "", "", "", "", "", ""},
    {"nox", "", choose_none, "", "", "", "", "", ""},
    {"conda", "run", choose_conda, "--cwd", "", "-n --name", "-p --prefix", "", ""},
    {"mamba", "run", choose_conda, "--cwd", "", "-n --name", "-p --prefix",
     "-e --env -r --root-prefix", ""},
    {"micromamba", "run", choose_conda, "--cwd", "", "-n --name", "-p --prefix",
     "-e --env -r --root-prefix", ""},
    {"pixi", "run", choose_pixi, "", "", "-e --environment", "", "--manifest-path",
     "--manifest-path"},
};

/* The index of its word `run`, behind options; 0: it isn't there. */
static size_t run_at(const struct manager *m, char *const *words, size_t count)
{
    size_t at = 1;

    while (at < count && words[at][0] == '-') {
        size_t n = 0;
        const char *const with_values[] = {m->dir, m->project, m->environment, m->path, m->values};

        for (size_t i = 0; i < 5 && !n; i++)
            n = em_option_words(words[at], with_values[i]);
        at += n ? n : 1;
    }
    return at < count && strcmp(words[at], m->run) == 0 ? at : 0;
}

static const struct manager *manager_of(char *const *words, size_t count)
{
    for (size_t i = 0; i < EM_COUNT(managers); i++)
        if (strcmp(managers[i].name, em_base_name(words[0])) == 0 &&
            (!managers[i].run[0] || run_at(&managers[i], words, count)))
            return &managers[i];
    return NULL;
}

/* An option of the manager's at words[0]; how many words it is. `odd`: what it does isn't known. */
static size_t take_option(const struct manager *m, char *const *words, size_t count, struct use *u,
                          bool *odd)
{
    const char *value = em_option_value(words, count);
    size_t n;

    if ((n = em_option_words(words[0], m->dir))) {
        em_started_enter(u->place, value ? value : "");
    } else if ((n = em_option_words(words[0], m->project))) {
        u->project = value;
    } else if ((n = em_option_words(words[0], m->environment))) {
        u->named = value;
    } else if ((n = em_option_words(words[0], m->path))) {
        u->named = value;
        u->by_path = true;
    } else {
        *odd |= em_option_words(words[0], m->odd) > 0;
        n = em_option_words(words[0], m->values);
        u->active |= strcmp(words[0], "--active") == 0;
        u->no_project |= strcmp(words[0], "--no-project") == 0;
    }
    return n ? n : 1;
}

/* uv run -m MODULE: as python -m. */
static void follow_module(const struct em_following *f, char *const *words, size_t count,
                          const struct em_started_place *place)
{
    EM_LIST_AUTO inner = EM_LIST_INIT;

    em_list_add(&inner, "python");
    em_list_add(&inner, "-m");
    for (size_t i = 1; i < count; i++)
        em_list_add(&inner, words[i]);
    em_follow(f, inner.v, inner.n, place);
}

bool em_follow_python_manager(const struct em_following *f, char *const *words, size_t count,
                              const struct em_started_place *place)
{
    const struct manager *m = manager_of(words, count);
    struct em_started_place here;
    struct use u = {.program = words[0], .place = &here};
    size_t run = m && m->run[0] ? run_at(m, words, count) : 0, at = 1;
    bool odd = false;

    if (!m)
        return false;
    em_started_copy(&here, place);
    while (at < count && (at <= run || words[at][0] == '-')) {
        if (strcmp(words[at], "--") == 0) {
            at++;
            break;
        }
        if (at > run && em_word_among(words[at], "-m --module"))
            break;
        at += at == run ? 1 : take_option(m, words + at, count - at, &u, &odd);
    }
    (odd ? choose_none : m->choose)(&u);
    if (at < count && em_word_among(words[at], "-m --module"))
        follow_module(f, words + at, count - at, &here);
    else if (at < count)
        em_follow(f, words + at, count - at, &here);
    else
        em_follow_end(f, words, count, &here);
    em_started_free(&here);
    return true;
}
