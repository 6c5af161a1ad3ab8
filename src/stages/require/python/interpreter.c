#include "embark/stages/require/python/interpreter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/executable/shebang.h"
#include "embark/os/exec/find.h"
#include "embark/os/files/files.h"
#include "embark/stages/require/started/started.h"

/* Where a command's words are looked up. */
struct look {
    const struct em_started_place *place;
    struct em_python_interpreter *c;
};

/* The program as it is found from the place; absolute, if that isn't embark's own folder. */
static bool find(const struct em_started_place *place, const char *name, struct em_str *path)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    EM_STR_AUTO folders = EM_STR_INIT;
    EM_STR_AUTO found = EM_STR_INIT;
    const char *own = getenv("PATH");

    if (strchr(name, '/')) {
        em_started_path(em_str_c(&place->dir), name, &found);
    } else {
        if (place->bin.len)
            em_str_printf(&folders, "%s:%s", em_str_c(&place->bin),
                          own ? own : EM_EXEC_DEFAULT_PATH);
        if (em_exec_find(name, place->bin.len ? em_str_c(&folders) : own, &found, &ignored) != 0)
            return false;
    }
    if (em_path_access(em_str_c(&found), X_OK) != 0)
        return false;
    if (place->dir.len && em_str_c(&found)[0] != '/') {
        EM_FREE char *cwd = realpath(".", NULL);

        em_str_printf(path, "%s/", cwd ? cwd : "");
    }
    em_str_puts(path, em_str_c(&found));
    return true;
}

/* `script` is as the interpreter gets it; `file` is where it is. */
static void use_script(const char *script, const char *file, struct em_python_interpreter *c)
{
    EM_STR_AUTO real = EM_STR_INIT;
    char *resolved = realpath(file, NULL), *slash;

    em_str_puts(&real, resolved ? resolved : file);
    free(resolved);
    slash = strrchr(em_str_c(&real), '/');
    if (slash)
        em_str_cut(&real, (size_t)(slash - real.data));
    c->mode =
        strcmp(em_base_name(em_str_c(&real)), "bin") == 0 ? EM_PYTHON_CONSOLE : EM_PYTHON_SCRIPT;
    em_str_cut(&c->script, 0);
    em_str_puts(&c->script, script);
}

static void add_flags(const struct em_list *flags, struct em_python_interpreter *c)
{
    for (size_t i = 0; i < flags->n; i++)
        if (!em_list_has(&c->flags, flags->v[i]))
            em_list_add(&c->flags, flags->v[i]);
}

/* python [OPTION…] [-m M | -c C | SCRIPT] */
static bool from_interpreter(const struct look *l, char *const *words, size_t count)
{
    struct em_python_args args;

    if (!find(l->place, words[0], &l->c->path))
        return false;
    em_python_args(words + 1, count - 1, &args);
    l->c->mode = args.mode;
    if (args.script) {
        EM_STR_AUTO file = EM_STR_INIT;

        em_started_path(em_str_c(&l->place->dir), args.script, &file);
        use_script(args.script, em_str_c(&file), l->c);
    }
    add_flags(&args.flags, l->c);
    em_list_free(&args.flags);
    return true;
}

/* A script's #! line, and what it comes to. */
static bool from_file(const struct look *l, const char *name)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_STR_AUTO program = EM_STR_INIT;
    char head[EM_SHEBANG_BYTES];
    size_t length = 0;
    struct em_shebang s;
    bool ok = false;

    if (!find(l->place, name, &file) || !em_file_head(em_str_c(&file), head, sizeof(head), &length))
        return false;
    if (em_shebang_read(head, length, &s) == EM_SHEBANG_OK && em_python_is(s.program)) {
        if (s.beside) {
            EM_FREE char *real = realpath(em_str_c(&file), NULL);

            if (real)
                em_str_add(&program, real, (size_t)(em_base_name(real) - real));
        }
        em_str_puts(&program, s.program);
        ok = find(l->place, em_str_c(&program), &l->c->path);
    }
    if (ok) {
        struct em_python_args args;

        em_python_args(s.arguments.v, s.arguments.n, &args);
        add_flags(&args.flags, l->c);
        em_list_free(&args.flags);
        use_script(strchr(name, '/') ? name : em_str_c(&file), em_str_c(&file), l->c);
    }
    em_shebang_free(&s);
    return ok;
}

static void set_place(const struct em_started_place *place, struct em_python_interpreter *c)
{
    const char *dir = em_str_c(&place->dir);
    EM_FREE char *real = *dir ? realpath(dir, NULL) : NULL;

    em_str_puts(&c->dir, real ? real : dir);
    em_str_puts(&c->pythonpath, em_str_c(&place->pythonpath));
    em_str_puts(&c->doubt, em_str_c(&place->doubt));
    if (*dir && !real && !c->doubt.len)
        em_str_printf(&c->doubt, "what the command finds in %s, which is not there,", dir);
}

/* The last program that tells: nothing half-found is left behind by one that doesn't. */
static void take(void *ctx, char *const *words, size_t count, const struct em_started_place *place)
{
    struct em_python_interpreter *best = ctx, c = EM_PYTHON_INTERPRETER_INIT;
    const struct look l = {place, &c};
    bool doubt = place->manager == EM_MANAGER_PYTHON && place->doubt.len;
    bool told = doubt || (em_python_is(words[0]) ? from_interpreter(&l, words, count)
                                                 : from_file(&l, words[0]));

    /* What is none of Python's (a manager's own script) still runs with its interpreter. */
    if (!told && place->manager == EM_MANAGER_PYTHON) {
        em_python_interpreter_free(&c);
        told = find(place, "python", &c.path);
    }
    if (told) {
        set_place(place, &c);
        em_python_interpreter_free(best);
        *best = c;
        c = (struct em_python_interpreter)EM_PYTHON_INTERPRETER_INIT;
    }
    em_python_interpreter_free(&c);
}

static bool from_command(const struct em_list *command, struct em_python_interpreter *c)
{
    em_started(command, take, c);
    return c->path.len || c->doubt.len;
}

int em_python_interpreter_find(const struct em_config *config, const struct em_list *service,
                               const char *language, struct em_python_interpreter *choice,
                               struct em_err *err)
{
    static const struct em_started_place here = {.manager = EM_MANAGER_NONE};
    int code;

    if (strcmp(language, "python") != 0) {
        code = em_exec_find(language, getenv("PATH"), &choice->path, err);
        return code ? code : em_exec_check(em_str_c(&choice->path), err);
    }
    if (from_command(service, choice) || from_command(&config->migrate_command, choice))
        return 0;
    if (find(&here, "python3", &choice->path) || find(&here, "python", &choice->path))
        return 0;
    return em_exec_find("python3", getenv("PATH"), &choice->path, err);
}

bool em_python_same(const struct em_python_interpreter *a, const struct em_python_interpreter *b)
{
    return a->mode == b->mode && a->flags.n == b->flags.n &&
           strcmp(em_str_c(&a->path), em_str_c(&b->path)) == 0 &&
           strcmp(em_str_c(&a->script), em_str_c(&b->script)) == 0 &&
           strcmp(em_str_c(&a->dir), em_str_c(&b->dir)) == 0 &&
           strcmp(em_str_c(&a->pythonpath), em_str_c(&b->pythonpath)) == 0 &&
           strcmp(em_str_c(&a->doubt), em_str_c(&b->doubt)) == 0;
}

void em_python_interpreter_free(struct em_python_interpreter *choice)
{
    em_str_free(&choice->path);
    em_str_free(&choice->script);
    em_str_free(&choice->dir);
    em_str_free(&choice->pythonpath);
    em_str_free(&choice->doubt);
    em_list_free(&choice->flags);
    *choice = (struct em_python_interpreter)EM_PYTHON_INTERPRETER_INIT;
}
