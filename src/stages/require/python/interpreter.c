#include "embark/stages/require/python/interpreter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/executable/shebang.h"
#include "embark/os/exec/find.h"
#include "embark/os/files/files.h"

/* A command that starts a command that starts … is followed so far. */
enum { DEPTH_MAX = 6 };

static bool from_words(char *const *words, size_t count, int depth, struct em_python_choice *c);

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool find(const char *name, struct em_str *path)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;

    return em_exec_find(name, getenv("PATH"), path, &ignored) == 0 &&
           em_path_access(em_str_c(path), X_OK) == 0;
}

static void use_script(const char *script, struct em_python_choice *c)
{
    EM_STR_AUTO real = EM_STR_INIT;
    char *resolved = realpath(script, NULL), *slash;

    em_str_puts(&real, resolved ? resolved : script);
    free(resolved);
    slash = strrchr(em_str_c(&real), '/');
    if (slash)
        em_str_cut(&real, (size_t)(slash - real.data));
    c->mode = strcmp(base(em_str_c(&real)), "bin") == 0 ? EM_PYTHON_CONSOLE : EM_PYTHON_SCRIPT;
    em_str_cut(&c->script, 0);
    em_str_puts(&c->script, script);
}

static void add_flags(const struct em_list *flags, struct em_python_choice *c)
{
    for (size_t i = 0; i < flags->n; i++)
        if (!em_list_has(&c->flags, flags->v[i]))
            em_list_add(&c->flags, flags->v[i]);
}

/* python [OPTION…] [-m M | -c C | SCRIPT] */
static bool from_interpreter(char *const *words, size_t count, struct em_python_choice *c)
{
    struct em_python_args args;

    if (!find(words[0], &c->path))
        return false;
    em_python_args(words + 1, count - 1, &args);
    c->mode = args.mode;
    if (args.script)
        use_script(args.script, c);
    add_flags(&args.flags, c);
    em_list_free(&args.flags);
    return true;
}

/* A script's #! line, and what it comes to. */
static bool from_file(const char *name, struct em_python_choice *c)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_STR_AUTO program = EM_STR_INIT;
    char head[EM_SHEBANG_BYTES];
    size_t length = 0;
    struct em_shebang s;
    bool ok = false;

    if (!find(name, &file) || !em_file_head(em_str_c(&file), head, sizeof(head), &length))
        return false;
    if (em_shebang_read(head, length, &s) == EM_SHEBANG_OK && em_python_is(s.program)) {
        if (s.beside) {
            char *real = realpath(em_str_c(&file), NULL);

            if (real)
                em_str_add(&program, real, (size_t)(base(real) - real));
            free(real);
        }
        em_str_puts(&program, s.program);
        ok = find(em_str_c(&program), &c->path);
    }
    if (ok) {
        struct em_python_args args;

        em_python_args(s.arguments.v, s.arguments.n, &args);
        add_flags(&args.flags, c);
        em_list_free(&args.flags);
        use_script(em_str_c(&file), c);
    }
    em_shebang_free(&s);
    return ok;
}

/* uv run, poetry run: they use the project's virtual environment. */
static bool from_environment(struct em_python_choice *c)
{
    const char *active = getenv("VIRTUAL_ENV");
    EM_STR_AUTO path = EM_STR_INIT;

    c->mode = EM_PYTHON_CWD;
    if (find(".venv/bin/python", &c->path))
        return true;
    if (!active || !*active)
        return false;
    em_str_printf(&path, "%s/bin/python", active);
    return find(em_str_c(&path), &c->path);
}

/* sh -c 'TEXT': its first command. Where the shell would do more than split words, the first word
 * still tells. */
static bool from_shell(char *const *words, size_t count, int depth, struct em_python_choice *c)
{
    EM_LIST_AUTO inner = EM_LIST_INIT;
    size_t at = 1;

    while (at < count && words[at][0] == '-' && !strchr(words[at], 'c'))
        at++;
    if (at + 1 >= count || words[at][0] != '-' || !em_words_split(words[at + 1], &inner))
        return false;
    return from_words(inner.v, inner.n, depth + 1, c);
}

/* How many words of a command only start the one behind them; 0: none. */
static size_t wrapper_words(char *const *words, size_t count)
{
    static const char *const plain[] = {"env",         "exec",        "nohup",     "setsid",
                                        "tini",        "tini-static", "dumb-init", "catatonit",
                                        "docker-init", NULL};
    static const char *const with_user[] = {"gosu", "su-exec", NULL};
    const char *name = base(words[0]);
    bool user = among(name, with_user);
    size_t at = 1;

    if (strchr(words[0], '=') && !strchr(words[0], '/'))
        return 1; /* NAME=VALUE before a command, in a shell */
    if (!user && !among(name, plain))
        return 0;
    while (at < count &&
           (words[at][0] == '-' || (strcmp(name, "env") == 0 && strchr(words[at], '='))))
        at++;
    return at + user;
}

static bool from_words(char *const *words, size_t count, int depth, struct em_python_choice *c)
{
    static const char *const shells[] = {"sh", "bash", "dash", "ash", NULL};
    static const char *const managers[] = {"uv", "poetry", "pipenv", "pdm", "hatch", "rye", NULL};
    size_t skip;

    if (depth > DEPTH_MAX || count == 0)
        return false;
    skip = wrapper_words(words, count);
    if (skip)
        return skip < count && from_words(words + skip, count - skip, depth + 1, c);
    if (among(base(words[0]), shells))
        return from_shell(words, count, depth, c);
    if (among(base(words[0]), managers) && count > 1 && strcmp(words[1], "run") == 0)
        return from_environment(c);
    if (em_python_is(words[0]))
        return from_interpreter(words, count, c);
    return from_file(words[0], c);
}

/* Nothing half-found is left behind by a command that told nothing. */
static bool from_command(const struct em_list *command, struct em_python_choice *c)
{
    if (command && from_words(command->v, command->n, 0, c))
        return true;
    em_python_choice_free(c);
    return false;
}

int em_python_choose(const struct em_config *config, const struct em_list *service,
                     const char *language, struct em_python_choice *choice, struct em_err *err)
{
    int code;

    if (strcmp(language, "python") != 0) {
        code = em_exec_find(language, getenv("PATH"), &choice->path, err);
        return code ? code : em_exec_check(em_str_c(&choice->path), err);
    }
    if (from_command(service, choice) || from_command(&config->migrate_command, choice))
        return 0;
    if (find("python3", &choice->path) || find("python", &choice->path))
        return 0;
    return em_exec_find("python3", getenv("PATH"), &choice->path, err);
}

bool em_python_same(const struct em_python_choice *a, const struct em_python_choice *b)
{
    return a->mode == b->mode && a->flags.n == b->flags.n &&
           strcmp(em_str_c(&a->path), em_str_c(&b->path)) == 0 &&
           strcmp(em_str_c(&a->script), em_str_c(&b->script)) == 0;
}

void em_python_choice_free(struct em_python_choice *choice)
{
    em_str_free(&choice->path);
    em_str_free(&choice->script);
    em_list_free(&choice->flags);
    *choice = (struct em_python_choice)EM_PYTHON_CHOICE_INIT;
}
