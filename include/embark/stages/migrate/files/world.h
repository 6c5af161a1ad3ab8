/* Where the migrations' tool looks (core/tools/tools.h), with the image's files and our
 * environment. */
#ifndef EMBARK_STAGES_MIGRATE_FILES_WORLD_H
#define EMBARK_STAGES_MIGRATE_FILES_WORLD_H

#include "embark/core/config/config.h"
#include "embark/core/tools/tools.h"

/* What [migrate] command starts. The caller frees it: EM_TOOL_SEARCH_AUTO s = {0}. */
void em_migration_search(const struct em_config *config, struct em_tool_search *s);

/* The folders that the command's Python has in sys.path beside the program's own, as far as files
 * tell it: PYTHONPATH, site-packages of its environment and of the system, what .pth files add.
 * Nothing is executed. False: that can't be told, and `why` says why. */
bool em_python_folders(const struct em_config *config, struct em_list *folders, struct em_str *why);

#endif
