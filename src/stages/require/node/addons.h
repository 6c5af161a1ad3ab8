/* The addons that a package was compiled to (build/Release/NAME.node): whether the shared libraries
 * are there that they need. Files are read, nothing is loaded. */
#ifndef EMBARK_STAGES_REQUIRE_NODE_ADDONS_H
#define EMBARK_STAGES_REQUIRE_NODE_ADDONS_H

#include "embark/core/base/err.h"

/* Adds an error for each that can't be loaded by `node`, a name or path; `package` is the folder.
 */
void em_node_addons(const char *node, const char *name, const char *package, const char *where,
                    struct em_errs *errs);

#endif
