/* The first instructions of the static program: what a dynamic linker would do for a
 * position-independent one. It relocates it, and makes what is read-only after that (RELRO)
 * read-only.
 *
 * musl's rcrt1.o does the first half, but for all of the program at once: some 80 pages that are
 * written, most of them tables of OpenSSL's, which many a start never reads. Those are left to late.c.
 *
 * Nothing is set up yet: no thread pointer, so no stack protector and no errno; and until it is
 * relocated only addresses that the compiler forms relative to the program counter: hidden symbols.
 * The linker puts this between musl's Scrt1.o and its __libc_start_main() (--wrap).
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "relocate.h"

#ifndef __GLIBC__

typedef int (*main_fn)(int argc, char **argv);
typedef void (*plain_fn)(void);

int main(int argc, char **argv) HIDDEN;
void _init(void) HIDDEN;
void _fini(void) HIDDEN;

int __real___libc_start_main(main_fn, int, char **, plain_fn, plain_fn, plain_fn);
int __wrap___libc_start_main(main_fn, int, char **, plain_fn, plain_fn, plain_fn);

/* Not by mprotect(3): where the kernel refuses, that writes errno, for which there is no thread yet.
 * What is refused here is a protection that is lacking, and no more. */
static inline void protect(uintptr_t start, size_t length)
{
    long protection = PROT_READ;
#if defined __x86_64__
    long number = SYS_mprotect;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(start), "S"(length), "d"(protection)
                     : "rcx", "r11", "memory");
#elif defined __aarch64__
    register long x8 __asm__("x8") = SYS_mprotect, x0 __asm__("x0") = (long)start;
    register long x1 __asm__("x1") = (long)length, x2 __asm__("x2") = protection;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
#else
    mprotect((void *)start, length, (int)protection);
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

__attribute__((no_stack_protector)) int __wrap___libc_start_main(main_fn unrelocated, int argc,
                                                                 char **argv, plain_fn init,
                                                                 plain_fn fini, plain_fn ldso)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Phdr) *header = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);
    size_t inside = page_size(argv + argc + 1) - 1;
    relocate(false);
    for (int i = 0; i < __ehdr_start.e_phnum; i++) {
        if (header[i].p_type != PT_GNU_RELRO)
            continue;
        /* The segment starts with it, and the linker ends it at a page's end. */
        uintptr_t start = (base + header[i].p_vaddr) & ~inside;
        protect(start, ((base + header[i].p_vaddr + header[i].p_memsz) & ~inside) - start);
    }
    /* What Scrt1.o passes was read from a table that was not relocated yet. */
    (void)unrelocated, (void)init, (void)fini;
    return __real___libc_start_main(main, argc, argv, _init, _fini, ldso);
}

#endif
