/* The sentences that are made of an answer (lookup.h). */
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/python/lookup.h"

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

static void say_environment(const struct em_python_lookup *answer, const struct em_python_name *n,
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
static void say_other(const struct em_python_lookup *answer, const struct em_python_name *n,
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

static void say_causes(const struct em_python_lookup *answer, const struct em_python_name *n,
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

static void say_unlisted(const char *manifests, struct em_str *out)
{
    if (manifests)
        em_str_printf(out, "; no requirement of that name is in %s", manifests);
}

static void say_path(const struct em_python_lookup *answer, struct em_str *out)
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

static void hint_other(const struct em_python_lookup *answer, const struct em_python_name *n,
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

static void hint(const struct em_python_lookup *answer, const struct em_python_name *n,
                 const char *python, const char *unlisted, struct em_err *err)
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
    else if (unlisted)
        em_hint(err,
                "add it to %s, or what brings it, and build the image again; if it is the "
                "service's own code, COPY it",
                unlisted);
    else
        em_hint(err,
                "install it in the image that runs (%s -m pip install …); if it is in the "
                "Dockerfile, the image is stale, or a "
                "stage copies the wrong folder",
                python);
}

int em_python_lookup_explain(const struct em_python_lookup *answer,
                             const struct em_python_name *name, const char *python,
                             const char *unlisted, struct em_err *err)
{
    EM_STR_AUTO why = EM_STR_INIT;

    say_instead(name, &why);
    say_causes(answer, name, &why);
    say_unlisted(unlisted, &why);
    say_path(answer, &why);
    em_fail(err, EM_EXIT_REQUIREMENT, "module %s: not found by %s (Python %s)%s", name->name,
            python, answer->version ? answer->version : "?", em_str_c(&why));
    hint(answer, name, python, unlisted, err);
    return err->code;
}
