/* One start of an interpreter that is asked about modules: for node, ruby and php. (python's own is
 * in require_python.c.)
 */
#ifndef EMBARK_STAGES_REQUIRE_INTERPRETER_PROBE_H
#define EMBARK_STAGES_REQUIRE_INTERPRETER_PROBE_H

#include "embark/core/config/config.h"
#include "embark/core/languages/module.h"

/* What one interpreter is asked. */
struct em_interpreter_probe {
    char *word; /* its name or path: "node", "/opt/ruby/bin/ruby" */
    struct em_list modules, allowed, module_wheres;
    struct em_list imports, files, import_wheres; /* files: where an import's code is; "" */
};

struct em_interpreter_probes {
    struct em_interpreter_probe *v;
    size_t n;
};

/* The one for that interpreter, new if there is none. Valid until the next call. */
struct em_interpreter_probe *em_interpreter_probe_of(struct em_interpreter_probes *asks,
                                                     const char *word);
void em_interpreter_probe_add_module(struct em_interpreter_probe *ask,
                                     const struct em_module *module, const char *where);
void em_interpreter_probe_add_import(struct em_interpreter_probe *ask, const char *name,
                                     const char *file, const char *where); /* once for each name */
void em_interpreter_probes_free(struct em_interpreter_probes *asks);
/* Sorts all lines of module and import that are about the language. */
void em_interpreter_probes_collect(const struct em_config *config, enum em_language language,
                                   struct em_interpreter_probes *asks);

struct em_reply {
    struct em_str out, said; /* its stdout and stderr */
    struct em_str ended;     /* "exited with status 0"; "" when it could not be started, which is an
                                error already */
};
void em_reply_free(struct em_reply *reply);

/* Starts `argv` with the environment `env` (NULL: embark's own) and waits for its end. 0: see
 * reply->ended; 128 + n or EM_EXIT_SYSTEM as em_require(). */
int em_interpreter_run(const struct em_interpreter_probe *ask, const struct em_list *argv,
                       const struct em_list *env, em_time until, struct em_reply *reply,
                       struct em_errs *errs, struct em_err *err);

/* Adds an error for each import that failed. `try` is the hint's command, in which % stands for the
 * name. */
void em_interpreter_check_imports(const struct em_interpreter_probe *ask,
                                  const struct em_reply *reply, const char *try,
                                  struct em_errs *errs);

#endif
