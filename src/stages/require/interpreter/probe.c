#include "embark/stages/require/interpreter/probe.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/reply/imports.h"
#include "embark/os/process/spawn.h"

enum { ANSWER_MAX = 1024 * 1024 };

struct em_interpreter_probe *em_interpreter_probe_of(struct em_interpreter_probes *asks,
                                                     const char *word)
{
    for (size_t i = 0; i < asks->n; i++)
        if (strcmp(asks->v[i].word, word) == 0)
            return &asks->v[i];
    asks->v = em_realloc(asks->v, asks->n + 1, sizeof(*asks->v));
    asks->v[asks->n] = (struct em_interpreter_probe){.word = em_strdup(word)};
    return &asks->v[asks->n++];
}

void em_interpreter_probe_add_module(struct em_interpreter_probe *ask,
                                     const struct em_module *module, const char *where)
{
    em_list_add(&ask->modules, module->name);
    em_list_add(&ask->allowed, module->allowed);
    em_list_add(&ask->module_wheres, where);
}

void em_interpreter_probe_add_import(struct em_interpreter_probe *ask, const char *name,
                                     const char *file, const char *where)
{
    if (em_list_has(&ask->imports, name))
        return;
    em_list_add(&ask->imports, name);
    em_list_add(&ask->files, file);
    em_list_add(&ask->import_wheres, where);
}

void em_interpreter_probes_free(struct em_interpreter_probes *asks)
{
    for (size_t i = 0; i < asks->n; i++) {
        struct em_interpreter_probe *ask = &asks->v[i];

        free(ask->word);
        em_list_free(&ask->modules);
        em_list_free(&ask->allowed);
        em_list_free(&ask->module_wheres);
        em_list_free(&ask->imports);
        em_list_free(&ask->files);
        em_list_free(&ask->import_wheres);
    }
    free(asks->v);
    *asks = (struct em_interpreter_probes){0};
}

static void collect(const struct em_items *items, bool import, enum em_language language,
                    struct em_interpreter_probes *asks)
{
    for (size_t i = 0; i < items->n; i++) {
        struct em_modules modules;
        EM_ERR_AUTO err = EM_ERR_INIT;

        /* What is malformed em_require_validate() has said. */
        if (em_modules_read(items->v[i], import, &modules, &err) == 0 &&
            modules.language == language)
            for (size_t k = 0; k < modules.n; k++) {
                struct em_interpreter_probe *ask = em_interpreter_probe_of(asks, modules.word);

                if (import)
                    em_interpreter_probe_add_import(ask, modules.v[k].name, "", items->where[i]);
                else
                    em_interpreter_probe_add_module(ask, &modules.v[k], items->where[i]);
            }
        em_modules_free(&modules);
    }
}

void em_interpreter_probes_collect(const struct em_config *config, enum em_language language,
                                   struct em_interpreter_probes *asks)
{
    collect(&config->require_module, false, language, asks);
    collect(&config->require_import, true, language, asks);
}

void em_reply_free(struct em_reply *reply)
{
    em_str_free(&reply->out);
    em_str_free(&reply->said);
    em_str_free(&reply->ended);
}

int em_interpreter_run(const struct em_interpreter_probe *ask, const struct em_list *argv,
                       const struct em_list *env, em_time until, struct em_reply *reply,
                       struct em_errs *errs, struct em_err *err)
{
    const struct em_list *wheres = ask->import_wheres.n ? &ask->import_wheres : &ask->module_wheres;
    struct em_spawn spawn = {.argv = argv->v,
                             .environ = env ? env->v : NULL,
                             .in = -1,
                             .out = -1,
                             .err = -1,
                             .own_group = true};
    int status = 0;
    int code =
        em_capture(&spawn, NULL, 0, ANSWER_MAX, until, &reply->out, &reply->said, &status, err);

    if (code == EM_EXIT_SYSTEM || code > EM_EXIT_NOT_FOUND)
        return code;
    if (code == 0) {
        em_child_explain(status, &reply->ended);
    } else if (code == EM_EXIT_UNREACHABLE) {
        em_str_puts(&reply->ended, "did not end in time");
    } else {
        em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT, "%s: %s (%s)",
                            ask->import_wheres.n ? "import" : "module", em_str_c(&err->text),
                            wheres->v[0]),
                "%s", em_str_c(&err->hint));
    }
    em_err_free(err);
    return 0;
}

static void try_command(const char *try, const char *name, struct em_str *out)
{
    for (; *try; try++) {
        if (*try == '%')
            em_str_puts(out, name);
        else
            em_str_putc(out, *try);
    }
}

void em_interpreter_check_imports(const struct em_interpreter_probe *ask,
                                  const struct em_reply *reply, const char *try,
                                  struct em_errs *errs)
{
    struct em_imports imports;

    em_imports_read(&imports, em_str_c(&reply->out), reply->out.len);
    for (size_t i = 0; i < ask->imports.n; i++) {
        EM_STR_AUTO command = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;

        em_str_printf(&command, "%s ", ask->word);
        try_command(try, ask->imports.v[i], &command);
        if (em_import_check(&imports, ask->imports.v[i], ask->word, em_str_c(&reply->ended),
                            em_str_c(&command), &err))
            continue;
        em_str_printf(&err.text, " (%s)", ask->import_wheres.v[i]);
        em_errs_take(errs, &err);
    }
    em_imports_free(&imports);
}
