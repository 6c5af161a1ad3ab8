/* Whether the dynamic loader would find all libraries of a program: a part of em_exec_check().
 *
 * By the rules of ld.so(8) of glibc (RPATH, LD_LIBRARY_PATH, RUNPATH, ld.so.cache, the default
 * folders) and of musl's loader (LD_LIBRARY_PATH, RPATH or RUNPATH, /etc/ld-musl-ARCH.path), for
 * the program's libraries and theirs. Libraries that a program opens by itself later on (dlopen)
 * aren't known, nor is LD_PRELOAD looked at. Other loaders than these two aren't judged.
 */
#ifndef EMBARK_OS_EXEC_LIBRARIES_H
#define EMBARK_OS_EXEC_LIBRARIES_H

#include "embark/core/base/err.h"
#include "embark/core/executable/elf.h"

/* `elf` is what em_elf_read() made of `file`. 0: all are found, or it can't be told;
 * EM_EXIT_NOT_FOUND: each one that is missing is named, with what needs it. */
int em_elf_libs_check(const char *file, const struct em_elf_source *source,
                      const struct em_elf *elf, struct em_err *err);

#endif
