#include "embark/core/python_answer.h"

#include <stdlib.h>
#include <string.h>

static const char marker[] = "@embark ";

static char *unescaped(const char *bytes, size_t length)
{
    struct em_str text = EM_STR_INIT;

    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];

        if (c == '\\' && i + 1 < length) {
            c = bytes[++i];
            c = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c);
        }
        if (c != '\0')
            em_str_putc(&text, c);
    }
    return em_str_take(&text);
}

static void keep(char **field, char *value)
{
    free(*field);
    *field = value;
}

/* Facts about one name that are a text each. */
static char **field_of(struct em_python_name *n, const char *key)
{
    const struct {
        const char *key;
        char **field;
    } fields[] = {
        {"origin", &n->origin},   {"part", &n->part},     {"file", &n->file},
        {"package", &n->package}, {"hidden", &n->hidden}, {"built", &n->built},
        {"near", &n->near},       {"error", &n->error},   {"metadata", &n->metadata},
        {"doubt", &n->doubt},     {"brings", &n->brings}, {"distribution", &n->distribution},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strcmp(fields[i].key, key) == 0)
            return fields[i].field;
    return NULL;
}

static struct em_list *list_of(struct em_python_answer *answer, struct em_python_name *n,
                               const char *key)
{
    if (strcmp(key, "path") == 0)
        return &answer->path;
    if (strcmp(key, "gone") == 0)
        return &answer->gone;
    if (!n)
        return NULL;
    if (strcmp(key, "folder") == 0)
        return &n->folders;
    return strcmp(key, "library") == 0 ? &n->libraries : NULL;
}

/* The three lists of other interpreters stay of one length whatever the lines' order is. */
static bool take_other(struct em_python_name *n, const char *key, const char *value)
{
    struct em_list *list;
    size_t last = n->others.n - 1;

    if (strcmp(key, "other") == 0) {
        em_list_add(&n->others, value);
        em_list_add(&n->other_versions, "");
        em_list_add(&n->other_pythons, "");
        return true;
    }
    if (strcmp(key, "other-version") == 0)
        list = &n->other_versions;
    else if (strcmp(key, "other-python") == 0)
        list = &n->other_pythons;
    else
        return false;
    if (n->others.n)
        keep(&list->v[last], em_strdup(value));
    return true;
}

static void start_name(struct em_python_answer *answer, bool found, const char *name)
{
    answer->names = em_realloc(answer->names, answer->count + 1, sizeof(*answer->names));
    answer->names[answer->count++] =
        (struct em_python_name){.name = em_strdup(name), .found = found};
}

static void take_line(struct em_python_answer *answer, const char *key, char *value)
{
    struct em_python_name *n = answer->count ? &answer->names[answer->count - 1] : NULL;
    struct em_list *list = list_of(answer, n, key);
    char **field = NULL;

    if (strcmp(key, "version") == 0)
        field = &answer->version;
    else if (strcmp(key, "executable") == 0)
        field = &answer->executable;
    else if (strcmp(key, "end") == 0)
        answer->complete = true;
    else if (strcmp(key, "hollow") == 0 && n)
        n->hollow = true;
    else if (strcmp(key, "found") == 0 || strcmp(key, "missing") == 0)
        start_name(answer, key[0] == 'f', value);
    else if (list)
        em_list_add(list, value);
    else if (n && !take_other(n, key, value))
        field = field_of(n, key);
    if (field)
        keep(field, em_strdup(value));
}

bool em_python_answer_next(const char **bytes, const char *end, char **name, char **value)
{
    while (*bytes < end) {
        const char *line = *bytes, *key = line + sizeof(marker) - 1, *space;
        const char *eol = memchr(line, '\n', (size_t)(end - line));

        if (!eol)
            return false; /* cut off: what it said is not known */
        *bytes = eol + 1;
        if ((size_t)(eol - line) < sizeof(marker) || memcmp(line, marker, sizeof(marker) - 1) != 0)
            continue;
        space = memchr(key, ' ', (size_t)(eol - key));
        if (!space)
            continue;
        *name = em_strndup(key, (size_t)(space - key));
        *value = unescaped(space + 1, (size_t)(eol - space - 1));
        return true;
    }
    return false;
}

void em_python_answer_read(struct em_python_answer *answer, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    char *name, *value;

    *answer = (struct em_python_answer){0};
    while (em_python_answer_next(&bytes, end, &name, &value)) {
        take_line(answer, name, value);
        free(name);
        free(value);
    }
}

static void free_name(struct em_python_name *n)
{
    char *fields[] = {n->name,   n->origin,   n->part,        n->file, n->package,
                      n->hidden, n->metadata, n->built,       n->near, n->error,
                      n->doubt,  n->brings,   n->distribution};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        free(fields[i]);
    em_list_free(&n->folders);
    em_list_free(&n->libraries);
    em_list_free(&n->others);
    em_list_free(&n->other_versions);
    em_list_free(&n->other_pythons);
}

void em_python_answer_free(struct em_python_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        free_name(&answer->names[i]);
    free(answer->names);
    free(answer->version);
    free(answer->executable);
    em_list_free(&answer->path);
    em_list_free(&answer->gone);
    *answer = (struct em_python_answer){0};
}

const struct em_python_name *em_python_answer_of(const struct em_python_answer *answer,
                                                 const char *name)
{
    for (size_t i = 0; i < answer->count; i++)
        if (strcmp(answer->names[i].name, name) == 0)
            return &answer->names[i];
    return NULL;
}

/* ---- Sentences
 * -------------------------------------------------------------------------------------------------------
 */

static void join(struct em_str *out, const struct em_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", list->v[i]);
}

/* What was found, but isn't enough: "alembic" where part is alembic.config; the whole name where it
 * is hollow. */
static void say_subject(const struct em_python_name *n, struct em_str *out)
{
    const char *part = n->part ? n->part : n->name, *dot = strrchr(part, '.');

    em_str_add(out, part, dot && !n->hollow ? (size_t)(dot - part) : strlen(part));
}

/* The folder ./alembic of migrations: what makes `import alembic` work without alembic. */
static void say_folder(const struct em_python_name *n, const char *subject, struct em_str *out)
{
    bool several = n->folders.n > 1;

    em_str_puts(out, several ? "the folders " : "the folder ");
    join(out, &n->folders);
    em_str_printf(out,
                  " ha%s that name but no __init__.py, so Python takes %s for a namespace package: "
                  "\"import %s\" works, ",
                  several ? "ve" : "s", several ? "them" : "it", subject);
    if (n->hollow)
        em_str_puts(out, "but brings nothing");
    else
        em_str_printf(out, "\"import %s\" does not", n->part ? n->part : n->name);
}

static void say_instead(const struct em_python_name *n, struct em_str *out)
{
    EM_STR_AUTO subject = EM_STR_INIT;
    const char *missing = n->part ? n->part : n->name;

    say_subject(n, &subject);
    if (n->libraries.n) {
        em_str_printf(out, ": %s is a namespace package (", em_str_c(&subject));
        join(out, &n->libraries);
        em_str_puts(out, n->folders.n ? ", " : "");
        join(out, &n->folders);
        em_str_puts(out, n->hollow ? "), folders without code of their own" : "), which has no ");
        em_str_puts(out, n->hollow ? "" : missing);
    } else if (n->folders.n) {
        em_str_puts(out, ": ");
        say_folder(n, em_str_c(&subject), out);
    } else if (n->file) {
        em_str_printf(out, ": %s is the file %s, not a package", em_str_c(&subject), n->file);
    } else if (n->package) {
        em_str_printf(out, ": the package %s has no %s", n->package, missing);
    } else if (strcmp(missing, n->name) != 0) {
        em_str_printf(out, ": there is no %s", missing);
    }
    if (n->hidden)
        em_str_printf(out, "; it hides %s", n->hidden);
}

static void say_causes(const struct em_python_name *n, struct em_str *out)
{
    if (n->metadata)
        em_str_printf(out, "; its metadata is there (%s), its files are not", n->metadata);
    if (n->brings)
        em_str_printf(out, "; the distribution %s is installed, and brings %s",
                      n->distribution ? n->distribution : "of that name", n->brings);
    if (n->built)
        em_str_printf(out, "; %s is there, built for another Python, C library or machine",
                      n->built);
    if (n->error)
        em_str_printf(out, "; the look-up failed: %s", n->error);
    if (n->doubt)
        em_str_printf(out, "; looking for the reason failed: %s", n->doubt);
    for (size_t i = 0; i < n->others.n; i++) {
        em_str_puts(out, i ? ", " : "; it is installed for another interpreter: ");
        em_str_puts(out, n->others.v[i]);
        if (n->other_versions.v[i][0])
            em_str_printf(out, " (Python %s%s%s)", n->other_versions.v[i],
                          n->other_pythons.v[i][0] ? ", " : "", n->other_pythons.v[i]);
    }
}

static void say_path(const struct em_python_answer *answer, struct em_str *out)
{
    if (answer->path.n == 0 && answer->gone.n == 0)
        return;
    em_str_puts(out, "; looked in ");
    join(out, &answer->path);
    if (answer->path.n)
        em_str_puts(out, " and ");
    em_str_puts(out, "the standard library");
    if (answer->gone.n) {
        em_str_puts(out, ", not in ");
        join(out, &answer->gone);
        em_str_puts(out, answer->gone.n == 1 ? ", which does not exist" : ", which do not exist");
    }
}

/* "3.11" of "3.11.2". */
static bool same_version(const char *full, const char *minor)
{
    size_t n = strlen(minor);

    return full && strncmp(full, minor, n) == 0 && (full[n] == '.' || full[n] == '\0');
}

static void hint_other(const struct em_python_answer *answer, const struct em_python_name *n,
                       const char *python, struct em_err *err)
{
    if (n->other_pythons.v[0][0])
        em_hint(err,
                "let the service run in %s (its folder first in PATH), or install it for %s: %s -m "
                "pip install …",
                n->other_pythons.v[0], python, python);
    else if (n->other_versions.v[0][0] && !same_version(answer->version, n->other_versions.v[0]))
        em_hint(err,
                "the packages were installed by Python %s and this is %s: use the same Python in "
                "all stages of the Dockerfile",
                n->other_versions.v[0], answer->version);
    else
        em_hint(err, "the folder is not in this interpreter's path: COPY the packages to where it "
                     "looks, or set PYTHONPATH");
}

static void hint(const struct em_python_answer *answer, const struct em_python_name *n,
                 const char *python, struct em_err *err)
{
    if (n->hidden)
        em_hint(err, "rename what hides it, or start the service from another folder");
    else if (n->others.n)
        hint_other(answer, n, python, err);
    else if (n->hollow && n->libraries.n)
        em_hint(err, "name a module in it, such as %s.NAME", n->name);
    else if (n->brings)
        em_hint(err, "give the name that is imported: module = python: %s", n->brings);
    else if (n->near)
        em_hint(err, "did you mean %s?", n->near);
    else if (n->built)
        em_hint(err,
                "install the packages with the Python and in the base image in which they run");
    else if (n->metadata)
        em_hint(err, "the packages were copied in part: copy the whole site-packages folder, or "
                     "install again");
    else if (n->package)
        em_hint(
            err,
            "another version than the one that the service was written for? See: %s -m pip list",
            python);
    else
        em_hint(err,
                "install it in the image that runs (%s -m pip install …); if it is in the "
                "Dockerfile, the image is stale, or a "
                "stage copies the wrong folder",
                python);
}

int em_python_answer_say(const struct em_python_answer *answer, const struct em_python_name *name,
                         const char *python, struct em_err *err)
{
    EM_STR_AUTO why = EM_STR_INIT;

    say_instead(name, &why);
    say_causes(name, &why);
    say_path(answer, &why);
    em_fail(err, EM_EXIT_REQUIREMENT, "module %s: not found by %s (Python %s)%s", name->name,
            python, answer->version ? answer->version : "?", em_str_c(&why));
    hint(answer, name, python, err);
    return err->code;
}
