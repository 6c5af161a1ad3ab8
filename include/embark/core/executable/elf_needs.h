/* What the dynamic loader is told by an ELF file: which libraries it needs and where they may be.
 *
 * As core/executable/elf.h: the bytes are hostile and come through struct em_elf_source.
 */
#ifndef EMBARK_CORE_EXECUTABLE_ELF_NEEDS_H
#define EMBARK_CORE_EXECUTABLE_ELF_NEEDS_H

#include "embark/core/executable/elf.h"

struct em_elf_needs {
    struct em_list needed; /* NEEDED, in their order */
    char *soname;          /* SONAME, or NULL. All owned */
    char *rpath;           /* RPATH, or NULL: as it is written, with $ORIGIN */
    char *runpath;         /* RUNPATH, or NULL */
    bool no_default;       /* linked with -z nodefaultlib */
};

/* `elf` is what em_elf_read() made of the same source, with EM_ELF_OK. A file without a dynamic
 * section is fine, and needs nothing. em_elf_needs_free() releases it in any case. */
enum em_elf_state em_elf_needs_read(const struct em_elf_source *source, const struct em_elf *elf,
                                    struct em_elf_needs *needs);
void em_elf_needs_free(struct em_elf_needs *needs);

#endif
