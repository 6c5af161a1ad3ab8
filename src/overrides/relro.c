/* What is read-only after relocation (RELRO) is made read-only: with a dynamic linker, that does
 * it; musl's start of a static position-independent program relocates and leaves it writable.
 *
 * The linker puts the constructor in, nobody calls it.
 */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef __GLIBC__ /* whose programs, for tests, have a dynamic linker */

/* The file's first byte, by the linker. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

__attribute__((constructor)) static void protect(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start, page = getauxval(AT_PAGESZ);
    const ElfW(Phdr) *header = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);

    for (int i = 0; i < __ehdr_start.e_phnum; i++) {
        if (header[i].p_type != PT_GNU_RELRO)
            continue;
        /* The segment starts with it, and the linker ends it at a page's end. */
        uintptr_t start = (base + header[i].p_vaddr) & ~(page - 1);
        uintptr_t end = (base + header[i].p_vaddr + header[i].p_memsz) & ~(page - 1);
        mprotect((void *)start, end - start, PROT_READ);
    }
}

#endif
