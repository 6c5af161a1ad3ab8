#include "embark/core/languages/node/resolve.h"

#include <string.h>

#include "embark/core/languages/node/package_json.h"

/* ---- Names ----------------------------------------------------------------------------------- */

bool em_node_builtin(const char *name)
{
    static const char *const plain[] = {
        "assert",
        "assert/strict",
        "async_hooks",
        "buffer",
        "child_process",
        "cluster",
        "console",
        "constants",
        "crypto",
        "dgram",
        "diagnostics_channel",
        "dns",
        "dns/promises",
        "domain",
        "events",
        "fs",
        "fs/promises",
        "http",
        "http2",
        "https",
        "inspector",
        "inspector/promises",
        "module",
        "net",
        "os",
        "path",
        "path/posix",
        "path/win32",
        "perf_hooks",
        "process",
        "punycode",
        "querystring",
        "readline",
        "readline/promises",
        "repl",
        "stream",
        "stream/consumers",
        "stream/promises",
        "stream/web",
        "string_decoder",
        "sys",
        "timers",
        "timers/promises",
        "tls",
        "trace_events",
        "tty",
        "url",
        "util",
        "util/types",
        "v8",
        "vm",
        "wasi",
        "worker_threads",
        "zlib",
    };
    /* Only with node: before them; more of them come with every version. */
    static const char *const prefixed[] = {"test", "test/reporters", "sqlite", "sea", "ffi"};
    bool prefix = em_starts(name, "node:");

    name += prefix ? 5 : 0;
    for (size_t i = 0; i < EM_COUNT(plain); i++)
        if (strcmp(plain[i], name) == 0)
            return true;
    for (size_t i = 0; prefix && i < EM_COUNT(prefixed); i++)
        if (strcmp(prefixed[i], name) == 0)
            return true;
    return false;
}

size_t em_node_package_length(const char *name)
{
    size_t n = strcspn(name, "/");

    return name[0] == '@' && name[n] ? n + 1 + strcspn(name + n + 1, "/") : n;
}

static void join(struct em_str *out, const char *folder, const char *path)
{
    em_str_cut(out, 0);
    em_str_puts(out, folder);
    if (!em_ends(folder, "/"))
        em_str_putc(out, '/');
    while (em_starts(path, "./"))
        path += 2 + strspn(path + 2, "/");
    em_str_puts(out, path);
}

/* ---- Files and folders ----------------------------------------------------------------------- */

static bool is(const struct em_node_files *files, const char *path, enum em_node_kind kind)
{
    return files->kind(files->ctx, path) == kind;
}

/* X, X.js, X.json, X.node; sets `file`. */
static bool as_file(const struct em_node_files *files, const char *path, struct em_str *file)
{
    static const char *const ends[] = {"", ".js", ".json", ".node"};

    for (size_t i = 0; i < EM_COUNT(ends) && !em_ends(path, "/"); i++) {
        em_str_cut(file, 0);
        em_str_printf(file, "%s%s", path, ends[i]);
        if (is(files, em_str_c(file), EM_NODE_FILE))
            return true;
    }
    em_str_cut(file, 0);
    return false;
}

static bool as_index(const struct em_node_files *files, const char *folder, struct em_str *file)
{
    EM_STR_AUTO path = EM_STR_INIT;

    join(&path, folder, "index");
    return as_file(files, em_str_c(&path), file) && !em_ends(em_str_c(file), "/index");
}

static bool read_package(const struct em_node_files *files, const char *folder,
                         struct em_node_package_json *p)
{
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;

    *p = (struct em_node_package_json){0};
    join(&path, folder, "package.json");
    if (!is(files, em_str_c(&path), EM_NODE_FILE) ||
        !files->read(files->ctx, em_str_c(&path), &text))
        return false;
    em_node_package_json_read(p, em_str_c(&text), text.len);
    return true;
}

/* main, index.js. `why` gets the reason. */
static bool as_folder(const struct em_node_files *files, const char *folder, struct em_str *file,
                      struct em_str *why)
{
    struct em_node_package_json p;
    EM_STR_AUTO path = EM_STR_INIT;
    bool found = false, has = read_package(files, folder, &p);

    if (p.main.len) {
        join(&path, folder, em_str_c(&p.main));
        found = as_file(files, em_str_c(&path), file) || as_index(files, em_str_c(&path), file);
    }
    found = found || as_index(files, folder, file);
    if (!found && why->len == 0) {
        if (has && p.broken)
            em_str_printf(why, "%s/package.json is no JSON object", folder);
        else if (p.main.len)
            em_str_printf(why, "%s/package.json names %s, which does not exist", folder,
                          em_str_c(&p.main));
        else
            em_str_printf(why, "the folder %s has %s", folder,
                          has ? "a package.json, but no index.js and no main"
                              : "no package.json and no index.js");
    }
    em_node_package_json_free(&p);
    return found;
}

static bool as_path(const struct em_node_files *files, const char *path, struct em_str *file,
                    struct em_str *why)
{
    if (as_file(files, path, file))
        return true;
    if (is(files, path, EM_NODE_DIR))
        return as_folder(files, path, file, why);
    return false;
}

/* ---- Packages -------------------------------------------------------------------------------- */

struct search {
    const struct em_node_files *files;
    const char *name, *package; /* "@scope/pkg/sub", "@scope/pkg" */
    const char *sub;            /* "/sub" or "" */
    struct em_node_found *found;
};

/* "exports" decides, and nothing else is tried if it doesn't lead to a file. */
static void by_exports(const struct search *s, const char *folder,
                       const struct em_node_package_json *p)
{
    struct em_node_found *found = s->found;
    EM_LIST_AUTO targets = EM_LIST_INIT;
    EM_STR_AUTO subpath = EM_STR_INIT;

    em_str_printf(&subpath, ".%s", s->sub);
    em_node_exports(p, em_str_c(&subpath), &targets);
    for (size_t i = 0; i < targets.n && !found->found; i++) {
        join(&found->file, folder, targets.v[i]);
        found->found = is(s->files, em_str_c(&found->file), EM_NODE_FILE);
    }
    if (found->found)
        return;
    em_str_cut(&found->file, 0);
    em_str_cut(&found->why, 0);
    if (targets.n)
        em_str_printf(&found->why, "%s/package.json exports %s as %s, which does not exist", folder,
                      em_str_c(&subpath), targets.v[0]);
    else
        em_str_printf(&found->why, "%s/package.json doesn't export %s", folder, em_str_c(&subpath));
}

/* What is at node_modules/NAME. True: that decides, one way or the other. */
static bool in_folder(const struct search *s, const char *folder)
{
    struct em_node_found *found = s->found;
    struct em_node_package_json p;
    EM_STR_AUTO path = EM_STR_INIT;
    bool has = read_package(s->files, folder, &p), decided;

    if (found->package.len == 0) {
        em_str_puts(&found->package, folder);
        em_str_puts(&found->version, em_str_c(&p.version));
    }
    decided = has && p.has_exports;
    if (decided)
        by_exports(s, folder, &p);
    em_node_package_json_free(&p);
    if (decided)
        return true;
    em_str_printf(&path, "%s%s", folder, s->sub);
    if (as_path(s->files, em_str_c(&path), &found->file, &found->why)) {
        found->found = true;
        em_str_cut(&found->package, 0);
        em_str_puts(&found->package, folder);
    } else if (found->why.len == 0) {
        em_str_printf(&found->why, "the package %s has no .%s", folder, s->sub);
    }
    return found->found;
}

static bool in_modules(const struct search *s, const char *modules)
{
    EM_STR_AUTO path = EM_STR_INIT;

    if (!is(s->files, modules, EM_NODE_DIR))
        return false;
    em_list_add(&s->found->looked, modules);
    join(&path, modules, s->package);
    switch (s->files->kind(s->files->ctx, em_str_c(&path))) {
    case EM_NODE_DIR:
        return in_folder(s, em_str_c(&path));
    case EM_NODE_BROKEN:
        em_list_add(&s->found->broken, em_str_c(&path));
        return false;
    default: /* node_modules/name.js */
        join(&path, modules, s->name);
        s->found->found = as_file(s->files, em_str_c(&path), &s->found->file);
        return s->found->found;
    }
}

/* Calls `look` for every folder that could hold the package, until it says true. */
static bool each_modules(const char *dir, const char *node_path,
                         bool (*look)(void *ctx, const char *modules), void *ctx)
{
    EM_STR_AUTO at = EM_STR_INIT;
    EM_STR_AUTO modules = EM_STR_INIT;

    em_str_puts(&at, dir);
    for (;;) {
        const char *slash;

        while (at.len > 1 && em_ends(em_str_c(&at), "/"))
            em_str_cut(&at, at.len - 1);
        if (!em_ends(em_str_c(&at), "/node_modules")) {
            join(&modules, em_str_c(&at), "node_modules");
            if (look(ctx, em_str_c(&modules)))
                return true;
        }
        slash = strrchr(em_str_c(&at), '/');
        if (!slash || at.len <= 1)
            break;
        em_str_cut(&at, slash == at.data ? 1 : (size_t)(slash - at.data));
    }
    while (node_path && *node_path) {
        size_t n = strcspn(node_path, ":");

        em_str_cut(&modules, 0);
        em_str_add(&modules, node_path, n);
        if (n && look(ctx, em_str_c(&modules)))
            return true;
        node_path += n + (node_path[n] == ':');
    }
    return false;
}

static bool search_in(void *ctx, const char *modules)
{
    return in_modules(ctx, modules);
}

/* A package may ask for itself by its name, if it has "exports". */
static bool itself(const struct search *s, const char *dir)
{
    EM_STR_AUTO at = EM_STR_INIT;

    em_str_puts(&at, dir);
    for (;;) {
        struct em_node_package_json p;
        const char *slash = strrchr(em_str_c(&at), '/');

        if (read_package(s->files, at.len ? em_str_c(&at) : "/", &p)) {
            bool same = p.has_exports && strcmp(em_str_c(&p.name), s->package) == 0;

            if (same) {
                em_str_puts(&s->found->package, em_str_c(&at));
                em_str_puts(&s->found->version, em_str_c(&p.version));
                by_exports(s, em_str_c(&at), &p);
            }
            em_node_package_json_free(&p);
            return same;
        }
        if (!slash || at.len <= 1)
            return false;
        em_str_cut(&at, (size_t)(slash - at.data));
    }
}

void em_node_resolve(const struct em_node_files *files, const char *dir, const char *node_path,
                     const char *name, struct em_node_found *found)
{
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO package = EM_STR_INIT;
    struct search s = {files, name, NULL, name + em_node_package_length(name), found};

    found->builtin = em_node_builtin(name);
    found->found = found->builtin;
    if (found->builtin || em_starts(name, "node:"))
        return;
    if (name[0] == '/' || em_starts(name, "./") || em_starts(name, "../") ||
        strcmp(name, ".") == 0) {
        join(&path, name[0] == '/' ? "/" : dir, name[0] == '/' ? name + strspn(name, "/") : name);
        found->found = as_path(files, em_str_c(&path), &found->file, &found->why);
        if (!found->found && found->why.len == 0)
            em_str_printf(&found->why, "%s does not exist", em_str_c(&path));
        return;
    }
    em_str_add(&package, name, (size_t)(s.sub - name));
    s.package = em_str_c(&package);
    if (!itself(&s, dir))
        each_modules(dir, node_path, search_in, &s);
}

void em_node_found_free(struct em_node_found *found)
{
    em_str_free(&found->file);
    em_str_free(&found->package);
    em_str_free(&found->version);
    em_str_free(&found->why);
    em_list_free(&found->looked);
    em_list_free(&found->broken);
    *found = (struct em_node_found){0};
}

struct package_search {
    const struct em_node_files *files;
    const char *package;
    struct em_str *folder, *version;
    struct em_list *broken;
};

static bool package_in(void *ctx, const char *modules)
{
    const struct package_search *s = ctx;
    struct em_node_package_json p;
    EM_STR_AUTO path = EM_STR_INIT;
    bool has;

    join(&path, modules, s->package);
    if (is(s->files, em_str_c(&path), EM_NODE_BROKEN))
        em_list_add(s->broken, em_str_c(&path));
    has = read_package(s->files, em_str_c(&path), &p);
    if (has) {
        em_str_puts(s->folder, em_str_c(&path));
        em_str_puts(s->version, em_str_c(&p.version));
    }
    em_node_package_json_free(&p);
    return has;
}

bool em_node_package(const struct em_node_files *files, const char *dir, const char *node_path,
                     const char *package, struct em_str *folder, struct em_str *version,
                     struct em_list *broken)
{
    struct package_search s = {files, package, folder, version, broken};

    return each_modules(dir, node_path, package_in, &s);
}
