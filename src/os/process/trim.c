#include "embark/os/process/trim.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef __GLIBC__ /* the dynamic builds of the tests have their code elsewhere */

/* The linker's symbol for the start of the program. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

void em_release_code_pages(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Phdr) *segments = (const void *)(base + __ehdr_start.e_phoff);
    for (int i = 0; i < __ehdr_start.e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && !(segments[i].p_flags & PF_W))
            madvise((void *)(base + (segments[i].p_vaddr & ~(uintptr_t)4095)),
                    segments[i].p_memsz + (segments[i].p_vaddr & 4095), MADV_DONTNEED);
}

#else

void em_release_code_pages(void)
{
}

#endif
