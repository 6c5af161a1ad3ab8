/* Where Node.js finds a module: the rules of require() and import, on look-ups that the caller
 * answers.
 *
 * The names: "express", "@scope/pkg", "pkg/sub/file.js", "./dist/main.js", "/abs/file", "node:fs",
 * "fs". A name is found if either require() or import would load a file for it; package.json's
 * "exports" and "main" are followed as far as whether files exist. Nothing is executed.
 *
 * Pure; the bytes of a package.json are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_NODE_RESOLVE_H
#define EMBARK_CORE_LANGUAGES_NODE_RESOLVE_H

#include "embark/core/base/err.h"

enum em_node_kind { EM_NODE_NOTHING, EM_NODE_FILE, EM_NODE_DIR, EM_NODE_BROKEN };

struct em_node_files {
    /* What a path leads to, links followed. EM_NODE_BROKEN: a symbolic link to nothing. */
    enum em_node_kind (*kind)(void *ctx, const char *path);
    /* Adds a file's bytes. False: it can't be read. */
    bool (*read)(void *ctx, const char *path, struct em_str *out);
    void *ctx;
};

struct em_node_found {
    bool found, builtin;
    struct em_str file;    /* what is loaded, if found */
    struct em_str package; /* the package's folder; "" if there is none */
    struct em_str version; /* of its package.json; "" */
    struct em_list looked; /* node_modules folders that exist, in order */
    struct em_list broken; /* symbolic links to nothing that stand in the package's place */
    struct em_str why; /* a clause for what is in the way: "/app/node_modules/x/package.json: its
                          main dist/index.js does not exist"; "" if there is nothing at all */
};

/* `dir` is absolute: the folder of the file that asks. `node_path` is $NODE_PATH, or NULL. The
 * caller frees `found` by em_node_found_free() and gives it zeroed. */
void em_node_resolve(const struct em_node_files *files, const char *dir, const char *node_path,
                     const char *name, struct em_node_found *found);
void em_node_found_free(struct em_node_found *found);

/* Whether the name is a module of Node's own: "fs", "node:fs", "fs/promises". */
bool em_node_builtin(const char *name);
/* How long the part of a name is that names the package: "@scope/pkg" of "@scope/pkg/sub". */
size_t em_node_package_length(const char *name);
/* The folder of a package, whether it can be loaded or not: the nearest node_modules/NAME with a
 * package.json. False: there is none. `broken` gets links that lead to nothing. */
bool em_node_package(const struct em_node_files *files, const char *dir, const char *node_path,
                     const char *package, struct em_str *folder, struct em_str *version,
                     struct em_list *broken);

#endif
