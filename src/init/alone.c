/* The process becomes its init alone. */
#include <signal.h>
#include <sys/mman.h>

#include "embark/init/init.h"
#include "system.h"

#ifndef __GLIBC__ /* whose programs, for tests, are not laid out for it */

/* The start and end of this layer's section (init.ld), by the linker. */
extern const char __start_em_init[] __attribute__((visibility("hidden")));
extern const char __stop_em_init[] __attribute__((visibility("hidden")));

#define SMALLEST_PAGE 4096

struct range {
    uintptr_t from, to;
};

/* Whatever is mapped there goes. Where the kernel refuses to unmap a part of it (mseal(2)), the rest
 * still goes. */
static void unmap(uintptr_t from, uintptr_t to)
{
    if (from >= to || CALL_2(munmap, from, to - from) == 0 || to - from <= SMALLEST_PAGE)
        return;
    uintptr_t middle = (from + (to - from) / 2) & ~(uintptr_t)(SMALLEST_PAGE - 1);
    unmap(from, middle);
    unmap(middle, to);
}

/* All below the stack that the process was started with, but two ranges. What is above it are the
 * kernel's pages at most, which take no memory. */
static void unmap_rest(struct range a, struct range b, uintptr_t stack)
{
    struct range first = a.from < b.from ? a : b, second = a.from < b.from ? b : a;
    unmap(0, first.from);
    unmap(first.to, second.from);
    unmap(second.to, stack);
}

/* On a stack in `room` from now on. */
__attribute__((used)) static _Noreturn void go_alone(struct em_init *init, uintptr_t room,
                                                     uintptr_t end, uintptr_t page)
{
    uintptr_t inside = page - 1;
    struct range code = {(uintptr_t)__start_em_init & ~inside,
                         ((uintptr_t)__stop_em_init + inside) & ~inside};
    unmap_rest(code, (struct range){room, end}, (uintptr_t)init->lowest & ~inside);
    CALL_1(exit_group, em_init_run(init));
    __builtin_unreachable();
}

void em_init_alone(struct em_init *init, void *room, size_t size, size_t page)
{
    uintptr_t from = (uintptr_t)room, to = from + size, stack = (uintptr_t)init & ~(uintptr_t)15;
#if defined(__x86_64__)
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call go_alone\n\t"
                     "ud2"
                     :
                     : "r"(stack), "D"(init), "S"(from), "d"(to), "c"(page)
                     : "memory");
#else
    register uintptr_t x0 __asm__("x0") = (uintptr_t)init;
    register uintptr_t x1 __asm__("x1") = from;
    register uintptr_t x2 __asm__("x2") = to;
    register uintptr_t x3 __asm__("x3") = page;
    __asm__ volatile("mov sp, %0\n\t"
                     "mov x29, xzr\n\t"
                     "bl go_alone\n\t"
                     "brk 1"
                     :
                     : "r"(stack), "r"(x0), "r"(x1), "r"(x2), "r"(x3)
                     : "memory");
#endif
    __builtin_unreachable();
}

#endif
