/* What is called of OpenSSL from outside, by name (gates.h, which the build makes of the libraries' symbols: GATE(SSL_new) …), goes
 * through here: the first call relocates OpenSSL's tables (late.c). The linker's --wrap puts it in. */
#if defined(__x86_64__)

#define GATE(name) .globl __wrap_##name; .hidden __wrap_##name; __wrap_##name: call gate; jmp __real_##name

/* Whole registers only: OpenSSL takes no number that is passed in others. */
        .text
gate:   cmpb $0, em_late_done(%rip)
        je 1f
        ret
1:      push %rdi
        push %rsi
        push %rdx
        push %rcx
        push %r8
        push %r9
        push %rax
        push %r10
        call em_late_relocate
        pop %r10
        pop %rax
        pop %r9
        pop %r8
        pop %rcx
        pop %rdx
        pop %rsi
        pop %rdi
        ret

#elif defined(__aarch64__)

#define GATE(name) .globl __wrap_##name; .hidden __wrap_##name; \
        __wrap_##name: stp x29, x30, [sp, -16]!; bl gate; ldp x29, x30, [sp], 16; b __real_##name

        .text
gate:   adrp x16, em_late_done
        ldrb w16, [x16, :lo12:em_late_done]
        cbz w16, 1f
        ret
1:      stp x0, x1, [sp, -96]!
        stp x2, x3, [sp, 16]
        stp x4, x5, [sp, 32]
        stp x6, x7, [sp, 48]
        stp x8, x30, [sp, 64]
        bl em_late_relocate
        ldp x2, x3, [sp, 16]
        ldp x4, x5, [sp, 32]
        ldp x6, x7, [sp, 48]
        ldp x8, x30, [sp, 64]
        ldp x0, x1, [sp], 96
        ret

#endif

#include "gates.h"

        .section .note.GNU-stack, "", @progbits
