/* All regular files of a folder and of those below it, whatever else is in there.
 *
 * No symbolic link is followed (but the root itself may be one), so that neither a loop of links
 * nor a link that leads out of the folder is anything but a name; FIFOs, sockets and devices are
 * not opened. A file that changes while it is looked at is a short read and no more. What can't be
 * looked at is told and passed over.
 */
#ifndef EMBARK_OS_FILES_TREE_H
#define EMBARK_OS_FILES_TREE_H

#include <stdint.h>
#include <sys/stat.h>

#include "embark/core/base/err.h"

/* How deep folders are looked into: each level holds a descriptor. */
enum { EM_TREE_DEPTH = 128 };

struct em_tree {
    /* Whether to open the file `name` in the folder `dir` (a descriptor); NULL: all. */
    bool (*wanted)(void *ctx, int dir, const char *name);
    /* A regular file, opened. `path` begins with the root's own, and may hold any bytes. */
    void (*file)(void *ctx, const char *path, int fd, const struct stat *st);
    /* A folder or file that can't be looked at, and why: an errno, and "Permission denied"; 0 where
     * folders are nested too deeply. */
    void (*problem)(void *ctx, const char *path, int error, const char *why);
    void *ctx;
};

/* Calls these for all that is below `root`, in no particular order. EM_EXIT_REQUIREMENT: the root
 * isn't a folder that can be read, with err->text saying why ("is a file, not a directory"); 128 +
 * n: stopped by a signal. */
int em_tree_walk(const char *root, const struct em_tree *tree, struct em_err *err);

/* Reads up to `length` bytes at the file's position. Fewer: the end, or *error (else 0). */
size_t em_tree_read(int fd, char *into, size_t length, int *error);

#endif
