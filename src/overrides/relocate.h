/* The relocation of a position-independent program, by itself. */
#ifndef EMBARK_OVERRIDES_RELOCATE_H
#define EMBARK_OVERRIDES_RELOCATE_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __GLIBC__ /* whose programs, for tests, have a dynamic linker */

#define HIDDEN __attribute__((visibility("hidden")))

/* By the linker: the file's first byte; OpenSSL's constants that are to be relocated (late.ld). */
extern const ElfW(Ehdr) __ehdr_start HIDDEN;
extern const ElfW(Dyn) _DYNAMIC[] HIDDEN;
extern const char em_late_start[] HIDDEN;
extern const char em_late_end[] HIDDEN;

static inline void relocate_word(uintptr_t *word, uintptr_t base, bool late)
{
    bool is_late = (const char *)word >= em_late_start && (const char *)word < em_late_end;
    if (is_late == late)
        *word += base;
}

#if !defined __x86_64__
/* The same from DT_RELA, whose entries hold the value beside the place: for linkers that can't pack
 * relocations of this processor. All are relative, as nothing is looked up by name. */
static inline __attribute__((always_inline)) void relocate_unpacked(uintptr_t base, bool late)
{
    const ElfW(Rela) *at = NULL;
    size_t size = 0;
    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELA)
            at = (const ElfW(Rela) *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_RELASZ)
            size = d->d_un.d_val;
    }
    for (const ElfW(Rela) *end = at + size / sizeof *at; at < end; at++) {
        uintptr_t *word = (uintptr_t *)(base + at->r_offset);
        bool is_late = (const char *)word >= em_late_start && (const char *)word < em_late_end;
        if (is_late == late)
            *word = base + (uintptr_t)at->r_addend;
    }
}
#endif

/* All words of OpenSSL's (`late`), or all others, that DT_RELR tells of: in its table an even word
 * is the address of one to relocate, an odd one a bit map of the 63 (31) that follow. Calls nothing,
 * and reads nothing that would have to be relocated. */
static inline __attribute__((always_inline)) void relocate(bool late)
{
    const uintptr_t base = (uintptr_t)&__ehdr_start;
    const uintptr_t *at = NULL;
    uintptr_t *word = NULL;
    size_t size = 0;
    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELR)
            at = (const uintptr_t *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_RELRSZ)
            size = d->d_un.d_val;
    }
    for (const uintptr_t *end = at + size / sizeof *at; at < end; at++) {
        if ((*at & 1) == 0) {
            word = (uintptr_t *)(base + *at);
            relocate_word(word++, base, late);
            continue;
        }
        for (size_t bit = 1; bit < 8 * sizeof *at; bit++, word++)
            if (*at >> bit & 1)
                relocate_word(word, base, late);
    }
#if !defined __x86_64__
    relocate_unpacked(base, late);
#endif
}

#endif

#endif
