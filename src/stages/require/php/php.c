#include "embark/stages/require/php/php.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/languages/php/composer.h"
#include "embark/core/languages/reply/missing_library.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/stages/require/interpreter/probe.h"
#include "embark/stages/require/interpreter/script.h"
#include "stages/require/php/import.php.h"

enum { INSTALLED_MAX = 16 * 1024 * 1024 };

/* ---- Packages -------------------------------------------------------------------------------- */

struct vendor {
    struct em_str folder, json, why; /* why: the list can't be read */
    bool read;
};

static void find_vendor(struct vendor *v)
{
    const char *dir = getenv("COMPOSER_VENDOR_DIR");
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO json = EM_STR_INIT;
    EM_STR_AUTO ignored = EM_STR_INIT;

    if (dir && *dir)
        em_str_puts(&v->folder, dir);
    else if (em_file_read("composer.json", INSTALLED_MAX, &json, &ignored))
        em_composer_vendor_dir(em_str_c(&json), json.len, &v->folder);
    if (!v->folder.len)
        em_str_puts(&v->folder, "vendor");
    em_str_printf(&path, "%s/composer/installed.json", em_str_c(&v->folder));
    v->read = em_file_read(em_str_c(&path), INSTALLED_MAX, &v->json, &v->why);
    if (v->read)
        return;
    em_str_cut(&v->why, 0);
    em_str_printf(&v->why, "%s", em_str_c(&path));
}

static void free_vendor(struct vendor *v)
{
    em_str_free(&v->folder);
    em_str_free(&v->json);
    em_str_free(&v->why);
}

static void say_missing(const struct vendor *v, const char *name, const char *where,
                        struct em_errs *errs)
{
    struct em_err *err;

    if (!v->read) {
        err = em_errs_add(errs, EM_EXIT_REQUIREMENT,
                          "module %s: Composer has installed nothing here: %s does not exist; ",
                          name, em_str_c(&v->why));
        em_path_nearest(em_str_c(&v->why), &err->text);
        em_str_printf(&err->text, " (%s)", where);
    } else {
        err = em_errs_add(errs, EM_EXIT_REQUIREMENT,
                          "module %s: is not in %s/composer/installed.json (%s)", name,
                          em_str_c(&v->folder), where);
    }
    em_hint(err, "composer install --no-dev in the stage that runs, or COPY --from=… %s",
            em_str_c(&v->folder));
}

/* The list says that it is there: whether its files are. */
static bool has_files(const struct vendor *v, const char *name, const char *path, const char *where,
                      struct em_errs *errs)
{
    EM_STR_AUTO folder = EM_STR_INIT;

    if (!*path)
        return true; /* Composer 1, or of a package that another one replaces */
    em_str_printf(&folder, "%s/composer/%s", em_str_c(&v->folder), path);
    if (path[0] == '/') {
        em_str_cut(&folder, 0);
        em_str_puts(&folder, path);
    }
    if (access(em_str_c(&folder), F_OK) == 0)
        return true;
    em_hint(
        em_errs_add(errs, EM_EXIT_REQUIREMENT,
                    "module %s: Composer has it on its list, but %s does not exist (%s)", name,
                    em_str_c(&folder), where),
        "the vendor folder was copied in part: see .dockerignore, or run composer install again");
    return false;
}

static void judge_package(const struct vendor *v, const char *name, const char *allowed,
                          const char *where, struct em_errs *errs)
{
    EM_STR_AUTO version = EM_STR_INIT;
    EM_STR_AUTO path = EM_STR_INIT;
    enum em_tristate there = em_composer_installed(em_str_c(&v->json), v->json.len, name, &version,
                                                   &path),
                     fits;

    if (!v->read || there == EM_NO) {
        say_missing(v, name, where, errs);
        return;
    }
    if (there == EM_UNKNOWN) {
        em_errs_add(errs, EM_EXIT_REQUIREMENT,
                    "module %s: %s/composer/installed.json is broken (%s)", name,
                    em_str_c(&v->folder), where);
        return;
    }
    if (!has_files(v, name, em_str_c(&path), where, errs) || !*allowed)
        return;
    fits = em_composer_allows(allowed, em_str_c(&version));
    if (fits == EM_UNKNOWN)
        em_log(EM_LOG_WARN, "require",
               "module %s: %s is installed, whether %s allows it is not judged (%s)", name,
               em_str_c(&version), allowed, where);
    else if (fits == EM_NO)
        em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT,
                            "module %s: %s is needed, %s is installed: %s/composer/%s (%s)", name,
                            allowed, em_str_c(&version), em_str_c(&v->folder), em_str_c(&path),
                            where),
                "composer install by the composer.lock that the service is tested with");
}

/* ---- Extensions and classes ------------------------------------------------------------------ */

/* php says at its start why an extension that php.ini names isn't loaded: the last of the places
 * that it tried tells of a missing library. */
static void explain_extension(const struct em_reply *reply, const char *name, struct em_err *err)
{
    EM_STR_AUTO start = EM_STR_INIT;
    EM_STR_AUTO line = EM_STR_INIT;
    EM_STR_AUTO what = EM_STR_INIT;
    EM_STR_AUTO hint = EM_STR_INIT;
    const char *found, *last;

    em_str_printf(&start, "Unable to load dynamic library '%s", name);
    found = strstr(em_str_c(&reply->said), em_str_c(&start));
    if (!found)
        return;
    em_str_add(&line, found, strcspn(found, "\n"));
    last = strrchr(em_str_c(&line), '(');
    for (const char *p = em_str_c(&line); (p = strstr(p, " (")); p++)
        if (strstr(p, ".so.") && !strstr(p + 2, " ("))
            last = p + 2;
    if (last && em_missing_library_explain(last, &what, &hint)) {
        em_str_printf(&err->text, "; %s", em_str_c(&what));
        em_hint(err, "%s", em_str_c(&hint));
    }
}

static bool is_extension(const char *name)
{
    return em_starts(name, "ext-");
}

/* Adds the reasons to the errors that em_interpreter_check_imports() has added. */
static void explain(const struct em_interpreter_probe *ask, const struct em_reply *reply,
                    size_t from, struct em_errs *errs)
{
    for (size_t i = from; i < errs->n; i++)
        for (size_t k = 0; k < ask->imports.n; k++) {
            EM_STR_AUTO start = EM_STR_INIT;

            em_str_printf(&start, "import %s: ", ask->imports.v[k]);
            if (is_extension(ask->imports.v[k]) &&
                em_starts(em_str_c(&errs->v[i].text), em_str_c(&start))) {
                em_hint(&errs->v[i],
                        "docker-php-ext-install %s, or install Debian's php-%s; php -m lists what "
                        "is loaded",
                        ask->imports.v[k] + 4, ask->imports.v[k] + 4);
                explain_extension(reply, ask->imports.v[k] + 4, &errs->v[i]);
            }
        }
}

static int run(const struct em_interpreter_probe *ask, const struct vendor *v, em_time until,
               struct em_errs *errs, struct em_err *err)
{
    EM_LIST_AUTO argv = EM_LIST_INIT;
    EM_FREE char *script = EM_SCRIPT(import_php);
    EM_STR_AUTO autoload = EM_STR_INIT;
    struct em_reply reply = {0};
    size_t before = errs->n;
    int code;

    em_str_printf(&autoload, "%s/autoload.php", em_str_c(&v->folder));
    em_list_add(&argv, ask->word);
    em_list_add(&argv, "-d");
    em_list_add(&argv, "display_errors=stderr");
    em_list_add(&argv, "-d");
    em_list_add(&argv, "display_startup_errors=1");
    em_list_add(&argv, "-d");
    em_list_add(&argv, "html_errors=0");
    em_list_add(&argv, "-r");
    em_list_add(&argv, script + strlen("<?php"));
    em_list_add(&argv, "--");
    em_list_add(&argv, access(em_str_c(&autoload), F_OK) == 0 ? em_str_c(&autoload) : "");
    for (size_t i = 0; i < ask->imports.n; i++)
        em_list_add(&argv, ask->imports.v[i]);
    code = em_interpreter_run(ask, &argv, NULL, until, &reply, errs, err);
    if (code == 0 && reply.ended.len) {
        em_interpreter_check_imports(
            ask, &reply, "-r 'require \"vendor/autoload.php\"; var_dump(class_exists(\"%\"));'",
            errs);
        explain(ask, &reply, before, errs);
    }
    em_reply_free(&reply);
    return code;
}

/* An extension among the modules is asked for as an import is: only php knows. */
static void judge_modules(struct em_interpreter_probe *ask, const struct vendor *v,
                          struct em_errs *errs)
{
    for (size_t i = 0; i < ask->modules.n; i++) {
        if (is_extension(ask->modules.v[i]))
            em_interpreter_probe_add_import(ask, ask->modules.v[i], "", ask->module_wheres.v[i]);
        else
            judge_package(v, ask->modules.v[i], ask->allowed.v[i], ask->module_wheres.v[i], errs);
    }
}

int em_require_php(const struct em_config *config, em_time until, struct em_errs *errs,
                   struct em_err *err)
{
    struct em_interpreter_probes asks = {0};
    struct vendor vendor = {0};
    int code = 0;

    em_interpreter_probes_collect(config, EM_LANGUAGE_PHP, &asks);
    if (asks.n)
        find_vendor(&vendor);
    for (size_t i = 0; i < asks.n && code == 0; i++) {
        judge_modules(&asks.v[i], &vendor, errs);
        if (asks.v[i].imports.n)
            code = run(&asks.v[i], &vendor, until, errs, err);
    }
    free_vendor(&vendor);
    em_interpreter_probes_free(&asks);
    return code;
}
