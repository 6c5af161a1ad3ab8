/* Where a dynamic loader looks for one library: part of em_elf_libs_check() (libraries.h). */
#ifndef EMBARK_OS_EXEC_LIBRARY_SEARCH_H
#define EMBARK_OS_EXEC_LIBRARY_SEARCH_H

#include "embark/core/executable/elf_needs.h"

/* A program or library that is loaded. */
struct em_object {
    char *path;
    struct em_elf_needs needs;
    const struct em_object *loader; /* what needed it first; NULL: the program itself */
};

/* What is the same for all libraries of a program. */
struct em_elf_search {
    enum em_libc libc;
    const struct em_elf *elf;    /* the program's: machine and class */
    struct em_list library_path; /* LD_LIBRARY_PATH */
    struct em_list defaults;     /* the loader's own folders */
    struct em_str cache;         /* glibc's ld.so.cache; "" if there is none */
    bool doubt; /* a path with what we don't expand ($LIB, $PLATFORM) was met: what isn't found
                   there isn't known to be missing */
};

/* Reads the environment and the loader's files. */
void em_elf_search_start(struct em_elf_search *search, const struct em_elf *elf);
void em_elf_search_end(struct em_elf_search *search);

/* The library `name` that `by` needs: fills `path`. False: it is nowhere; `wrong` then names a file
 * of that name which is for another machine or no library, if there is one. */
bool em_elf_search(struct em_elf_search *search, const struct em_object *by, const char *name,
                   struct em_str *path, struct em_str *wrong);

#endif
