/* What one start of a Python interpreter is asked beyond where modules are: versions, imports,
 * manifests. Part of require_python.c; src/stages/require/python/inventory.py answers.
 */
#ifndef EMBARK_STAGES_REQUIRE_PYTHON_QUESTIONS_H
#define EMBARK_STAGES_REQUIRE_PYTHON_QUESTIONS_H

#include "embark/core/languages/manifest.h"
#include "embark/core/languages/module.h"
#include "embark/core/languages/python/lookup.h"
#include "embark/core/languages/python/requirements.h"

struct em_python_manifest {
    char *file, *extras, *where;
    bool toml;
    struct em_pip_needs needs; /* of files that embark reads itself */
    struct em_list doubts;
};

struct em_python_questions {
    struct em_list modules, allowed, module_wheres; /* those with a version */
    struct em_list imports, import_wheres;
    struct em_python_manifest *manifests;
    size_t manifest_count;
};

void em_python_questions_add_version(struct em_python_questions *ask,
                                     const struct em_module *module, const char *where);
void em_python_questions_add_import(struct em_python_questions *ask, const char *name,
                                    const char *where);
/* Reads a requirements.txt, and the files that it includes; what can't be read is an error. */
void em_python_questions_add_manifest(struct em_python_questions *ask,
                                      const struct em_manifest *manifest, const char *where,
                                      struct em_errs *errs);
void em_python_questions_free(struct em_python_questions *ask);

/* Adds the words of the questions to the probe's command line; none if there is no question. */
void em_python_questions_words(const struct em_python_questions *ask, struct em_list *argv);

/* The errors, from the answer's bytes. `python` is the interpreter; `answer` says which modules
 * were found: nothing more is said of the others. `status` is waitpid's. */
void em_python_questions_check(struct em_python_questions *ask, const char *python,
                               const struct em_python_lookup *answer, const struct em_str *bytes,
                               int status, struct em_errs *errs);

/* Adds the names of the manifests, if all of them could be read whole and no requirement in them
 * may bring the module; nothing else. */
void em_python_ask_unlisted(const struct em_python_questions *ask, const struct em_str *bytes,
                            const char *module, struct em_str *manifests);

/* Whether the answer of an interpreter that was ended stops in the middle of an import; adds the
 * module's name. */
bool em_python_questions_hanging(const struct em_str *bytes, struct em_str *name);

#endif
