/* ELF headers, as far as execve(2) looks at them: what machine a program is for and which loader it
 * asks for.
 *
 * The bytes are hostile: every offset and count is checked against the file's size before it is
 * used, sizes that are read from the file bound no allocation, and nothing is read but the header,
 * the program headers and what these point at. Pure: the bytes come through struct em_elf_source,
 * of a file (os/exec/find.c: pread, so that a file that is cut while it is looked at is a failed
 * read and not a SIGBUS) or of memory (tests, fuzzers).
 */
#ifndef EMBARK_CORE_EXECUTABLE_ELF_H
#define EMBARK_CORE_EXECUTABLE_ELF_H

#include <stdint.h>

#include "embark/core/base/str.h"

struct em_elf_source {
    /* Exactly `length` bytes from `offset`; false: the file ends before that, or can't be read. */
    bool (*read)(void *ctx, uint64_t offset, void *into, size_t length);
    void *ctx;
    uint64_t size; /* of the file */
};

enum em_elf_state {
    EM_ELF_OK,
    EM_ELF_NOT,       /* doesn't begin with \177ELF */
    EM_ELF_TRUNCATED, /* ends before what its own headers speak of */
    EM_ELF_DAMAGED,   /* headers that the kernel refuses */
};

struct em_elf {
    bool is64, big_endian;
    uint16_t
        type; /* EM_ELF_EXEC, EM_ELF_DYN (a shared library, or a PIE), or what can't be executed */
    uint16_t machine; /* e_machine: em_elf_machine() says it in words */
    char *interp; /* PT_INTERP, the loader; NULL: static. Any bytes but NUL, at most 4095. Owned */
    uint64_t segments_at; /* of an EM_ELF_EXEC or EM_ELF_DYN: where its program headers are, */
    size_t segments;      /* how many, all within the file */
};
enum { EM_ELF_REL = 1, EM_ELF_EXEC = 2, EM_ELF_DYN = 3, EM_ELF_CORE = 4 };

/* Fills `elf`, which em_elf_free() releases whatever the result is. With EM_ELF_TRUNCATED, machine
 * and class are right if the header itself was whole, else 0. */
enum em_elf_state em_elf_read(const struct em_elf_source *source, struct em_elf *elf);
void em_elf_free(struct em_elf *elf);

/* An unsigned number of `size` bytes in the file's byte order, for those who read on. */
uint64_t em_elf_number(const struct em_elf *elf, const unsigned char *bytes, size_t size);

/* "x86-64 (amd64)", "AArch64 (arm64)": the second name is Docker's; "machine 0x1234" for what isn't
 * known. */
void em_elf_machine(const struct em_elf *elf, struct em_str *out);
/* The same for a kernel by uname(2)'s `machine` ("x86_64", "aarch64", "armv7l"…). */
void em_elf_kernel(const char *machine, struct em_str *out);
/* Whether a kernel that calls itself so runs it. True also where it isn't known: a doubt isn't an
 * accusation. */
bool em_elf_runs_on(const struct em_elf *elf, const char *machine);

enum em_libc { EM_LIBC_OTHER, EM_LIBC_GLIBC, EM_LIBC_MUSL };
/* Whose loader this is, by its file's name: ld-linux-x86-64.so.2, ld64.so.1… are glibc's,
 * ld-musl-x86_64.so.1 is musl's. */
enum em_libc em_elf_libc(const char *interp);

#endif
