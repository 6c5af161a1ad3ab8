/* ELF programs in memory, for tests: a header, program headers and what they point at. */
#ifndef EMBARK_TEST_ELF_BYTES_H
#define EMBARK_TEST_ELF_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "embark/core/executable/elf.h"

enum { AT_INTERP = 0x400, ELF_SIZE = 0x600 };

struct elf_bytes {
    unsigned char b[ELF_SIZE];
    bool is64, big;
};

static inline void elf_put(struct elf_bytes *e, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        e->b[at + (e->big ? size - 1 - i : i)] = (unsigned char)(value >> (8 * i));
}

static inline void elf_segment(struct elf_bytes *e, size_t index, uint64_t type, uint64_t offset,
                               uint64_t filesz)
{
    size_t at = e->is64 ? 64 + index * 56 : 52 + index * 32;

    elf_put(e, at, type, 4);
    elf_put(e, at + (e->is64 ? 8 : 4), offset, e->is64 ? 8 : 4);
    elf_put(e, at + (e->is64 ? 32 : 16), filesz, e->is64 ? 8 : 4);
}

static inline void elf_count(struct elf_bytes *e, uint64_t count)
{
    elf_put(e, e->is64 ? 56 : 44, count, 2);
}

/* A program with one PT_LOAD over the whole file, and a PT_INTERP where `interp` isn't NULL. */
static inline void elf_make(struct elf_bytes *e, bool is64, bool big, uint16_t machine,
                            const char *interp)
{
    memset(e, 0, sizeof(*e));
    e->is64 = is64;
    e->big = big;
    memcpy(e->b, "\177ELF", 4);
    e->b[4] = is64 ? 2 : 1;
    e->b[5] = big ? 2 : 1;
    e->b[6] = 1;
    elf_put(e, 16, EM_ELF_DYN, 2);
    elf_put(e, 18, machine, 2);
    elf_put(e, 20, 1, 4);
    elf_put(e, is64 ? 32 : 28, is64 ? 64 : 52, is64 ? 8 : 4);
    elf_put(e, is64 ? 54 : 42, is64 ? 56 : 32, 2);
    elf_count(e, interp ? 2 : 1);
    elf_segment(e, 0, 1, 0, ELF_SIZE);
    if (interp) {
        elf_segment(e, 1, 3, AT_INTERP, strlen(interp) + 1);
        memcpy(e->b + AT_INTERP, interp, strlen(interp) + 1);
    }
}

#endif
