/* Composer's versions and ranges, as composer/semver reads them, and the list of what Composer has
 * installed.
 *
 *     ^3.1  ~3.1 (>=3.1 <4)  3.*  >=3 <4  >=3,<4  1.0 - 2.0  ^2 || ^3  3.1.0
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PHP_COMPOSER_H
#define EMBARK_CORE_LANGUAGES_PHP_COMPOSER_H

#include "embark/core/base/tristate.h"

bool em_composer_is_range(const char *range);
/* EM_UNKNOWN: a branch ("dev-main"), or a malformed text. Stability flags (@dev) say nothing of
 * what is installed and are passed over. */
enum em_tristate em_composer_allows(const char *range, const char *version);

/* What vendor/composer/installed.json says of `name`: a version, also of what another package
 * replaces or provides. EM_UNKNOWN: the JSON is broken. `version` and `path` (relative to
 * vendor/composer; "" where it isn't told, or of a replaced one) are set on EM_YES. */
enum em_tristate em_composer_installed(const char *json, size_t length, const char *name,
                                       struct em_str *version, struct em_str *path);

/* Adds the folder that a composer.json has the packages in (config's vendor-dir); nothing if it
 * sets none. */
void em_composer_vendor_dir(const char *json, size_t length, struct em_str *folder);

/* Adds the packages (VENDOR/NAME) that a composer.json requires: neither php nor extensions, nor
 * what only development needs. */
void em_composer_requires(const char *json, size_t length, struct em_list *packages);

#endif
