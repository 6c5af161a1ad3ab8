/* What a package.json and a package-lock.json say must be installed. JSON is read by jansson.
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_NODE_NPM_H
#define EMBARK_CORE_LANGUAGES_NODE_NPM_H

#include "embark/core/base/tristate.h"

struct em_npm_need {
    char *name;  /* "@scope/pkg" */
    char *range; /* package.json: as it stands there; a lock file: the one version */
    char *path; /* a lock file's "node_modules/a/node_modules/b"; NULL: wherever Node.js finds it */
    bool link; /* of a lock file: a workspace or file: dependency, of which only existence counts */
};

struct em_npm_needs {
    struct em_npm_need *v;
    size_t n;
};

/* "dependencies", without what "optionalDependencies" has too; devDependencies and peerDependencies
 * aren't for an image that runs. False: why says what is wrong. */
bool em_npm_read_package(const char *json, size_t length, struct em_npm_needs *needs,
                         struct em_str *why);
/* Of the versions 1, 2 and 3; what is marked dev, optional or peer is left out. */
bool em_npm_read_lock(const char *json, size_t length, struct em_npm_needs *needs,
                      struct em_str *why);
void em_npm_needs_free(struct em_npm_needs *needs);

/* Whether a package.json has the package in "dependencies", or with `dev` in "devDependencies". */
bool em_npm_depends(const char *json, size_t length, const char *package, bool dev);
/* Its "name", and the text of one of its "scripts". False: there is none. */
bool em_npm_name(const char *json, size_t length, struct em_str *name);
bool em_npm_script(const char *json, size_t length, const char *script, struct em_str *text);

/* Whether a range of package.json allows a version. Understood beside semver: "npm:name@range",
 * "workspace:range" and "". EM_UNKNOWN: an address, a tag. */
enum em_tristate em_npm_allows(const char *range, const char *version);

#endif
