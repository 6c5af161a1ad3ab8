#include "extensions.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/exec/library.h"
#include "embark/os/files/tree.h"

enum { FILES_MAX = 500, SAID_MAX = 2 };

/* ---- The files ------------------------------------------------------------------------------- */

struct found {
    const struct em_list *suffixes; /* of the interpreter's; the first is its own tag's */
    struct em_list ours, foreign;
};

/* Of a folder's tests nobody's service depends. */
static bool is_of_tests(const char *path)
{
    return strstr(path, "/tests/") || strstr(path, "/test/");
}

/* "_speed.cpython-311-x86_64-linux-gnu.so": the tag's beginning; NULL: it has none. */
static const char *tag_of(const char *name)
{
    const char *tag = strstr(name, ".cpython-");

    return tag ? tag : strstr(name, ".pypy");
}

static bool has_suffix(const struct em_list *suffixes, const char *name)
{
    for (size_t i = 0; i < suffixes->n; i++) {
        size_t n = strlen(name), end = strlen(suffixes->v[i]);

        /* What else has a dot in it is no module's name. */
        if (n > end && strcmp(name + n - end, suffixes->v[i]) == 0 && strcspn(name, ".") == n - end)
            return true;
    }
    return false;
}

static bool wanted(void *ctx, int dir, const char *name)
{
    struct found *found = ctx;

    (void)dir;
    if (em_starts(name, "lib") && !strchr(strchr(name, '.') ? strchr(name, '.') + 1 : "", '.'))
        return false; /* libx.so: a library that the package opens by itself, or not at all */
    return em_ends(name, ".so") && (tag_of(name) || has_suffix(found->suffixes, name));
}

static void take(void *ctx, const char *path, int fd, const struct stat *st)
{
    struct found *found = ctx;
    struct em_list *list =
        has_suffix(found->suffixes, em_base_name(path)) ? &found->ours : &found->foreign;

    (void)fd;
    (void)st;
    if (list->n < FILES_MAX && !is_of_tests(path))
        em_list_add(list, path);
}

static void ignore(void *ctx, const char *path, int error, const char *why)
{
    (void)ctx;
    (void)path;
    (void)error;
    (void)why;
}

/* The files of a package, or the one that the module is. */
static void find_files(const char *origin, struct found *found)
{
    const char *name = em_base_name(origin);
    const struct em_tree tree = {wanted, take, ignore, found};
    EM_FREE char *folder = em_strndup(origin, (size_t)(name - origin));
    EM_ERR_AUTO err = EM_ERR_INIT;

    if (em_ends(name, ".so"))
        em_list_add(&found->ours, origin);
    else if (em_starts(name, "__init__."))
        em_tree_walk(folder, &tree, &err);
}

/* ---- Those for another interpreter ------------------------------------------------------------ */

static bool exists(const char *stem, size_t length, const char *end)
{
    EM_STR_AUTO path = EM_STR_INIT;

    em_str_add(&path, stem, length);
    em_str_puts(&path, end);
    return access(em_str_c(&path), F_OK) == 0;
}

/* Whether the module of that name is there in a form that this interpreter takes. */
static bool has_another(const struct em_list *suffixes, const char *path)
{
    size_t stem = (size_t)(tag_of(em_base_name(path)) - path);

    for (size_t i = 0; i < suffixes->n; i++)
        if (exists(path, stem, suffixes->v[i]))
            return true;
    return exists(path, stem, ".py") || exists(path, stem, "/__init__.py");
}

/* "cpython-311" of ".cpython-311-x86_64-linux-gnu.so". */
static size_t version_length(const char *tag)
{
    size_t first = strcspn(tag, "-");

    return tag[first] ? first + 1 + strcspn(tag + first + 1, "-.") : first;
}

static void say_foreign(const struct em_python_lookup *answer, const struct em_python_name *name,
                        const struct found *found, const char *where, struct em_errs *errs)
{
    const char *own = answer->suffixes.n ? answer->suffixes.v[0] : "";
    const char *path = NULL, *tag;
    size_t count = 0;
    struct em_err *err;

    for (size_t i = 0; i < found->foreign.n; i++)
        if (!has_another(&answer->suffixes, found->foreign.v[i])) {
            path = path ? path : found->foreign.v[i];
            count++;
        }
    if (!path || !em_starts(own, "."))
        return;
    tag = tag_of(em_base_name(path)) + 1;
    own++;
    err = em_errs_add(errs, EM_EXIT_REQUIREMENT,
                      "module %s: found, but %s is for another interpreter: its name has %.*s, and "
                      "Python %s takes %.*s",
                      name->name, path, (int)strcspn(tag, "."), tag,
                      answer->version ? answer->version : "?", (int)strcspn(own, "."), own);
    if (count > 1)
        em_str_printf(&err->text, "; %zu more are like it", count - 1);
    em_str_printf(&err->text, " (%s)", where);
    if (version_length(tag) == version_length(own) && strncmp(tag, own, version_length(own)) == 0)
        em_hint(err, "install the packages in a stage from the same base image as the one that "
                     "runs: the C library or the machine differs");
    else
        em_hint(err, "builder and runtime differ in their version of Python: take the same in all "
                     "stages of the Dockerfile, and build again");
}

/* ---- Shared libraries ------------------------------------------------------------------------- */

struct search {
    const struct em_list *names;
    bool found;
};

static bool look_at_name(void *ctx, int dir, const char *name)
{
    struct search *s = ctx;

    (void)dir;
    s->found = s->found || em_list_has(s->names, name);
    return false;
}

static void no_file(void *ctx, const char *path, int fd, const struct stat *st)
{
    (void)ctx;
    (void)path;
    (void)fd;
    (void)st;
}

/* Some packages load the libraries of others by themselves, before: what is anywhere beside them is
 * not known to be missing. */
static bool is_beside(const char *path, const struct em_list *names)
{
    struct search s = {names, false};
    const struct em_tree tree = {look_at_name, no_file, ignore, &s};
    const char *packages = strstr(path, "-packages/");
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_FREE char *site =
        packages ? em_strndup(path, (size_t)(packages - path) + strlen("-packages")) : NULL;

    if (site)
        em_tree_walk(site, &tree, &err);
    return s.found;
}

static void check_libraries(const struct em_python_lookup *answer,
                            const struct em_python_name *name, const struct found *found,
                            const char *where, struct em_errs *errs)
{
    EM_LIST_AUTO said = EM_LIST_INIT;

    for (size_t i = 0; i < found->ours.n && said.n < SAID_MAX; i++) {
        EM_LIST_AUTO missing = EM_LIST_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        struct em_err *added;

        if (em_library_check(answer->executable, found->ours.v[i], &missing, &err) == 0 ||
            (missing.n &&
             (em_list_has(&said, missing.v[0]) || is_beside(found->ours.v[i], &missing))))
            continue;
        em_list_add(&said, missing.n ? missing.v[0] : "");
        added = em_errs_add(errs, EM_EXIT_REQUIREMENT, "module %s: found, but %s (%s)", name->name,
                            em_str_c(&err.text), where);
        em_hint(added, "%s", em_str_c(&err.hint));
    }
}

void em_python_extensions(const struct em_python_lookup *answer, const struct em_python_name *name,
                          const char *where, struct em_errs *errs)
{
    struct found found = {.suffixes = &answer->suffixes};

    if (!name->origin || !answer->executable || !answer->executable[0] ||
        (!strstr(name->origin, "/site-packages/") && !strstr(name->origin, "/dist-packages/")))
        return;
    find_files(name->origin, &found);
    say_foreign(answer, name, &found, where, errs);
    check_libraries(answer, name, &found, where, errs);
    em_list_free(&found.ours);
    em_list_free(&found.foreign);
}
