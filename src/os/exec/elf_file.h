/* An ELF file, read in blocks. */
#ifndef EMBARK_OS_EXEC_ELF_FILE_H
#define EMBARK_OS_EXEC_ELF_FILE_H

#include "embark/core/executable/elf.h"

/* A file as a struct em_elf_source: a block of it is kept, as headers stand close together. It must
 * live as long as the source does. */
struct em_elf_file {
    int fd;
    uint64_t at; /* of the block */
    size_t have;
    unsigned char block[4096];
};
struct em_elf_source em_elf_file_source(struct em_elf_file *file, int fd, uint64_t size);

#endif
