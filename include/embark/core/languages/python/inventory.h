/* What src/stages/require/python/inventory.py tells: versions, what is installed. Its first comment
 * has the lines' meaning; their form is that of core/languages/reply/reply.h; what it tells of
 * imports is for core/languages/reply/imports.h.
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_INVENTORY_H
#define EMBARK_CORE_LANGUAGES_PYTHON_INVENTORY_H

#include "embark/core/base/err.h"
#include "embark/core/languages/python/marker.h"
#include "embark/core/languages/python/requirement.h"

/* An installed distribution. */
struct em_python_dist {
    char *name, *key, *version, *at; /* key: em_requirement_key(); at: the folder of its metadata */
};

/* A distribution's requirements (Requires-Dist, extras' with their markers), or those of a
 * pyproject.toml. */
struct em_python_needs {
    char *of; /* key of the distribution, or the file */
    struct em_list lines;
    struct em_list doubts, extras; /* what can't be judged; extras that it hasn't got */
    struct em_list pythons;        /* versions of Python that it wants */
    char *broken;                  /* it could not be read: why. Or NULL */
};

struct em_python_provider {
    char *module, *key; /* key: of the distribution; NULL: none says that the module is of it */
};

struct em_python_inventory {
    bool answered; /* the question was understood */
    struct em_python_dist *dists;
    struct em_python_needs *needs, *tomls;
    struct em_python_provider *providers;
    size_t dist_count, needs_count, toml_count, provider_count;
    struct em_list markers; /* "os_name posix" */
};

/* Fills `more`, which em_python_inventory_free() releases. */
void em_python_inventory_read(struct em_python_inventory *more, const char *bytes, size_t length);
void em_python_inventory_free(struct em_python_inventory *more);

/* NULL: there is none. Keys are normalised. */
const struct em_python_dist *em_python_dist_of(const struct em_python_inventory *more,
                                               const char *key);
const struct em_python_dist *em_python_provider_of(const struct em_python_inventory *more,
                                                   const char *module);
const struct em_python_needs *em_python_needs_of(const struct em_python_inventory *more,
                                                 const char *key);
const struct em_python_needs *em_python_toml_of(const struct em_python_inventory *more,
                                                const char *file);

/* For em_marker_holds(): the interpreter's environment. */
struct em_marker_world em_python_marker_world(const struct em_python_inventory *more,
                                              const char *extra);

#endif
