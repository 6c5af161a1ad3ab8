/* Reads the files of folders of migrations into a list, and says what could not be read. */
#ifndef EMBARK_STAGES_MIGRATE_FILES_WALK_H
#define EMBARK_STAGES_MIGRATE_FILES_WALK_H

#include "embark/core/migrations/filelist.h"
#include "embark/core/tools/tools.h"

struct em_migration_walk {
    struct em_filelist *files;
    const struct em_tool *tool; /* NULL: all files count that can be a migration's */
    struct em_str *why;         /* the first thing that could not be read: "sql/b: Permission…" */
    /* Inside: */
    struct em_filelist installed;
    size_t entries, files_read;
    bool compiled;
    bool all; /* the user has named them: whatever they are called */
    enum em_tool_depth depth;
    size_t root; /* how long the root's path is, of installed packages */
    struct em_ancestor {
        unsigned long long device, inode;
    } * above;
    size_t levels;
};

/* Adds the files of a place. That it isn't there is told if it was named. */
void em_migration_walk(struct em_migration_walk *walk, const struct em_tool_place *place);
/* Adds what is at a path, and all that is below it. */
void em_migration_walk_all(struct em_migration_walk *walk, const char *path);
/* Adds the one entry that stands for all installed packages' migrations; frees what is inside. */
void em_migration_walk_end(struct em_migration_walk *walk);

#endif
