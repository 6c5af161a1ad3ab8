/* The files of the image's migrations. */
#ifndef EMBARK_STAGES_MIGRATE_FILES_FILES_H
#define EMBARK_STAGES_MIGRATE_FILES_FILES_H

#include "embark/core/config/config.h"
#include "embark/core/migrations/filelist.h"
#include "embark/core/tools/tools.h"

/* What a migration is made of, as far as the image tells.
 *
 * `complete` is what a start may rely on: every place where the tool looks was read, by the tool's
 * own rules, or the user has named the files. A list that isn't complete is good for messages only:
 * what is not seen may be new. */
struct em_migration_files {
    struct em_filelist list;
    bool by_url_schema;         /* [migrate] sql's act in the schema that the URL names: Prisma's */
    struct em_list order;       /* of [migrate] sql: their paths, as they are applied */
    const struct em_tool *tool; /* that the command starts; NULL: not known, or [migrate] sql */
    bool complete;
    struct em_str why; /* not complete: the reason, one clause: "Flyway's location classpath:db lies
                          in a jar" */
    struct em_str hint; /* not complete: what would make it complete */
    /* Where the tool notes what it has applied, by the command's words, the environment and the
     * tool's configuration. `table` is a bare name, "": not known, and table_why says why (no tool:
     * both are empty). `schema` is the one that the tool's settings name; "": the first of the
     * session's search_path. */
    struct em_str table, schema, table_why;
    struct em_str settings; /* what else steers the command (em_tool_search.settings) */
};
#define EM_MIGRATION_FILES_AUTO \
    __attribute__((cleanup(em_migration_files_free))) struct em_migration_files
void em_migration_files_free(struct em_migration_files *files);

/* Reads what [migrate] files names, or what the command's tool is known to keep
 * (core/tools/tools.h), and hashes it. A pattern that names a directory stands for every regular
 * file below it. __pycache__, __init__.py (but Django's) and what version control and editors leave
 * behind are left out. An empty list is no error: the files are not known then. EM_EXIT_CONFIG: a
 * pattern of the configuration that matches nothing, or a file that can't be read. */
int em_migration_files(const struct em_config *config, struct em_migration_files *files,
                       struct em_err *err);

#endif
