/* The first line of a script, read as the kernel does (binfmt_script), and what it comes to in the
 * end.
 *
 * Pure; the bytes are hostile and need not be text.
 */
#ifndef EMBARK_CORE_EXECUTABLE_SHEBANG_H
#define EMBARK_CORE_EXECUTABLE_SHEBANG_H

#include "embark/core/base/str.h"

/* The kernel reads this much of the first line (since 5.1; 128 bytes before). */
#define EM_SHEBANG_LINE 256
/* And this much is worth giving to em_shebang_read(), for the second line of scripts with a long
 * interpreter. */
#define EM_SHEBANG_BYTES 4096

enum em_shebang_state {
    EM_SHEBANG_OK,
    EM_SHEBANG_NONE,  /* no #! */
    EM_SHEBANG_EMPTY, /* #! and nothing behind it */
    EM_SHEBANG_LONG,  /* the interpreter's path is longer than what the kernel reads */
};

struct em_shebang {
    char *interpreter; /* what the kernel executes: "/usr/bin/env". Owned, like all below */
    char *argument;    /* the rest of the line, given to it as one word; or NULL */
    bool cr; /* the line ends in CR, which the kernel takes for part of the last word; it is taken
                off here */

    /* What the script runs in, seen through env(1) and through the "#!/bin/sh" followed by '''exec'
     * that pip, distlib and uv write where a #! line would be too long, has a blank, or must be
     * movable; otherwise, and where that can't be told, the interpreter. */
    char *program;
    struct em_list arguments; /* of it, as far as the line gives them */
    bool in_path;             /* the program's name is looked up in PATH (env) */
    bool beside;   /* the program's path is relative to the script's own directory (uv, movable) */
    bool one_word; /* env without -S is given several words as one, and won't find it */
};

/* Fills `out`, which em_shebang_free() releases whatever the result is. */
enum em_shebang_state em_shebang_read(const char *bytes, size_t length, struct em_shebang *out);
void em_shebang_free(struct em_shebang *shebang);

#endif
