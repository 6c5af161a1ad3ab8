/* [require] manifest = package.json and package-lock.json (node.h). */
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/manifest.h"
#include "embark/core/languages/node/npm.h"
#include "embark/core/languages/node/package_json.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/stages/require/node/node.h"
#include "explain.h"
#include "files.h"

enum { MANIFEST_MAX = 64 * 1024 * 1024, NAMES_SAID = 8 };

struct look {
    const char *file, *where;
    struct em_str dir; /* the manifest's, absolute */
    struct em_errs *errs;
    struct em_list missing, doubts;
    size_t there;
};

static void failed(const struct look *l, const char *why)
{
    em_hint(
        em_errs_add(l->errs, EM_EXIT_REQUIREMENT, "manifest %s: %s (%s)", l->file, why, l->where),
        "COPY it into the image as it is; see that .dockerignore doesn't leave it out");
}

typedef bool (*read_fn)(const char *json, size_t length, struct em_npm_needs *needs,
                        struct em_str *why);

/* False, and an error, if it can't be read. */
static bool open_manifest(struct look *l, read_fn read, struct em_npm_needs *needs)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_FREE char *real = realpath(l->file, NULL);
    const char *slash = real ? strrchr(real, '/') : NULL;
    bool ok;

    *needs = (struct em_npm_needs){0};
    if (slash)
        em_str_add(&l->dir, real, slash == real ? 1 : (size_t)(slash - real));
    ok = em_file_read(l->file, MANIFEST_MAX, &text, &why) &&
         read(em_str_c(&text), text.len, needs, &why);
    if (!ok)
        failed(l, em_str_c(&why));
    return ok;
}

static void wrong_version(const struct look *l, const struct em_npm_need *need, const char *version,
                          const char *at)
{
    em_hint(em_errs_add(l->errs, EM_EXIT_REQUIREMENT,
                        "manifest %s: %s %s is needed, %s is installed: %s (%s)", l->file,
                        need->name, need->range, version[0] ? version : "one without a version", at,
                        l->where),
            "install again by what the manifest says, after it is copied (npm ci); a cached layer "
            "of the image, or the "
            "host's node_modules that COPY . . brings along, may be older than it");
}

static void say_missing(const struct look *l)
{
    EM_STR_AUTO names = EM_STR_INIT;

    for (size_t i = 0; l->there && i < l->missing.n; i++)
        em_hint(em_errs_add(l->errs, EM_EXIT_REQUIREMENT, "manifest %s: %s is not installed (%s)",
                            l->file, l->missing.v[i], l->where),
                "npm ci in the stage that runs, or COPY node_modules from the one that does");
    if (l->there || !l->missing.n)
        return;
    em_manifest_names(&l->missing, 20, &names);
    em_hint(em_errs_add(l->errs, EM_EXIT_REQUIREMENT,
                        "manifest %s: nothing of it is installed in %s/node_modules or above: "
                        "%s (%s)",
                        l->file, em_str_c(&l->dir), em_str_c(&names), l->where),
            "npm ci in the stage that runs, or COPY node_modules from the one that does");
}

static void finish(struct look *l)
{
    EM_STR_AUTO names = EM_STR_INIT;
    EM_STR_AUTO pnp = EM_STR_INIT;

    if (l->missing.n && em_node_pnp(em_str_c(&l->dir), &pnp))
        em_log_hint(EM_LOG_WARN, "require", "import = node: NAME asks node itself",
                    "manifest %s: is not judged: Yarn's Plug'n'Play answers for its packages (%s), "
                    "and not node_modules (%s)",
                    l->file, em_str_c(&pnp), l->where);
    else
        say_missing(l);
    em_manifest_names(&l->doubts, NAMES_SAID, &names);
    if (l->doubts.n)
        em_log(EM_LOG_WARN, "require", "manifest %s: installed, version not judged: %s", l->file,
               em_str_c(&names));
    em_str_free(&l->dir);
    em_list_free(&l->missing);
    em_list_free(&l->doubts);
}

/* ---- package.json ---------------------------------------------------------------------------- */

static void broken_link(struct look *l, const struct em_npm_need *need, const char *path)
{
    struct em_err *err = em_errs_add(l->errs, EM_EXIT_REQUIREMENT,
                                     "manifest %s: %s is not installed; ", l->file, need->name);

    em_path_nearest(path, &err->text);
    em_str_printf(&err->text, " (%s)", l->where);
    em_hint(err, "pnpm links packages to node_modules/.pnpm, and workspaces to their folders: COPY "
                 "these too, or use pnpm "
                 "deploy or node-linker=hoisted for the image");
}

static void look_for(struct look *l, const struct em_npm_need *need)
{
    EM_STR_AUTO folder = EM_STR_INIT;
    EM_STR_AUTO version = EM_STR_INIT;
    EM_LIST_AUTO broken = EM_LIST_INIT;
    enum em_tristate allowed;

    if (!em_node_package(&em_node_files_real, em_str_c(&l->dir), getenv("NODE_PATH"), need->name,
                         &folder, &version, &broken)) {
        l->there += broken.n > 0;
        if (broken.n)
            broken_link(l, need, broken.v[0]);
        else
            em_list_add(&l->missing, need->name);
        return;
    }
    l->there++;
    allowed = em_npm_allows(need->range, em_str_c(&version));
    if (allowed == EM_NO) {
        wrong_version(l, need, em_str_c(&version), em_str_c(&folder));
    } else if (allowed == EM_UNKNOWN) {
        EM_STR_AUTO said = EM_STR_INIT;

        em_str_printf(&said, "%s (%s)", need->name, need->range);
        em_list_add(&l->doubts, em_str_c(&said));
    }
}

void em_require_package_json(const char *file, const char *where, struct em_errs *errs)
{
    struct look l = {.file = file, .where = where, .errs = errs};
    struct em_npm_needs needs;

    if (open_manifest(&l, em_npm_read_package, &needs))
        for (size_t i = 0; i < needs.n; i++)
            look_for(&l, &needs.v[i]);
    em_npm_needs_free(&needs);
    finish(&l);
}

/* ---- package-lock.json ----------------------------------------------------------------------- */

/* The version that a folder's package.json tells. */
static bool version_in(const char *folder, struct em_str *version)
{
    struct em_node_package_json p;
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;

    em_str_printf(&path, "%s/package.json", folder);
    if (em_node_files_real.kind(NULL, em_str_c(&path)) != EM_NODE_FILE ||
        !em_node_files_real.read(NULL, em_str_c(&path), &text))
        return false;
    em_node_package_json_read(&p, em_str_c(&text), text.len);
    em_str_puts(version, em_str_c(&p.version));
    em_node_package_json_free(&p);
    return true;
}

static void look_at(struct look *l, const struct em_npm_need *need)
{
    EM_STR_AUTO folder = EM_STR_INIT;
    EM_STR_AUTO version = EM_STR_INIT;

    em_str_printf(&folder, "%s/%s", em_str_c(&l->dir), need->path);
    if (!version_in(em_str_c(&folder), &version)) {
        if (em_node_files_real.kind(NULL, em_str_c(&folder)) == EM_NODE_BROKEN)
            broken_link(l, need, em_str_c(&folder));
        else
            em_list_add(&l->missing, need->path);
        return;
    }
    l->there++;
    if (need->link || strchr(need->range, ':') || need->range[0] == '\0')
        return;
    if (strcmp(need->range, em_str_c(&version)) != 0 &&
        em_npm_allows(need->range, em_str_c(&version)) != EM_YES)
        wrong_version(l, need, em_str_c(&version), em_str_c(&folder));
}

void em_require_package_lock(const char *file, const char *where, struct em_errs *errs)
{
    struct look l = {.file = file, .where = where, .errs = errs};
    struct em_npm_needs needs;

    if (open_manifest(&l, em_npm_read_lock, &needs))
        for (size_t i = 0; i < needs.n; i++)
            look_at(&l, &needs.v[i]);
    em_npm_needs_free(&needs);
    finish(&l);
}
