/* Node's versions and ranges, as npm's semver reads them (not loosely).
 *
 *     1.2.3-beta.4+build     ^1.2.3  ~1.2  1.x  *  >=1.2 <2 || 3.0.0  1.2 - 2.3
 *
 * A pre-release is in a range only if one of the range's comparators has a pre-release of the same
 * major.minor.patch: ^1.2.3 doesn't take 1.3.0-beta. Numbers above 2^53 - 1 make a text no version,
 * as in JavaScript. Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_NODE_SEMVER_H
#define EMBARK_CORE_LANGUAGES_NODE_SEMVER_H

#include <stdint.h>

#include "embark/core/base/tristate.h"

enum { EM_SEMVER_PRE = 128 };

struct em_semver {
    uint64_t n[3];           /* major, minor, patch */
    char pre[EM_SEMVER_PRE]; /* "beta.4"; "": none. A build is read and forgotten. */
};

/* False: no version. A leading "v" or "=" is taken. */
bool em_semver_read(const char *text, struct em_semver *version);
int em_semver_compare(const struct em_semver *a, const struct em_semver *b); /* <0, 0, >0 */

/* Whether `range` is one; "latest", "github:a/b", "file:../x" and "npm:x@1" aren't. */
bool em_semver_is_range(const char *range);
/* EM_UNKNOWN: `range` or `version` isn't one. */
enum em_tristate em_semver_allows(const char *range, const char *version);

#endif
