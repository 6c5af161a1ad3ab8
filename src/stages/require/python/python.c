#include "embark/stages/require/python/python.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "embark/core/languages/python/lookup.h"
#include "embark/core/languages/python/pep440.h"
#include "embark/os/log/log.h"
#include "embark/os/process/child_env.h"
#include "embark/os/process/spawn.h"
#include "embark/stages/require/interpreter/script.h"
#include "embark/stages/require/python/interpreter.h"
#include "extensions.h"
#include "questions.h"
#include "stages/require/python/probe.py.h"
#include "stages/require/python/why.py.h"

enum { ANSWER_MAX = 1024 * 1024 };

/* What is asked of one interpreter. */
struct question {
    struct em_python_interpreter python;
    struct em_list names, wheres;
    struct em_python_questions ask;
    char *where; /* of the first line that asks it */
    bool build_time;
};

struct questions {
    struct question *v;
    size_t n;
};

static void free_questions(struct questions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        em_python_interpreter_free(&all->v[i].python);
        em_list_free(&all->v[i].names);
        em_list_free(&all->v[i].wheres);
        em_python_questions_free(&all->v[i].ask);
        free(all->v[i].where);
    }
    free(all->v);
    *all = (struct questions){0};
}

/* The question for that interpreter; `python` is moved into a new one, or freed. */
static struct question *question_for(struct questions *all, struct em_python_interpreter *python,
                                     const char *where)
{
    for (size_t i = 0; i < all->n; i++)
        if (em_python_same(&all->v[i].python, python)) {
            em_python_interpreter_free(python);
            return &all->v[i];
        }
    all->v = em_realloc(all->v, all->n + 1, sizeof(*all->v));
    all->v[all->n] = (struct question){.python = *python, .where = em_strdup(where)};
    *python = (struct em_python_interpreter)EM_PYTHON_INTERPRETER_INIT;
    return &all->v[all->n++];
}

struct sorting {
    const struct em_config *config;
    const struct em_list *service;
    struct questions *all;
    struct em_errs *errs;
};

/* The question for the interpreter that a line is about. NULL, and an error: there is none. */
static struct question *choose(const struct sorting *s, const char *key, const char *language,
                               const char *where)
{
    struct em_python_interpreter python = EM_PYTHON_INTERPRETER_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_err *added;

    if (em_python_interpreter_find(s->config, s->service, language, &python, &err) == 0) {
        if (!python.doubt.len)
            return question_for(s->all, &python, where);
        em_log_hint(EM_LOG_WARN, "require",
                    "name the interpreter: module = /path/to/bin/python: NAME",
                    "%s: not judged: %s can't be told (%s)", key, em_str_c(&python.doubt), where);
        em_python_interpreter_free(&python);
        return NULL;
    }
    added =
        em_errs_add(s->errs, EM_EXIT_REQUIREMENT, "%s: %s (%s)", key, em_str_c(&err.text), where);
    if (err.hint.len)
        em_hint(added, "%s", em_str_c(&err.hint));
    em_python_interpreter_free(&python);
    return NULL;
}

static void ask_for(struct question *q, const char *name, const char *where)
{
    if (em_list_has(&q->names, name))
        return;
    em_list_add(&q->names, name);
    em_list_add(&q->wheres, where);
}

/* One line of [require] module or import, sorted to its interpreter. Malformed:
 * em_require_validate() has said it. */
static void add_line(const struct sorting *s, bool import, const char *value, const char *where)
{
    struct em_modules modules;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct question *q = NULL;

    if (em_modules_read(value, import, &modules, &err) == 0 &&
        modules.language == EM_LANGUAGE_PYTHON)
        q = choose(s, import ? "import" : "module", modules.word, where);
    for (size_t i = 0; q && i < modules.n; i++) {
        ask_for(q, modules.v[i].name, where);
        if (import)
            em_python_questions_add_import(&q->ask, modules.v[i].name, where);
        else if (modules.v[i].allowed[0])
            em_python_questions_add_version(&q->ask, &modules.v[i], where);
    }
    em_modules_free(&modules);
}

static void add_manifest(const struct sorting *s, const char *value, const char *where)
{
    struct em_manifest manifest;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct question *q = NULL;

    if (em_manifest_read(value, &manifest, &err) == 0 &&
        (manifest.kind == EM_MANIFEST_REQUIREMENTS || manifest.kind == EM_MANIFEST_PYPROJECT))
        q = choose(s, "manifest", "python", where);
    if (q)
        em_python_questions_add_manifest(&q->ask, &manifest, where, s->errs);
    em_manifest_free(&manifest);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* python -B FLAGS -c PROBE MODE SCRIPT WHY NAME… [+ MORE TASK…]: the first comment of
 * probe.py. */
static void command_line(const struct question *q, struct em_list *argv)
{
    em_list_add(argv, em_str_c(&q->python.path));
    em_list_add(argv, "-B"); /* a look at the image leaves no __pycache__ in it */
    for (size_t i = 0; i < q->python.flags.n; i++)
        em_list_add(argv, q->python.flags.v[i]);
    em_list_add(argv, "-c");
    em_list_take(argv, EM_SCRIPT(probe_py));
    em_list_add(argv, em_python_mode_word(q->python.mode));
    em_list_add(argv, em_str_c(&q->python.script));
    em_list_take(argv, EM_SCRIPT(why_py));
    for (size_t i = 0; i < q->names.n; i++)
        em_list_add(argv, q->names.v[i]);
    em_python_questions_words(&q->ask, argv);
}

/* The line of an interpreter's stderr that says the most: "Fatal Python error: …", or the last one.
 */
static void telling_line(const struct em_str *text, struct em_str *line)
{
    const char *p = em_str_c(text);

    while (*p) {
        size_t n = strcspn(p, "\n");

        if (n && p[0] != ' ') {
            em_str_cut(line, 0);
            em_str_add(line, p, n);
            if (em_starts(p, "Fatal Python error"))
                return;
        }
        p += n + (p[n] == '\n');
    }
}

/* It ran to its end, but gave no answer. */
static void no_answer(const struct question *q, int status, const struct em_str *stderr_text,
                      struct em_errs *errs)
{
    EM_STR_AUTO how = EM_STR_INIT;
    EM_STR_AUTO line = EM_STR_INIT;
    struct em_err *err;

    em_child_explain(status, &how);
    telling_line(stderr_text, &line);
    err = em_errs_add(
        errs, EM_EXIT_REQUIREMENT, "module: %s can't say what it finds: it %s%s%s (%s)",
        em_str_c(&q->python.path), em_str_c(&how), line.len ? ": " : "", em_str_c(&line), q->where);
    em_hint(err, "try %s -c pass", em_str_c(&q->python.path));
}

static void too_old(const struct question *q, const char *version, struct em_errs *errs)
{
    em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT,
                        "module: %s is Python %s, at least 3.4 is needed (%s)",
                        em_str_c(&q->python.path), version, q->where),
            "name the service's interpreter: module = /path/to/python3: NAME…");
}

/* It is missing whole, and not a part of it. */
static bool is_missing(const struct em_python_name *name)
{
    return !name->part || !strchr(name->part, '.') || name->folders.n;
}

static void say(const struct question *q, const struct em_python_lookup *answer,
                const struct em_python_name *name, const struct em_str *bytes, struct em_err *err)
{
    EM_STR_AUTO manifests = EM_STR_INIT;

    if (is_missing(name))
        em_python_ask_unlisted(&q->ask, bytes, name->name, &manifests);
    em_python_lookup_explain(answer, name, em_str_c(&q->python.path),
                             manifests.len ? em_str_c(&manifests) : NULL, err);
}

static void judge(const struct question *q, const struct em_python_lookup *answer,
                  const struct em_str *bytes, struct em_errs *errs)
{
    for (size_t i = 0; i < q->names.n; i++) {
        const struct em_python_name *name = em_python_lookup_of(answer, q->names.v[i]);
        EM_ERR_AUTO err = EM_ERR_INIT;

        if (name && name->found) {
            em_log(EM_LOG_DEBUG, "require", "module %s: %s", name->name,
                   name->origin ? name->origin : "found");
            if (q->build_time)
                em_python_extensions(answer, name, q->wheres.v[i], errs);
            continue;
        }
        if (name)
            say(q, answer, name, bytes, &err);
        else
            em_fail(&err, EM_EXIT_REQUIREMENT, "module %s: %s said nothing about it", q->names.v[i],
                    em_str_c(&q->python.path));
        em_str_printf(&err.text, " (%s)", q->wheres.v[i]);
        em_errs_take(errs, &err);
    }
}

static void read_answer(struct question *q, const struct em_str *out,
                        const struct em_str *stderr_text, int status, struct em_errs *errs)
{
    struct em_python_lookup answer;

    em_python_lookup_read(&answer, em_str_c(out), out->len);
    if (!answer.complete) {
        no_answer(q, status, stderr_text, errs);
    } else if (answer.version && em_pep440_allows("<3.4", answer.version) == EM_YES) {
        too_old(q, answer.version, errs);
    } else {
        judge(q, &answer, out, errs);
        em_python_questions_check(&q->ask, em_str_c(&q->python.path), &answer, out, status, errs);
    }
    em_python_lookup_free(&answer);
}

static void too_slow(const struct question *q, const struct em_str *out, struct em_errs *errs)
{
    const char *python = em_str_c(&q->python.path);
    EM_STR_AUTO import = EM_STR_INIT;

    if (em_python_questions_hanging(out, &import))
        em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT, "import %s: did not end in time (%s)",
                            em_str_c(&import), q->where),
                "importing it must not wait for anything: see where it hangs");
    else
        em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT, "module: %s did not answer in time (%s)",
                            python, q->where),
                "something that runs at its start may hang: sitecustomize, usercustomize, a .pth "
                "file");
}

/* Where and with which environment the service's command starts it, but for PYTHONPATH: from there
 * the interpreter would execute a sitecustomize.py, and its own modules' namesakes, as it starts.
 * The probe puts it in its place. */
static void set_place(const struct question *q, struct em_list *env, struct em_spawn *spawn)
{
    if (q->python.dir.len)
        spawn->dir = em_str_c(&q->python.dir);
    em_env_copy(env);
    if (q->python.pythonpath.len)
        em_env_set(env, "PYTHONPATH", em_str_c(&q->python.pythonpath));
    em_env_rename(env, "PYTHONPATH", "EMBARK_PYTHONPATH");
    spawn->environ = env->v;
}

static int ask(struct question *q, em_time until, struct em_errs *errs, struct em_err *err)
{
    EM_LIST_AUTO env = EM_LIST_INIT;
    EM_LIST_AUTO argv = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    EM_STR_AUTO stderr_text = EM_STR_INIT;
    struct em_spawn spawn = {.in = -1, .out = -1, .err = -1, .own_group = true};
    int status = 0, code;

    command_line(q, &argv);
    spawn.argv = argv.v;
    set_place(q, &env, &spawn);
    code = em_capture(&spawn, NULL, 0, ANSWER_MAX, until, &out, &stderr_text, &status, err);
    if (code == 0) {
        read_answer(q, &out, &stderr_text, status, errs);
    } else if (code == EM_EXIT_SYSTEM || code > EM_EXIT_NOT_FOUND) {
        return code; /* no fork, no memory; stopped by a signal */
    } else if (code == EM_EXIT_UNREACHABLE) {
        too_slow(q, &out, errs);
    } else {
        struct em_err *added = em_errs_add(errs, EM_EXIT_REQUIREMENT, "module: %s (%s)",
                                           em_str_c(&err->text), q->where);

        em_hint(added, "%s", em_str_c(&err->hint));
    }
    em_err_free(err);
    return 0;
}

int em_require_python(const struct em_config *config, const struct em_list *service,
                      bool build_time, em_time until, struct em_errs *errs, struct em_err *err)
{
    const struct em_items *modules = &config->require_module, *imports = &config->require_import,
                          *manifests = &config->require_manifest;
    struct questions all = {0};
    struct sorting sorting = {config, service, &all, errs};
    int code = 0;

    for (size_t i = 0; i < modules->n; i++)
        add_line(&sorting, false, modules->v[i], modules->where[i]);
    for (size_t i = 0; i < imports->n; i++)
        add_line(&sorting, true, imports->v[i], imports->where[i]);
    for (size_t i = 0; i < manifests->n; i++)
        add_manifest(&sorting, manifests->v[i], manifests->where[i]);
    for (size_t i = 0; i < all.n && code == 0; i++) {
        all.v[i].build_time = build_time;
        code = ask(&all.v[i], until, errs, err);
    }
    free_questions(&all);
    return code;
}
