/* Whether what a requirements.txt or a pyproject.toml names is installed, by what the interpreter
 * told.
 *
 * Pure.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_REQUIREMENTS_H
#define EMBARK_CORE_LANGUAGES_PYTHON_REQUIREMENTS_H

#include "embark/core/languages/python/inventory.h"

/* A requirement and where it stands: "requirements.txt:3". */
struct em_pip_needs {
    struct em_list texts, places;
    struct em_list constraints, constraint_places; /* bind what is installed; of -c FILE */
};
void em_pip_needs_free(struct em_pip_needs *needs);

/* Whom the messages are about. */
struct em_pip_context {
    const char *manifest; /* "requirements.txt" */
    const char *where;    /* "embark.ini:7" */
    const char *python;   /* the interpreter, as it was started */
    const char *version;  /* its own, or NULL */
};

/* Adds one error (EM_EXIT_REQUIREMENT) for each requirement that isn't met, or a single one if
 * nothing at all is installed. A requirement whose marker doesn't hold is none; an extra's
 * requirements are looked at too, as far as more->needs has them. What can't be judged is added to
 * `doubts`. */
void em_pip_check(const struct em_python_inventory *more, const struct em_pip_needs *needs,
                  const struct em_pip_context *context, struct em_errs *errs,
                  struct em_list *doubts);

#endif
