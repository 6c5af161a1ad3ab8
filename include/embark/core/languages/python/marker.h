/* Environment markers of PEP 508: python_version >= "3.9" and extra == "postgres".
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_MARKER_H
#define EMBARK_CORE_LANGUAGES_PYTHON_MARKER_H

#include <stdbool.h>

#include "embark/core/base/tristate.h"

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
