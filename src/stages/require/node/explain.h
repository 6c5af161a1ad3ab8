/* Why Node.js doesn't find a module: part of require_node.c. */
#ifndef EMBARK_STAGES_REQUIRE_NODE_EXPLAIN_H
#define EMBARK_STAGES_REQUIRE_NODE_EXPLAIN_H

#include "embark/core/languages/node/resolve.h"

/* Sets err (EM_EXIT_REQUIREMENT): "module express: not found by Node.js from /app; …" and a hint.
 * `key` is "module" or "import". */
void em_node_explain(const char *dir, const char *key, const char *name,
                     const struct em_node_found *found, struct em_err *err);

/* Whether Yarn's Plug'n'Play answers for what the folder's files import, and not node_modules: adds
 * the path of its .pnp.cjs, which stands there or above. */
bool em_node_pnp(const char *dir, struct em_str *path);

#endif
