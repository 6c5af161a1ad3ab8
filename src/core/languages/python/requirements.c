#include "embark/core/languages/python/requirements.h"

#include <string.h>

#include "embark/core/base/nearest.h"
#include "embark/core/languages/python/marker.h"
#include "embark/core/languages/python/pep440.h"

enum { DEPTH_MAX = 8 };

void em_pip_needs_free(struct em_pip_needs *needs)
{
    em_list_free(&needs->texts);
    em_list_free(&needs->places);
    em_list_free(&needs->constraints);
    em_list_free(&needs->constraint_places);
}

struct check {
    const struct em_python_inventory *more;
    const struct em_pip_context *context;
    struct em_errs *errs;
    struct em_list *doubts;
    struct em_list missing; /* texts of those that are not installed */
    struct em_list missing_at;
    size_t installed;
};

static void look(struct check *c, const char *text, const char *at, const char *extra, int depth);

static void doubt(struct check *c, const char *text, const char *at, const char *why)
{
    struct em_str said = EM_STR_INIT;

    em_str_printf(&said, "%s (%s%s%s)", text, at, *at && *why ? ": " : "", why);
    if (em_list_has(c->doubts, em_str_c(&said)))
        em_str_free(&said);
    else
        em_list_take(c->doubts, em_str_take(&said));
}

/* The extras of an installed distribution: those of its requirements that hold with the extra and
 * not without. */
static void look_at_extras(struct check *c, const struct em_requirement *r, const char *at,
                           int depth)
{
    const struct em_python_needs *needs = em_python_needs_of(c->more, r->key);
    EM_STR_AUTO place = EM_STR_INIT;

    if (r->extras.n == 0)
        return;
    if (!needs || depth == DEPTH_MAX) {
        doubt(c, r->name, at, "its extras");
        return;
    }
    for (size_t i = 0; i < r->extras.n; i++) {
        em_str_cut(&place, 0);
        em_str_printf(&place, "%s, for %s[%s]", at, r->name, r->extras.v[i]);
        for (size_t k = 0; k < needs->lines.n; k++)
            look(c, needs->lines.v[k], depth ? at : em_str_c(&place), r->extras.v[i], depth + 1);
    }
}

static void wrong_version(struct check *c, const struct em_requirement *r, const char *at,
                          const struct em_python_dist *dist)
{
    const struct em_pip_context *x = c->context;
    struct em_err *err = em_errs_add(
        c->errs, EM_EXIT_REQUIREMENT, "manifest %s: %s%s is needed (%s), %s is installed: %s (%s)",
        x->manifest, r->name, r->spec, at, dist->version, dist->at, x->where);

    em_hint(err,
            "install again by what the manifest says, after it is copied (%s -m pip install …); a "
            "cached layer of the "
            "image may be older than it",
            x->python);
}

static void look_at_installed(struct check *c, const struct em_requirement *r, const char *at,
                              const struct em_python_dist *dist)
{
    enum em_tristate allowed = em_pep440_allows(r->spec, dist->version);

    c->installed++;
    if (allowed == EM_NO)
        wrong_version(c, r, at, dist);
    else if (allowed == EM_UNKNOWN)
        doubt(c, r->name, at, "its version");
    else if (r->url)
        doubt(c, r->name, at, "whether it is the one of that address");
}

static void look_at(struct check *c, const struct em_requirement *r, const char *text,
                    const char *at, int depth)
{
    const struct em_python_dist *dist = em_python_dist_of(c->more, r->key);

    if (dist) {
        look_at_installed(c, r, at, dist);
        look_at_extras(c, r, at, depth);
        return;
    }
    em_list_add(&c->missing, depth ? r->name : text);
    em_list_add(&c->missing_at, at);
}

/* With an extra: only what it adds. */
static void look(struct check *c, const char *text, const char *at, const char *extra, int depth)
{
    struct em_marker_world with = em_python_marker_world(c->more, extra),
                           without = em_python_marker_world(c->more, "");
    struct em_requirement r;
    EM_ERR_AUTO err = EM_ERR_INIT;
    enum em_tristate holds = EM_YES;

    if (em_requirement_read(text, &r, &err) != 0) {
        doubt(c, text, at, em_str_c(&err.text));
    } else if (!*extra || (r.marker && em_marker_holds(r.marker, &without) == EM_NO)) {
        if (r.marker)
            holds = em_marker_holds(r.marker, &with);
        if (holds == EM_YES)
            look_at(c, &r, text, at, depth);
        else if (holds == EM_UNKNOWN)
            doubt(c, text, at, "its marker");
    }
    em_requirement_free(&r);
}

static void look_at_constraint(struct check *c, const char *text, const char *at)
{
    struct em_marker_world world = em_python_marker_world(c->more, "");
    struct em_requirement r;
    EM_ERR_AUTO err = EM_ERR_INIT;

    if (em_requirement_read(text, &r, &err) == 0 && !r.url &&
        (!r.marker || em_marker_holds(r.marker, &world) == EM_YES)) {
        const struct em_python_dist *dist = em_python_dist_of(c->more, r.key);

        if (dist && em_pep440_allows(r.spec, dist->version) == EM_NO)
            wrong_version(c, &r, at, dist);
    }
    em_requirement_free(&r);
}

/* ---- What is missing ------------------------------------------------------------------------- */

static void say_missing(struct check *c, size_t i)
{
    const struct em_pip_context *x = c->context;
    const char *text = c->missing.v[i];
    struct em_nearest near;
    EM_STR_AUTO name = EM_STR_INIT;
    struct em_err *err =
        em_errs_add(c->errs, EM_EXIT_REQUIREMENT,
                    "manifest %s: %s (%s) is not installed for %s (Python %s) (%s)", x->manifest,
                    text, c->missing_at.v[i], x->python, x->version ? x->version : "?", x->where);

    em_str_add(&name, text, strcspn(text, " \t[<>=!~;@("));
    em_nearest_start(&near, em_str_c(&name));
    for (size_t k = 0; k < c->more->dist_count; k++)
        em_nearest_try(&near, c->more->dists[k].name);
    if (near.found && near.distance == 1)
        em_hint(err, "%s is installed: is that the one?", near.found);
    else
        em_hint(err,
                "install it in the image that runs (%s -m pip install -r …); if the Dockerfile "
                "does, the image is "
                "stale, or a stage copies the wrong folder",
                x->python);
}

static void say_all_missing(struct check *c)
{
    const struct em_pip_context *x = c->context;
    EM_STR_AUTO names = EM_STR_INIT;
    struct em_err *err;

    for (size_t i = 0; i < c->missing.n; i++)
        em_str_printf(&names, "%s%s", i ? ", " : "", c->missing.v[i]);
    err = em_errs_add(c->errs, EM_EXIT_REQUIREMENT,
                      "manifest %s: nothing of it is installed for %s (Python %s): %s (%s)",
                      x->manifest, x->python, x->version ? x->version : "?", em_str_c(&names),
                      x->where);
    em_hint(err, "the packages were installed for another interpreter or venv, or in a stage from "
                 "which they are not "
                 "copied; see which python the service runs in");
}

void em_pip_check(const struct em_python_inventory *more, const struct em_pip_needs *needs,
                  const struct em_pip_context *context, struct em_errs *errs,
                  struct em_list *doubts)
{
    struct check c = {.more = more, .context = context, .errs = errs, .doubts = doubts};

    for (size_t i = 0; i < needs->texts.n; i++)
        look(&c, needs->texts.v[i], needs->places.v[i], "", 0);
    for (size_t i = 0; i < needs->constraints.n; i++)
        look_at_constraint(&c, needs->constraints.v[i], needs->constraint_places.v[i]);
    if (c.missing.n > 2 && c.installed == 0)
        say_all_missing(&c);
    else
        for (size_t i = 0; i < c.missing.n; i++)
            say_missing(&c, i);
    em_list_free(&c.missing);
    em_list_free(&c.missing_at);
}
