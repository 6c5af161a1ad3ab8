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
#include "embark/core/base/tristate.h"

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

/* A distribution's name as PEP 503 compares it: in lower case, with one "-" for each run of "-",
 * "_" and ".". */
void em_requirement_key(const char *name, size_t length, struct em_str *out);

/* A marker, evaluated where `variable` says what python_version, sys_platform… are (NULL: not
 * known) and `extra` is the extra asked for (""; none). Versions are compared as such where both
 * sides allow it, else as texts. EM_UNKNOWN: a variable that isn't known decides, or the marker is
 * malformed. */
struct em_marker_world {
    const char *(*variable)(void *ctx, const char *name);
    void *ctx;
    const char *extra;
};
enum em_tristate em_marker_holds(const char *marker, const struct em_marker_world *world);
/* Whether it is well-formed. */
bool em_marker_valid(const char *marker);

#endif
