/* What is read of programs, libraries and the loader's files: core/executable/elf.h, elf_needs.h, ld_cache.h,
 * binfmt.h, mountinfo.h. The first byte says which.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -std=gnu11 -D_GNU_SOURCE -Iinclude \
 *         test/fuzz/fuzz_elf.c src/core/{elf,elf_needs,ld_cache,binfmt,mountinfo,str}.c -o fuzz_elf
 *     ./fuzz_elf -max_total_time=60
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/linux/binfmt.h"
#include "embark/core/executable/elf_needs.h"
#include "embark/core/executable/ld_cache.h"
#include "embark/core/linux/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
    const uint8_t *bytes;
    size_t size;
};

static bool read_memory(void *ctx, uint64_t offset, void *into, size_t length)
{
    const struct memory *m = ctx;

    if (offset > m->size || length > m->size - offset)
        return false;
    memcpy(into, m->bytes + offset, length);
    return true;
}

static void fuzz_elf(const uint8_t *data, size_t size)
{
    struct memory memory = {data, size};
    struct em_elf_source source = {read_memory, &memory, size};
    struct em_elf_needs needs;
    struct em_elf elf;
    struct em_str text = EM_STR_INIT;

    if (em_elf_read(&source, &elf) == EM_ELF_OK) {
        em_elf_needs_read(&source, &elf, &needs);
        em_elf_needs_free(&needs);
    }
    em_elf_machine(&elf, &text);
    if (elf.interp)
        em_elf_libc(elf.interp);
    em_elf_free(&elf);
    em_str_free(&text);
}

static void fuzz_cache(const uint8_t *data, size_t size)
{
    struct em_list paths = EM_LIST_INIT;

    em_ld_cache_find((const char *)data, size, size & 1, "libc.so.6", &paths);
    em_list_free(&paths);
}

static void fuzz_texts(const uint8_t *data, size_t size)
{
    char *text = em_strndup((const char *)data, size);
    struct em_str interpreter = EM_STR_INIT;
    struct em_mount mount;
    bool fixed;

    em_binfmt_takes(text, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xb7\0", 20, &interpreter, &fixed);
    em_mountinfo_find(text, "/data/inner", &mount);
    em_mount_free(&mount);
    em_str_free(&interpreter);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(const uint8_t *, size_t) = {fuzz_elf, fuzz_cache, fuzz_texts};

    if (size > 0)
        parts[data[0] % 3](data + 1, size - 1);
    return 0;
}
