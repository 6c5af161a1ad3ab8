/* One look at all files of the bundle's folders: part of em_bundle() (bundle.h). */
#ifndef EMBARK_STAGES_BUNDLE_WALK_H
#define EMBARK_STAGES_BUNDLE_WALK_H

#include "embark/core/bundle/search.h"
#include "embark/core/config/config.h"

/* Bytes of the same file in front of and behind a text that was found, as far as there are any. */
enum { EM_LOOK_BEFORE = 512, EM_LOOK_BEHIND = 1024 };

/* No more than so much of all folders together is looked at. */
enum { EM_LOOK_GIB = 4 };

struct em_bundle_walk {
    struct em_search scan; /* the caller's texts */
    em_search_found
        found; /* called with a struct em_bundle_walk as its ctx; sees the fields below */
    void *ctx; /* the caller's */

    const char *path; /* of this file */
    size_t files;     /* looked at so far, with this one: a number of its own for each file */
    unsigned long long bytes;
    const char *block; /* what `at` is a place in */
    size_t length;

    struct em_str unreadable; /* "PATH: Permission denied", the first */
    size_t unreadable_count;
    struct em_str broken; /* the same for what is no matter of permissions: "PATH: I/O error" */
    size_t compressed;    /* .gz, .br and .zst without an original beside them */
    char *buffer;
    size_t size;
    unsigned blocks; /* read so far */
};

/* Looks at all files below the folder. As em_tree_walk(). */
int em_bundle_walk_run(struct em_bundle_walk *look, const char *dir, struct em_err *err);
void em_bundle_walk_free(struct em_bundle_walk *look);

#endif
