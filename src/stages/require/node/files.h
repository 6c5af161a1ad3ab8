/* The file system as core/languages/node/resolve.h asks for it, and where the service's script is.
 */
#ifndef EMBARK_STAGES_REQUIRE_NODE_FILES_H
#define EMBARK_STAGES_REQUIRE_NODE_FILES_H

#include "embark/core/languages/node/resolve.h"

extern const struct em_node_files em_node_files_real;

/* The folder from which the service's modules are looked for: that of its script (links followed),
 * if its command is node [OPTION…] SCRIPT or a script that runs in node and is not itself below
 * node_modules; else the folder in which the command starts (stages/require/started/started.h). Absolute. `service`
 * may be NULL. Adds to `doubt` why that can't be told, if it can't. */
void em_node_directory(const struct em_list *service, struct em_str *out, struct em_str *doubt);

#endif
