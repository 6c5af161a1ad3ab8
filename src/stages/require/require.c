#include "embark/stages/require/require.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/base/nearest.h"
#include "embark/core/config/dir_rule.h"
#include "embark/core/languages/manifest.h"
#include "embark/core/languages/module.h"
#include "embark/os/exec/find.h"
#include "embark/os/loop/loop.h"
#include "embark/stages/require/java/java.h"
#include "embark/stages/require/node/node.h"
#include "embark/stages/require/php/php.h"
#include "embark/stages/require/python/python.h"
#include "embark/stages/require/ruby/ruby.h"
#include "paths.h"

bool em_require_any(const struct em_config *config)
{
    return config->require_module.n || config->require_import.n || config->require_manifest.n ||
           config->require_command.n || config->require_file.n || config->require_dir.n ||
           config->require_mount.n || config->require_writable.n || config->require_env.n;
}

/* ---- env ------------------------------------------------------------------------------------- */

/* Sets the hint: the variable under a like name, or as a file. */
static void hint_env(const char *name, struct em_err *err)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_LIST_AUTO names = EM_LIST_INIT;
    struct em_nearest near;

    em_str_printf(&file, "%s_FILE", name);
    if (getenv(em_str_c(&file))) {
        em_hint(err, "%s is set, but the service must read it by itself for that to be enough",
                em_str_c(&file));
        return;
    }
    for (char **e = environ; e && *e; e++)
        em_list_take(&names, em_strndup(*e, strcspn(*e, "=")));
    em_nearest_start(&near, name);
    for (size_t i = 0; i < names.n; i++)
        if (strcmp(names.v[i], name) != 0)
            em_nearest_try(&near, names.v[i]);
    if (near.found)
        em_hint(err, "%s is set: is that the one?", near.found);
    else
        em_hint(err, "set it where the container is started (docker run -e, environment:, env:)");
}

static void require_env(const char *name, const char *where, struct em_errs *errs)
{
    const char *value = getenv(name);

    if (value && *value)
        return;
    hint_env(name, em_errs_add(errs, EM_EXIT_REQUIREMENT, "env %s: is %s (%s)", name,
                               value ? "empty" : "not set", where));
}

/* ---- command --------------------------------------------------------------------------------- */

static void require_command(const char *name, const char *where, struct em_errs *errs)
{
    EM_STR_AUTO found = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_err *added;

    if (em_exec_find(name, getenv("PATH"), &found, &err) == 0 &&
        em_exec_check(em_str_c(&found), &err) == 0)
        return;
    added = em_errs_add(errs, EM_EXIT_REQUIREMENT, "command %s (%s)", em_str_c(&err.text), where);
    if (err.hint.len)
        em_hint(added, "%s", em_str_c(&err.hint));
}

/* ---- module, import, manifest ---------------------------------------------------------------------------------- */

static void take_mistake(const char *key, const char *where, struct em_err *err,
                         struct em_errs *errs)
{
    if (!err->code)
        return;
    em_context(err, "%s: [require] %s", where, key);
    em_errs_take(errs, err);
}

static void validate_module(const char *value, const char *where, struct em_errs *errs)
{
    struct em_modules modules;
    EM_ERR_AUTO err = EM_ERR_INIT;

    em_modules_read(value, false, &modules, &err);
    take_mistake("module", where, &err, errs);
    em_modules_free(&modules);
}

static void validate_import(const char *value, const char *where, struct em_errs *errs)
{
    struct em_modules modules;
    EM_ERR_AUTO err = EM_ERR_INIT;

    em_modules_read(value, true, &modules, &err);
    take_mistake("import", where, &err, errs);
    em_modules_free(&modules);
}

static void validate_manifest(const char *value, const char *where, struct em_errs *errs)
{
    struct em_manifest manifest;
    EM_ERR_AUTO err = EM_ERR_INIT;

    em_manifest_read(value, &manifest, &err);
    take_mistake("manifest", where, &err, errs);
    em_manifest_free(&manifest);
}

static void validate_dir(const char *value, const char *where, struct em_errs *errs)
{
    struct em_dir_rule rule;
    EM_ERR_AUTO err = EM_ERR_INIT;

    em_dir_rule_read(value, &rule, &err);
    take_mistake("dir", where, &err, errs);
    em_dir_rule_free(&rule);
}

/* ---- All of it ------------------------------------------------------------------------------- */

typedef void (*look_fn)(const char *value, const char *where, struct em_errs *errs);

static void each(const struct em_items *items, look_fn look, struct em_errs *errs)
{
    for (size_t i = 0; i < items->n; i++)
        look(items->v[i], items->where[i], errs);
}

bool em_require_validate(const struct em_config *config, struct em_errs *errs)
{
    size_t before = errs->n;

    each(&config->require_module, validate_module, errs);
    each(&config->require_import, validate_import, errs);
    each(&config->require_manifest, validate_manifest, errs);
    each(&config->require_dir, validate_dir, errs);
    return errs->n == before;
}

int em_require(const struct em_config *config, const struct em_list *service, bool build_time,
               em_time until, struct em_errs *errs, struct em_err *err)
{
    int code;

    each(&config->require_file, em_require_file, errs);
    each(&config->require_dir, build_time ? em_require_dir_of_image : em_require_dir, errs);
    if (!build_time)
        each(&config->require_mount, em_require_mount, errs);
    each(&config->require_writable, em_require_writable, errs);
    each(&config->require_command, require_command, errs);
    if (!build_time)
        each(&config->require_env, require_env, errs);
    em_require_java(config, service, errs);
    if (em_loop_stopped())
        return em_fail_stopped(err);
    code = em_require_python(config, service, build_time, until, errs, err);
    if (code == 0)
        code = em_require_node(config, service, build_time, until, errs, err);
    if (code == 0)
        code = em_require_ruby(config, until, errs, err);
    if (code == 0)
        code = em_require_php(config, until, errs, err);
    return code;
}
