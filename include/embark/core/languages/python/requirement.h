/* What a Python project requires, by PEP 508: one requirement.
 *
 *     uvicorn[standard]>=0.30,<1 ; python_version >= "3.9"
 *     pip @ https://example.com/pip-1.3.1.zip ; sys_platform == "linux"
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_REQUIREMENT_H
#define EMBARK_CORE_LANGUAGES_PYTHON_REQUIREMENT_H

#include "embark/core/base/err.h"

struct em_requirement {
    char *name;            /* as it is written */
    char *key;             /* normalised: em_requirement_key() */
    struct em_list extras; /* normalised */
    char *spec;            /* ">=0.30,<1" (core/languages/python/pep440.h); "": any version */
    char *url;             /* or NULL */
    char *marker;          /* or NULL */
};

/* EM_EXIT_REQUIREMENT: what is wrong with the text. Fill and release: em_requirement_free(), in any
 * case. */
int em_requirement_read(const char *text, struct em_requirement *r, struct em_err *err);
void em_requirement_free(struct em_requirement *r);

#endif
