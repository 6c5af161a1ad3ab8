/* [require] module and import = node: …, manifest = package.json and package-lock.json: part of
 * em_require() (require.h).
 *
 * Where a module is looked for is told by core/languages/node/resolve.h, from the folder that
 * stages/require/node/files.h tells; $NODE_PATH counts. Node.js is started for import alone.
 */
#ifndef EMBARK_STAGES_REQUIRE_NODE_NODE_H
#define EMBARK_STAGES_REQUIRE_NODE_NODE_H

#include "embark/core/config/config.h"

/* As em_require(). */
int em_require_node(const struct em_config *config, const struct em_list *service, bool build_time,
                    em_time until, struct em_errs *errs, struct em_err *err);

/* Adds the errors of one package.json or package-lock.json. */
void em_require_package_json(const char *file, const char *where, struct em_errs *errs);
void em_require_package_lock(const char *file, const char *where, struct em_errs *errs);

#endif
