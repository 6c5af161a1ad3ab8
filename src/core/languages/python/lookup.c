#include "embark/core/languages/python/lookup.h"

#include <stddef.h>
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

struct field {
    const char *key;
    size_t offset;
};

/* Facts about one name that are a text each. */
#define NAME_FIELD(key, member)                      \
    {                                                \
        key, offsetof(struct em_python_name, member) \
    }
static const struct field name_fields[] = {
    NAME_FIELD("origin", origin),
    NAME_FIELD("part", part),
    NAME_FIELD("file", file),
    NAME_FIELD("package", package),
    NAME_FIELD("hidden", hidden),
    NAME_FIELD("built", built),
    NAME_FIELD("near", near),
    NAME_FIELD("error", error),
    NAME_FIELD("metadata", metadata),
    NAME_FIELD("doubt", doubt),
    NAME_FIELD("brings", brings),
    NAME_FIELD("distribution", distribution),
    NAME_FIELD("env", env),
    NAME_FIELD("env-version", env_version),
    NAME_FIELD("env-python", env_python),
    NAME_FIELD("editable", editable),
    NAME_FIELD("source", source),
    NAME_FIELD("source-by", source_by),
};
#define OTHER_FIELD(key, member)                      \
    {                                                 \
        key, offsetof(struct em_python_other, member) \
    }
static const struct field other_fields[] = {
    OTHER_FIELD("other", folder),        OTHER_FIELD("other-version", version),
    OTHER_FIELD("other-python", python), OTHER_FIELD("other-link", link),
    OTHER_FIELD("other-real", real),     OTHER_FIELD("other-gone", gone),
};
enum {
    NAME_FIELDS = sizeof(name_fields) / sizeof(name_fields[0]),
    OTHER_FIELDS = sizeof(other_fields) / sizeof(other_fields[0])
};

static char **field_at(void *of, const struct field *field)
{
    return (char **)(void *)((char *)of + field->offset);
}

static char **field_of(void *of, const struct field *fields, size_t n, const char *key)
{
    for (size_t i = 0; of && i < n; i++)
        if (strcmp(fields[i].key, key) == 0)
            return field_at(of, &fields[i]);
    return NULL;
}

static void free_fields(void *of, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(*field_at(of, &fields[i]));
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

static struct em_python_other *last_other(struct em_python_name *n, const char *key)
{
    if (strcmp(key, "other") == 0) {
        n->others = em_realloc(n->others, n->other_count + 1, sizeof(*n->others));
        n->others[n->other_count++] = (struct em_python_other){0};
    }
    return n->other_count ? &n->others[n->other_count - 1] : NULL;
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
    else if (strcmp(key, "source-there") == 0 && n)
        n->source_there = true;
    else if (strcmp(key, "found") == 0 || strcmp(key, "missing") == 0)
        start_name(answer, key[0] == 'f', value);
    else if (list)
        em_list_add(list, value);
    else if (n && em_starts(key, "other"))
        field = field_of(last_other(n, key), other_fields, OTHER_FIELDS, key);
    else if (n)
        field = field_of(n, name_fields, NAME_FIELDS, key);
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
    free(n->name);
    free_fields(n, name_fields, NAME_FIELDS);
    for (size_t i = 0; i < n->other_count; i++)
        free_fields(&n->others[i], other_fields, OTHER_FIELDS);
    free(n->others);
    em_list_free(&n->folders);
    em_list_free(&n->libraries);
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

/* "3.11" of "3.11.2". */
static bool same_version(const char *full, const char *minor)
{
    size_t n = strlen(minor);

    return full && strncmp(full, minor, n) == 0 && (full[n] == '.' || full[n] == '\0');
}

/* How much of 3.11.2 is 3.11. */
static size_t minor_length(const char *version)
{
    const char *dot = strchr(version, '.');

    return dot ? (size_t)(dot - version) + 1 + strcspn(dot + 1, ".") : strlen(version);
}

static void say_editable(const struct em_python_name *n, struct em_str *out)
{
    if (!n->source)
        return;
    if (n->editable && n->editable[0])
        em_str_printf(out, "; %s is installed as editable", n->editable);
    else
        em_str_puts(out, "; an editable install has its code elsewhere");
    em_str_printf(out, ": %s leads to %s, which %s", n->source_by ? n->source_by : "its metadata",
                  n->source, n->source_there ? "has no such module" : "does not exist");
}

static void say_environment(const struct em_python_answer *answer, const struct em_python_name *n,
                            struct em_str *out)
{
    if (n->env)
        em_str_printf(out,
                      "; the environment %s was made by Python %s, and its interpreter is now "
                      "Python %s (%s)",
                      n->env, n->env_version ? n->env_version : "?",
                      answer->version ? answer->version : "?", n->env_python ? n->env_python : "?");
}

/* Which interpreter looks into that folder, or why none does. */
static void say_other(const struct em_python_answer *answer, const struct em_python_name *n,
                      const struct em_python_other *o, struct em_str *out)
{
    const char *version = o->version && o->version[0] ? o->version : NULL;
    const char *link = o->link ? o->link : "its interpreter";

    if (o->python)
        em_str_printf(out, "; it is installed for another interpreter: %s (Python %s, %s)",
                      o->folder, version ? version : "?", o->python);
    else
        em_str_printf(out, "; it is installed in %s", o->folder);
    if (o->python || n->env)
        return;
    if (o->gone)
        em_str_printf(out, ", but %s is a link to %s, which does not exist", link, o->gone);
    else if (o->real)
        em_str_printf(out, ", for Python %s, but %s is Python %s", version ? version : "?", link,
                      o->real);
    else if (version && !same_version(answer->version, version))
        em_str_printf(out, ", for Python %s, and no Python %s is in this image", version, version);
    else
        em_str_puts(out, ", where no interpreter looks");
}

static void say_causes(const struct em_python_answer *answer, const struct em_python_name *n,
                       struct em_str *out)
{
    say_environment(answer, n, out);
    say_editable(n, out);
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
    for (size_t i = 0; i < n->other_count; i++)
        say_other(answer, n, &n->others[i], out);
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

static void hint_two_versions(const char *made, const char *now, struct em_err *err)
{
    em_hint(err,
            "builder and runtime differ in their version of Python: take %.*s or %.*s in all "
            "stages of the Dockerfile, and build again",
            (int)minor_length(made), made, (int)minor_length(now), now);
}

static void hint_other(const struct em_python_answer *answer, const struct em_python_name *n,
                       const char *python, struct em_err *err)
{
    const struct em_python_other *o = &n->others[0];
    const char *now = o->real ? o->real : answer->version;

    for (size_t i = 0; i < n->other_count && !o->python; i++)
        if (n->others[i].python)
            o = &n->others[i];
    if (o->python)
        em_hint(err,
                "let the service run in %s (its folder first in PATH), or install it for %s: %s -m "
                "pip install …",
                o->python, python, python);
    else if (o->gone)
        em_hint(err,
                "the environment's own interpreter is not in this image: COPY it to where the link "
                "leads, or make the environment in the base image in which it runs");
    else if (o->version && strchr(o->version, '.') && now && !same_version(now, o->version))
        hint_two_versions(o->version, now, err);
    else
        em_hint(err, "the folder is not in this interpreter's path: COPY the packages to where it "
                     "looks, or set PYTHONPATH");
}

static void hint_editable(const struct em_python_name *n, struct em_err *err)
{
    em_hint(err,
            "COPY the source to %s in the image that runs too, or install it there as a copy: uv "
            "sync --no-editable, pip install . (without -e), a wheel of poetry build",
            n->source);
}

static void hint(const struct em_python_answer *answer, const struct em_python_name *n,
                 const char *python, struct em_err *err)
{
    if (n->env && n->env_version && answer->version)
        hint_two_versions(n->env_version, answer->version, err);
    else if (n->source)
        hint_editable(n, err);
    else if (n->hidden)
        em_hint(err, "rename what hides it, or start the service from another folder");
    else if (n->other_count)
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
    say_causes(answer, name, &why);
    say_path(answer, &why);
    em_fail(err, EM_EXIT_REQUIREMENT, "module %s: not found by %s (Python %s)%s", name->name,
            python, answer->version ? answer->version : "?", em_str_c(&why));
    hint(answer, name, python, err);
    return err->code;
}
