#include "explain.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/nearest.h"
#include "embark/os/files/files.h"
#include "files.h"

enum { NAMES_LOOKED_AT = 10000, FOLDERS_LOOKED_AT = 200 };

static bool exists(const char *folder, const char *package, struct em_str *path)
{
    em_str_cut(path, 0);
    em_str_printf(path, "%s/%s", folder, package);
    return em_node_files_real.kind(NULL, em_str_c(path)) != EM_NODE_NOTHING;
}

/* Where it would not be found: npm install -g, and the node_modules of a folder below (frontend/,
 * apps/web/). */
static bool elsewhere(const char *dir, const char *package, struct em_str *path)
{
    static const char *const global[] = {
        "/usr/local/lib/node_modules", "/usr/lib/node_modules",
        "/usr/share/nodejs",           "/node_modules",
        "/app/node_modules",           "/usr/src/app/node_modules"};
    EM_STR_AUTO folder = EM_STR_INIT;
    DIR *stream = em_dir_open(dir);
    struct dirent *entry;
    bool found = false;

    for (size_t i = 0; i < EM_COUNT(global) && !found; i++)
        found = exists(global[i], package, path);
    for (int i = 0; stream && !found && i < FOLDERS_LOOKED_AT && (entry = readdir(stream)); i++) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "node_modules") == 0)
            continue;
        em_str_cut(&folder, 0);
        em_str_printf(&folder, "%s/%s/node_modules", dir, entry->d_name);
        found = exists(em_str_c(&folder), package, path);
    }
    if (stream)
        closedir(stream);
    if (!found)
        em_str_cut(path, 0);
    return found;
}

/* A package with a name like it, in the folders that were looked in. */
static bool alike(const struct em_node_found *found, const char *package, struct em_str *name)
{
    const char *slash = strchr(package, '/');
    struct em_nearest near;
    EM_LIST_AUTO names = EM_LIST_INIT;

    for (size_t i = 0; i < found->looked.n; i++) {
        EM_STR_AUTO folder = EM_STR_INIT;
        struct dirent *entry;
        DIR *stream;

        em_str_puts(&folder, found->looked.v[i]);
        if (slash)
            em_str_printf(&folder, "/%.*s", (int)(slash - package), package);
        stream = em_dir_open(em_str_c(&folder));
        while (stream && names.n < NAMES_LOOKED_AT && (entry = readdir(stream)))
            if (entry->d_name[0] != '.' && entry->d_name[0] != '@')
                em_list_add(&names, entry->d_name);
        if (stream)
            closedir(stream);
    }
    em_nearest_start(&near, slash ? slash + 1 : package);
    for (size_t i = 0; i < names.n; i++)
        em_nearest_try(&near, names.v[i]);
    if (near.found)
        em_str_printf(name, "%.*s%s", slash ? (int)(slash + 1 - package) : 0, package, near.found);
    return near.found != NULL;
}

bool em_node_pnp(const char *dir, struct em_str *path)
{
    EM_STR_AUTO at = EM_STR_INIT;

    em_str_puts(&at, dir);
    for (;;) {
        const char *slash = strrchr(em_str_c(&at), '/');

        if (exists(em_str_c(&at), ".pnp.cjs", path) || exists(em_str_c(&at), ".pnp.js", path))
            return true;
        em_str_cut(path, 0);
        if (!slash || at.len == 0)
            return false;
        em_str_cut(&at, (size_t)(slash - at.data));
    }
}

static void say_looked(const struct em_node_found *found, struct em_str *out)
{
    if (!found->looked.n) {
        em_str_puts(out, "; there is no node_modules in that folder or above it");
        return;
    }
    em_str_puts(out, "; looked in ");
    for (size_t i = 0; i < found->looked.n; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", found->looked.v[i]);
}

static void hint_missing(const char *dir, const char *package, const struct em_node_found *found,
                         struct em_err *err)
{
    EM_STR_AUTO text = EM_STR_INIT;

    if (elsewhere(dir, package, &text))
        em_hint(err, "%s is not where Node.js looks for it: COPY node_modules to %s, or above it",
                em_str_c(&text), dir);
    else if (alike(found, package, &text))
        em_hint(err, "did you mean %s?", em_str_c(&text));
    else if (!found->looked.n)
        em_hint(err, "run npm ci in the stage that runs, or COPY --from=… node_modules; see that "
                     ".dockerignore leaves out "
                     "the host's node_modules only");
    else
        em_hint(err,
                "npm install %s; if it is in package.json, the image is stale, or it is under "
                "devDependencies and "
                "npm ci --omit=dev left it out",
                package);
}

void em_node_explain(const char *dir, const char *key, const char *name,
                     const struct em_node_found *found, struct em_err *err)
{
    EM_STR_AUTO package = EM_STR_INIT;
    bool path = name[0] == '.' || name[0] == '/';

    em_str_add(&package, name, em_node_package_length(name));
    em_fail(err, EM_EXIT_REQUIREMENT, "%s %s: not found by Node.js from %s", key, name, dir);
    for (size_t i = 0; i < found->broken.n; i++) {
        em_str_puts(&err->text, "; ");
        em_path_nearest(found->broken.v[i], &err->text);
    }
    if (found->why.len)
        em_str_printf(&err->text, "; %s", em_str_c(&found->why));
    if (em_starts(name, "node:"))
        em_hint(err, "Node.js has no module of that name");
    else if (found->broken.n)
        em_hint(err, "pnpm links packages to node_modules/.pnpm, and workspaces to their folders: "
                     "COPY these too, or use "
                     "pnpm deploy or node-linker=hoisted for the image");
    else if (found->why.len && path)
        em_hint(err, "see what the build writes there, and that the Dockerfile copies it");
    else if (found->why.len)
        em_hint(err, "the package is there in part or in another version: install again (npm ci), "
                     "and see what "
                     ".dockerignore leaves out");
    if (err->hint.len)
        return;
    say_looked(found, &err->text);
    hint_missing(dir, em_str_c(&package), found, err);
}
