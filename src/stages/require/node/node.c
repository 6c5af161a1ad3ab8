#include "embark/stages/require/node/node.h"

#include <stdlib.h>
#include <string.h>

#include "addons.h"
#include "embark/core/languages/manifest.h"
#include "embark/core/languages/module.h"
#include "embark/core/languages/node/semver.h"
#include "embark/os/log/log.h"
#include "embark/stages/require/interpreter/probe.h"
#include "embark/stages/require/interpreter/script.h"
#include "explain.h"
#include "files.h"
#include "stages/require/node/import.js.h"

/* ---- module ---------------------------------------------------------------------------------- */

static void judge_version(const struct em_module *module, const struct em_node_found *found,
                          const char *where, struct em_errs *errs)
{
    const char *version = em_str_c(&found->version);
    enum em_tristate allowed = em_semver_allows(module->allowed, version);

    if (module->allowed[0] == '\0' || allowed == EM_YES)
        return;
    if (found->builtin || allowed == EM_UNKNOWN) {
        em_log(EM_LOG_WARN, "require",
               "module %s: found, but %s tells no version, so %s is not judged (%s)", module->name,
               found->builtin ? "Node.js's own module" : em_str_c(&found->package), module->allowed,
               where);
        return;
    }
    em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT,
                        "module %s: %s is needed, %s is installed: %s (%s)", module->name,
                        module->allowed, version, em_str_c(&found->package), where),
            "npm install '%.*s@%s', and copy package-lock.json before npm ci in the Dockerfile",
            (int)em_node_package_length(module->name), module->name, module->allowed);
}

/* A package that node_modules doesn't have, where Yarn's Plug'n'Play answers for it: only a start
 * of node could tell. */
static bool is_yarns(const char *dir, const char *name, const struct em_node_found *found)
{
    EM_STR_AUTO pnp = EM_STR_INIT;

    return name[0] != '.' && name[0] != '/' && !em_starts(name, "node:") && !found->broken.n &&
           !found->why.len && em_node_pnp(dir, &pnp);
}

static void say_yarns(const char *dir, const char *name, const char *where)
{
    EM_STR_AUTO pnp = EM_STR_INIT;

    em_node_pnp(dir, &pnp);
    em_log_hint(EM_LOG_WARN, "require", "import = node: asks node itself",
                "module %s: is not judged: Yarn's Plug'n'Play answers for it (%s), and not "
                "node_modules (%s)",
                name, em_str_c(&pnp), where);
}

struct look {
    const struct em_list *service;
    struct em_str dir;   /* the folder that modules are looked for from; "": not asked for yet */
    struct em_str doubt; /* why that can't be told, so that nothing is; "" */
    bool build_time;
    struct em_interpreter_probes asks;
    struct em_errs *errs;
};

/* One line of module or import. */
struct line {
    const char *key, *node, *where; /* node: the interpreter's name or path */
};

/* Adds an error if it isn't found; sets `file` if it is ("" for Node's own). */
static bool look_for(const struct look *l, const struct em_module *module, const struct line *line,
                     struct em_str *file)
{
    const char *dir = em_str_c(&l->dir);
    struct em_node_found found = {0};
    bool result;

    em_node_resolve(&em_node_files_real, dir, getenv("NODE_PATH"), module->name, &found);
    result = found.found;
    if (!result && is_yarns(dir, module->name, &found)) {
        result = true;
        if (strcmp(line->key, "module") == 0)
            say_yarns(dir, module->name, line->where);
    } else if (result) {
        em_log(EM_LOG_DEBUG, "require", "%s %s: %s", line->key, module->name,
               found.builtin ? "built-in" : em_str_c(&found.file));
        judge_version(module, &found, line->where, l->errs);
        if (l->build_time && found.package.len)
            em_node_addons(line->node, module->name, em_str_c(&found.package), line->where,
                           l->errs);
        em_str_puts(file, em_str_c(&found.file));
    } else {
        EM_ERR_AUTO err = EM_ERR_INIT;

        em_node_explain(dir, line->key, module->name, &found, &err);
        em_str_printf(&err.text, " (%s)", line->where);
        em_errs_take(l->errs, &err);
    }
    em_node_found_free(&found);
    return result;
}

/* ---- import ---------------------------------------------------------------------------------- */

static int run_ask(const struct em_interpreter_probe *ask, const char *dir, em_time until,
                   struct em_errs *errs, struct em_err *err)
{
    EM_LIST_AUTO argv = EM_LIST_INIT;
    EM_STR_AUTO pnp = EM_STR_INIT;
    struct em_reply reply = {0};
    int code;

    em_list_add(&argv, ask->word);
    if (em_node_pnp(dir, &pnp)) { /* as `yarn node` does */
        em_list_add(&argv, "-r");
        em_list_add(&argv, em_str_c(&pnp));
    }
    em_list_add(&argv, "-e");
    em_list_take(&argv, EM_SCRIPT(import_js));
    em_list_add(&argv, "--");
    for (size_t i = 0; i < ask->imports.n; i++) {
        em_list_add(&argv, ask->imports.v[i]);
        em_list_add(&argv, ask->files.v[i]);
    }
    code = em_interpreter_run(ask, &argv, NULL, until, &reply, errs, err);
    if (code == 0 && reply.ended.len)
        em_interpreter_check_imports(ask, &reply, "-e 'import(\"%\")'", errs);
    em_reply_free(&reply);
    return code;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void look_at_modules(struct look *l, const struct em_modules *modules, const char *where,
                            bool import)
{
    const struct line line = {import ? "import" : "module", modules->word, where};

    if (!l->dir.len)
        em_node_directory(l->service, &l->dir, &l->doubt);
    if (l->doubt.len)
        em_log_hint(EM_LOG_WARN, "require", "manifest = DIR/package.json looks from that folder",
                    "%s: not judged: %s can't be told (%s)", line.key, em_str_c(&l->doubt), where);
    for (size_t i = 0; !l->doubt.len && i < modules->n; i++) {
        EM_STR_AUTO file = EM_STR_INIT;

        if (look_for(l, &modules->v[i], &line, &file) && import)
            em_interpreter_probe_add_import(em_interpreter_probe_of(&l->asks, modules->word),
                                            modules->v[i].name, em_str_c(&file), where);
    }
}

/* The lines of [require] module or import. */
static void look_at_lines(struct look *l, const struct em_items *items, bool import)
{
    for (size_t i = 0; i < items->n; i++) {
        struct em_modules modules;
        EM_ERR_AUTO err = EM_ERR_INIT;

        if (em_modules_read(items->v[i], import, &modules, &err) == 0 &&
            modules.language == EM_LANGUAGE_NODE)
            look_at_modules(l, &modules, items->where[i], import);
        em_modules_free(&modules);
    }
}

static void look_at_manifest(const char *value, const char *where, struct em_errs *errs)
{
    struct em_manifest manifest;
    EM_ERR_AUTO err = EM_ERR_INIT;

    if (em_manifest_read(value, &manifest, &err) == 0) {
        if (manifest.kind == EM_MANIFEST_PACKAGE)
            em_require_package_json(manifest.file, where, errs);
        else if (manifest.kind == EM_MANIFEST_LOCK)
            em_require_package_lock(manifest.file, where, errs);
    }
    em_manifest_free(&manifest);
}

int em_require_node(const struct em_config *config, const struct em_list *service, bool build_time,
                    em_time until, struct em_errs *errs, struct em_err *err)
{
    const struct em_items *manifests = &config->require_manifest;
    struct look look = {.service = service, .build_time = build_time, .errs = errs};
    int code = 0;

    look_at_lines(&look, &config->require_module, false);
    look_at_lines(&look, &config->require_import, true);
    for (size_t i = 0; i < manifests->n; i++)
        look_at_manifest(manifests->v[i], manifests->where[i], errs);
    for (size_t i = 0; i < look.asks.n && code == 0; i++)
        code = run_ask(&look.asks.v[i], em_str_c(&look.dir), until, errs, err);
    em_interpreter_probes_free(&look.asks);
    em_str_free(&look.dir);
    em_str_free(&look.doubt);
    return code;
}
