/* Nothing that was freed can be read again: the linker's --wrap puts these in the place of free()
 * and realloc() in all of the program, libpq, OpenSSL and the C library included, whose copies of a
 * password nobody could find one by one.
 *
 * It costs next to nothing, since what embark allocates is small. A large block goes back to the
 * kernel and needs no wiping; in a smaller one, a page that was never used stays unused: to read
 * it doesn't take memory, to write it would.
 */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifndef __GLIBC__ /* whose programs, for tests, have an allocator that tells of its misuse */

/* The linker's names. */
void __real_free(void *memory);
void *__real_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
void *__wrap_realloc(void *memory, size_t size);

#define PAGE ((size_t)4096)
/* musl's MMAP_THRESHOLD: at least this much is mapped alone, and unmapped by free(). */
#define MAPPED ((size_t)131052)

static bool is_zero(const char *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

static void wipe(char *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += PAGE) {
        size_t n = length - at < PAGE ? length - at : PAGE;
        if (length < PAGE || !is_zero(bytes + at, n))
            explicit_bzero(bytes + at, n);
    }
}

void __wrap_free(void *memory)
{
    int error = errno;
    size_t size = memory ? malloc_usable_size(memory) : 0;
    if (size < MAPPED)
        wipe(memory, size);
    __real_free(memory);
    errno = error;
}

void *__wrap_realloc(void *memory, size_t size)
{
    size_t had = memory ? malloc_usable_size(memory) : 0;
    if (!memory || had >= MAPPED)
        return __real_realloc(memory, size);
    if (size <= had && size > had / 2) {
        wipe((char *)memory + size, had - size);
        return memory;
    }
    void *moved = malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, memory, had < size ? had : size);
    __wrap_free(memory);
    return moved;
}

#endif
