/*
 * The very first instructions of the static program: what a dynamic linker would do for a
 * position-independent one.
 *
 * musl's rcrt1.o relocates the program by the long form of relocations, DT_RELA. The linker is told
 * to pack them (-z pack-relative-relocs), which takes 370 kB off the file and out of memory, but
 * musl 1.2.3 doesn't know that form, DT_RELR. Nor does it make what is read-only after relocation
 * (RELRO) read-only. Both are done here, between rcrt1.o and musl's own start, by the linker's
 * --wrap=__libc_start_main.
 *
 * Nothing is set up yet: no thread pointer, so no stack protector and no errno; and as long as a
 * pointer in memory may not be relocated, only addresses that the compiler forms relative to the
 * program counter: hidden symbols.
 */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef __GLIBC__ /* whose programs, for tests, have a dynamic linker */

#ifndef DT_RELR /* musl 1.2.4 */
#define DT_RELR   36
#define DT_RELRSZ 35
#endif

#define HIDDEN __attribute__((visibility("hidden")))

extern const ElfW(Ehdr) __ehdr_start HIDDEN; /* the file's first byte, by the linker */
extern const ElfW(Dyn) _DYNAMIC[] HIDDEN;
int main(int argc, char **argv) HIDDEN;
void _init(void) HIDDEN;
void _fini(void) HIDDEN;

int __real___libc_start_main(int (*)(int, char **), int, char **, void (*)(void), void (*)(void),
                             void (*)(void));
int __wrap___libc_start_main(int (*)(int, char **), int, char **, void (*)(void), void (*)(void),
                             void (*)(void));

/* An even word is the address of a word to relocate; an odd one is a bit map of the 63 (31) words
 * after that. */
static inline void relocate(uintptr_t base, const uintptr_t *relr, size_t size)
{
    uintptr_t *where = NULL;

    for (const uintptr_t *end = relr + size / sizeof(*relr); relr < end; relr++) {
        if ((*relr & 1) == 0) {
            where = (uintptr_t *)(base + *relr);
            *where++ += base;
            continue;
        }
        for (size_t bit = 0; bit < 8 * sizeof(*relr) - 1; bit++)
            if (*relr >> (bit + 1) & 1)
                where[bit] += base;
        where += 8 * sizeof(*relr) - 1;
    }
}

/* Read-only from here on. Not by mprotect(3): where the kernel refuses, that writes errno, for
 * which there is no thread yet. What is refused here is a protection that is lacking, and no more.
 */
static inline void protect(uintptr_t start, size_t length)
{
    long prot = PROT_READ;
#if defined __x86_64__
    long number = SYS_mprotect;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(start), "S"(length), "d"(prot)
                     : "rcx", "r11", "memory");
#elif defined __aarch64__
    register long x8 __asm__("x8") = SYS_mprotect, x0 __asm__("x0") = (long)start;
    register long x1 __asm__("x1") = (long)length, x2 __asm__("x2") = prot;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
#else
    mprotect((void *)start, length, (int)prot);
#endif
}

/* Behind the environment lies what the kernel tells. */
static inline size_t page_size(char **envp)
{
    while (*envp++)
        continue;
    for (const ElfW(auxv_t) *aux = (const void *)envp; aux->a_type != AT_NULL; aux++)
        if (aux->a_type == AT_PAGESZ)
            return aux->a_un.a_val;
    return 4096;
}

__attribute__((no_stack_protector)) int __wrap___libc_start_main(int (*main_)(int, char **),
                                                                 int argc, char **argv,
                                                                 void (*init)(void),
                                                                 void (*fini)(void),
                                                                 void (*ldso)(void))
{
    uintptr_t base = (uintptr_t)&__ehdr_start, relr = 0;
    const ElfW(Phdr) *header = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);
    size_t size = 0, page = page_size(argv + argc + 1);

    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELR)
            relr = base + d->d_un.d_ptr;
        else if (d->d_tag == DT_RELRSZ)
            size = d->d_un.d_val;
    }
    if (relr)
        relocate(base, (const uintptr_t *)relr, size);

    for (int i = 0; i < __ehdr_start.e_phnum; i++) {
        if (header[i].p_type == PT_GNU_RELRO) {
            /* The segment starts with it, and the linker ends it at a page's end. */
            uintptr_t start = (base + header[i].p_vaddr) & ~(page - 1);
            uintptr_t end = (base + header[i].p_vaddr + header[i].p_memsz) & ~(page - 1);

            protect(start, end - start);
        }
    }

    /* What rcrt1.o passes may have been read from a table that was not relocated yet. */
    (void)main_, (void)init, (void)fini;
    return __real___libc_start_main(main, argc, argv, _init, _fini, ldso);
}

#endif
