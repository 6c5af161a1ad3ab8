#include "questions.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/python/distribution.h"
#include "embark/core/languages/python/pep440.h"
#include "embark/core/languages/python/requirements_txt.h"
#include "embark/core/languages/reply/imports.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/loop.h"
#include "embark/stages/require/interpreter/script.h"
#include "stages/require/python/inventory.py.h"

enum { MANIFEST_MAX = 4 * 1024 * 1024, INCLUDE_DEPTH = 10, NAMES_SAID = 8 };

/* ---- Questions ------------------------------------------------------------------------------- */

void em_python_questions_add_version(struct em_python_questions *ask,
                                     const struct em_module *module, const char *where)
{
    em_list_add(&ask->modules, module->name);
    em_list_add(&ask->allowed, module->allowed);
    em_list_add(&ask->module_wheres, where);
}

void em_python_questions_add_import(struct em_python_questions *ask, const char *name,
                                    const char *where)
{
    if (em_list_has(&ask->imports, name))
        return;
    em_list_add(&ask->imports, name);
    em_list_add(&ask->import_wheres, where);
}

struct including {
    struct em_python_manifest *manifest;
    struct em_errs *errs;
    bool constraint;
    int depth;
};

static void read_requirements(const struct including *in, const char *file, const char *from);

/* The path of a file that is named in another one. */
static void beside(const char *file, const char *name, struct em_str *out)
{
    const char *slash = strrchr(file, '/');

    if (name[0] != '/' && slash)
        em_str_add(out, file, (size_t)(slash - file + 1));
    em_str_puts(out, name);
}

static void include(const struct including *in, const char *file,
                    const struct em_requirements_line *line)
{
    struct including inner = *in;
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO from = EM_STR_INIT;

    em_str_printf(&from, "%s:%zu", file, line->number);
    if (strstr(line->text, "://")) {
        EM_STR_AUTO said = EM_STR_INIT;

        em_str_printf(&said, "%s (%s)", line->text, em_str_c(&from));
        em_list_add(&in->manifest->doubts, em_str_c(&said));
        return;
    }
    inner.depth++;
    inner.constraint = in->constraint || line->kind == EM_CONSTRAINT_FILE;
    beside(file, line->text, &path);
    read_requirements(&inner, em_str_c(&path), em_str_c(&from));
}

static void take_line(const struct including *in, const char *file,
                      const struct em_requirements_line *line)
{
    struct em_pip_needs *needs = &in->manifest->needs;
    EM_STR_AUTO place = EM_STR_INIT;

    em_str_printf(&place, "%s:%zu", file, line->number);
    if (line->kind == EM_REQUIREMENT_FILE || line->kind == EM_CONSTRAINT_FILE) {
        include(in, file, line);
    } else if (line->kind == EM_REQUIREMENT_PLACE) {
        EM_STR_AUTO said = EM_STR_INIT;

        em_str_printf(&said, "%s (%s)", line->text, em_str_c(&place));
        em_list_add(&in->manifest->doubts, em_str_c(&said));
    } else {
        em_list_add(in->constraint ? &needs->constraints : &needs->texts, line->text);
        em_list_add(in->constraint ? &needs->constraint_places : &needs->places, em_str_c(&place));
    }
}

static void read_requirements(const struct including *in, const char *file, const char *from)
{
    struct em_requirements_lines lines;
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;

    if (in->depth > INCLUDE_DEPTH) {
        em_errs_add(in->errs, EM_EXIT_REQUIREMENT, "manifest %s: files include each other: %s (%s)",
                    in->manifest->file, from, in->manifest->where);
        return;
    }
    if (!em_file_read(file, MANIFEST_MAX, &text, &why)) {
        em_hint(em_errs_add(in->errs, EM_EXIT_REQUIREMENT, "manifest %s: %s (%s)", file,
                            em_str_c(&why), from ? from : in->manifest->where),
                "COPY it into the image; see that .dockerignore doesn't leave it out");
        return;
    }
    em_requirements_read(em_str_c(&text), text.len, &lines);
    for (size_t i = 0; i < lines.n; i++)
        take_line(in, file, &lines.v[i]);
    em_requirements_free(&lines);
}

/* False, with an error, if it can't be read: then nobody is asked for it. */
static bool readable(const char *file, const char *where, struct em_errs *errs)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;

    if (em_file_read(file, MANIFEST_MAX, &text, &why))
        return true;
    em_hint(
        em_errs_add(errs, EM_EXIT_REQUIREMENT, "manifest %s: %s (%s)", file, em_str_c(&why), where),
        "COPY it into the image; see that .dockerignore doesn't leave it out");
    return false;
}

void em_python_questions_add_manifest(struct em_python_questions *ask,
                                      const struct em_manifest *manifest, const char *where,
                                      struct em_errs *errs)
{
    bool toml = manifest->kind == EM_MANIFEST_PYPROJECT;
    struct including in = {.errs = errs};

    if (toml && !readable(manifest->file, where, errs))
        return;
    ask->manifests = em_realloc(ask->manifests, ask->manifest_count + 1, sizeof(*ask->manifests));
    in.manifest = &ask->manifests[ask->manifest_count++];
    *in.manifest = (struct em_python_manifest){.file = em_strdup(manifest->file),
                                               .extras = em_strdup(manifest->extras),
                                               .where = em_strdup(where),
                                               .toml = toml};
    if (!toml)
        read_requirements(&in, manifest->file, NULL);
}

void em_python_questions_free(struct em_python_questions *ask)
{
    for (size_t i = 0; i < ask->manifest_count; i++) {
        free(ask->manifests[i].file);
        free(ask->manifests[i].extras);
        free(ask->manifests[i].where);
        em_pip_needs_free(&ask->manifests[i].needs);
        em_list_free(&ask->manifests[i].doubts);
    }
    free(ask->manifests);
    em_list_free(&ask->modules);
    em_list_free(&ask->allowed);
    em_list_free(&ask->module_wheres);
    em_list_free(&ask->imports);
    em_list_free(&ask->import_wheres);
    *ask = (struct em_python_questions){0};
}

static void task(struct em_list *argv, const char *word, const char *value)
{
    EM_STR_AUTO text = EM_STR_INIT;

    em_str_printf(&text, "%s %s", word, value);
    if (!em_list_has(argv, em_str_c(&text)))
        em_list_add(argv, em_str_c(&text));
}

/* What an extra brings is in the metadata of the distribution that has it. */
static void task_requires(struct em_list *argv, const struct em_pip_needs *needs)
{
    for (size_t i = 0; i < needs->texts.n; i++) {
        struct em_requirement r;
        EM_ERR_AUTO err = EM_ERR_INIT;

        if (em_requirement_read(needs->texts.v[i], &r, &err) == 0 && r.extras.n)
            task(argv, "requires", r.key);
        em_requirement_free(&r);
    }
}

void em_python_questions_words(const struct em_python_questions *ask, struct em_list *argv)
{
    if (!ask->modules.n && !ask->imports.n && !ask->manifest_count)
        return;
    em_list_add(argv, "+");
    em_list_take(argv, EM_SCRIPT(inventory_py));
    for (size_t i = 0; i < ask->modules.n; i++)
        task(argv, "provides", ask->modules.v[i]);
    if (ask->manifest_count) {
        em_list_add(argv, "installed");
        em_list_add(argv, "markers");
    }
    for (size_t i = 0; i < ask->manifest_count; i++) {
        EM_STR_AUTO value = EM_STR_INIT;

        task_requires(argv, &ask->manifests[i].needs);
        em_str_printf(&value, "%s %s", ask->manifests[i].extras, ask->manifests[i].file);
        if (ask->manifests[i].toml)
            task(argv, "toml", em_str_c(&value));
    }
    for (size_t i = 0; i < ask->imports.n; i++)
        task(argv, "import", ask->imports.v[i]);
}

/* ---- Answers --------------------------------------------------------------------------------- */

struct judging {
    const char *python;
    const struct em_python_lookup *answer;
    struct em_python_inventory more;
    struct em_errs *errs;
};

static bool found(const struct judging *j, const char *name)
{
    const struct em_python_name *n = em_python_lookup_of(j->answer, name);

    return n && n->found;
}

static void judge_version(const struct judging *j, const char *module, const char *allowed,
                          const char *where)
{
    const struct em_python_dist *dist = em_python_provider_of(&j->more, module);
    enum em_tristate result;

    if (!found(j, module))
        return;
    result = dist ? em_pep440_allows(allowed, dist->version) : EM_UNKNOWN;
    if (result == EM_UNKNOWN) {
        em_log(EM_LOG_WARN, "require",
               "module %s: found, but no metadata of an installed distribution tells its version, "
               "so %s is not judged (%s)",
               module, allowed, where);
    } else if (result == EM_NO) {
        em_hint(em_errs_add(j->errs, EM_EXIT_REQUIREMENT,
                            "module %s: %s is needed, %s %s is installed for %s: %s (%s)", module,
                            allowed, dist->name, dist->version, j->python, dist->at, where),
                "%s -m pip install '%s%s', in the image that runs", j->python, dist->name, allowed);
    } else {
        em_log(EM_LOG_DEBUG, "require", "module %s: %s %s", module, dist->name, dist->version);
    }
}

static void say_doubts(const char *file, const struct em_list *doubts)
{
    EM_STR_AUTO names = EM_STR_INIT;

    if (!doubts->n)
        return;
    em_manifest_names(doubts, NAMES_SAID, &names);
    em_log(EM_LOG_WARN, "require", "manifest %s: not judged: %s", file, em_str_c(&names));
}

/* What the interpreter read of a pyproject.toml. */
static void take_toml(const struct judging *j, struct em_python_manifest *m)
{
    const struct em_python_needs *toml = em_python_toml_of(&j->more, m->file);

    if (!toml || toml->broken) {
        em_errs_add(j->errs, EM_EXIT_REQUIREMENT, "manifest %s: %s (%s)", m->file,
                    toml ? toml->broken : "no answer", m->where);
        return;
    }
    for (size_t i = 0; i < toml->lines.n; i++) {
        em_list_add(&m->needs.texts, toml->lines.v[i]);
        em_list_add(&m->needs.places, m->file);
    }
    for (size_t i = 0; i < toml->doubts.n; i++)
        em_list_add(&m->doubts, toml->doubts.v[i]);
    for (size_t i = 0; i < toml->extras.n; i++)
        em_errs_add(j->errs, EM_EXIT_REQUIREMENT, "manifest %s: it has no extra called %s (%s)",
                    m->file, toml->extras.v[i], m->where);
    for (size_t i = 0; i < toml->pythons.n && j->answer->version; i++)
        if (em_pep440_allows(toml->pythons.v[i], j->answer->version) == EM_NO)
            em_hint(em_errs_add(j->errs, EM_EXIT_REQUIREMENT,
                                "manifest %s: Python %s is needed, %s is Python %s (%s)", m->file,
                                toml->pythons.v[i], j->python, j->answer->version, m->where),
                    "see which base image the last stage of the Dockerfile has");
}

static void judge_manifest(const struct judging *j, struct em_python_manifest *m)
{
    struct em_pip_context context = {
        .manifest = m->file, .where = m->where, .python = j->python, .version = j->answer->version};

    if (m->toml)
        take_toml(j, m);
    em_pip_check(&j->more, &m->needs, &context, j->errs, &m->doubts);
    say_doubts(m->file, &m->doubts);
}

static void judge_imports(const struct em_python_questions *ask, const struct judging *j,
                          const struct em_str *bytes, int status)
{
    struct em_imports imports;
    EM_STR_AUTO ended = EM_STR_INIT;

    em_imports_read(&imports, em_str_c(bytes), bytes->len);
    em_child_explain(status, &ended);
    for (size_t i = 0; i < ask->imports.n; i++) {
        const char *name = ask->imports.v[i];
        EM_STR_AUTO try = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;

        em_str_printf(&try, "%s -c 'import %s'", j->python, name);
        if (!found(j, name) ||
            em_import_check(&imports, name, j->python, em_str_c(&ended), em_str_c(&try), &err))
            continue;
        em_str_printf(&err.text, " (%s)", ask->import_wheres.v[i]);
        em_errs_take(j->errs, &err);
    }
    em_imports_free(&imports);
}

void em_python_questions_check(struct em_python_questions *ask, const char *python,
                               const struct em_python_lookup *answer, const struct em_str *bytes,
                               int status, struct em_errs *errs)
{
    struct judging j = {.python = python, .answer = answer, .errs = errs};

    em_python_inventory_read(&j.more, em_str_c(bytes), bytes->len);
    for (size_t i = 0; i < ask->modules.n; i++)
        judge_version(&j, ask->modules.v[i], ask->allowed.v[i], ask->module_wheres.v[i]);
    judge_imports(ask, &j, bytes, status);
    for (size_t i = 0; i < ask->manifest_count; i++)
        judge_manifest(&j, &ask->manifests[i]);
    em_python_inventory_free(&j.more);
}

/* Whether one of the requirements may bring it; one that isn't understood may. */
static bool lists(const struct em_list *requirements, const char *module)
{
    bool found = false;

    for (size_t i = 0; i < requirements->n && !found; i++) {
        struct em_requirement r;
        EM_ERR_AUTO err = EM_ERR_INIT;

        found = em_requirement_read(requirements->v[i], &r, &err) != 0 ||
                em_python_may_bring(r.key, module);
        em_requirement_free(&r);
    }
    return found;
}

void em_python_ask_unlisted(const struct em_python_questions *ask, const struct em_str *bytes,
                            const char *module, struct em_str *manifests)
{
    struct em_python_inventory more;

    em_python_inventory_read(&more, em_str_c(bytes), bytes->len);
    for (size_t i = 0; i < ask->manifest_count; i++) {
        const struct em_python_manifest *m = &ask->manifests[i];
        const struct em_python_needs *toml = m->toml ? em_python_toml_of(&more, m->file) : NULL;
        bool whole = m->toml ? toml && !toml->broken && !toml->doubts.n : !m->doubts.n;

        if (!whole || lists(toml ? &toml->lines : &m->needs.texts, module)) {
            em_str_cut(manifests, 0);
            break;
        }
        em_str_printf(manifests, "%s%s", i ? ", " : "", m->file);
    }
    em_python_inventory_free(&more);
}

bool em_python_questions_hanging(const struct em_str *bytes, struct em_str *name)
{
    struct em_imports imports;
    const struct em_import *hanging;
    bool result;

    em_imports_read(&imports, em_str_c(bytes), bytes->len);
    hanging = em_imports_hanging(&imports);
    result = hanging != NULL;
    if (hanging)
        em_str_puts(name, hanging->name);
    em_imports_free(&imports);
    return result;
}
