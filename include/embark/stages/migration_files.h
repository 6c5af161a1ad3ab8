/* The files of the image's migrations. */
#ifndef EMBARK_STAGES_MIGRATION_FILES_H
#define EMBARK_STAGES_MIGRATION_FILES_H

#include "embark/core/config.h"
#include "embark/core/filelist.h"

/* Reads what [migrate] files names, or what the command's tool is known to keep (core/tool.h), and
 * hashes it. A pattern that names a directory stands for every regular file below it. Compiled
 * leftovers
 * (__pycache__, *.pyc), __init__.py and files whose names start with a dot are left out. An empty
 * list is no error: the files are not known then. EM_EXIT_CONFIG: a pattern of the configuration
 * that matches nothing, or a file that can't be read. */
int em_migration_files(const struct em_config *config, struct em_filelist *files,
                       struct em_err *err);

#endif
