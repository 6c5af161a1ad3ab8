/* Which script a service's command has Node.js run. Pure. */
#ifndef EMBARK_CORE_LANGUAGES_NODE_COMMAND_LINE_H
#define EMBARK_CORE_LANGUAGES_NODE_COMMAND_LINE_H

#include "embark/core/base/str.h"

/* Whether a program's name or path is that of Node.js: "node", "nodejs", "/usr/bin/node22". */
bool em_node_is(const char *path);

/* The script of `node [OPTION…] SCRIPT`, wherever that stands in the words (behind tini, env,
 * dumb-init…): an index of `words`; 0: there is none, as with npm start, node -e and node -. */
size_t em_node_script(char *const *words, size_t count);

#endif
