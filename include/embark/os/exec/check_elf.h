/* Why the system doesn't execute an ELF file: the part of em_exec_check() (exec.h) that looks at
 * ELF. */
#ifndef EMBARK_OS_EXEC_CHECK_ELF_H
#define EMBARK_OS_EXEC_CHECK_ELF_H

#include <stdint.h>

#include "embark/core/base/err.h"
#include "embark/core/executable/elf.h"

/* `fd` is the opened `file`, of `size` bytes, which begins with \177ELF. 0: nothing is wrong with
 * it; else EM_EXIT_NOT_FOUND (its loader or a library is missing) or EM_EXIT_NOT_EXECUTABLE (cut
 * off, damaged, not a program, for another machine). */
int em_exec_check_elf(const char *file, int fd, uint64_t size, struct em_err *err);

/* Whether the image has a loader of that libc: a file with such a name in one of the folders where
 * they are. Its path is added to `name`, which is empty before. */
bool em_image_has_libc(enum em_libc libc, struct em_str *name);

#endif
