#include "embark/core/executable/elf_needs.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 4096, /* of one name or path list */
    NEEDED_MAX = 1024,
    ENTRIES_MAX = 16384, /* of the dynamic section: some dozens as a rule */
    PT_LOAD = 1,
    PT_DYNAMIC = 2,
    DT_NULL = 0,
    DT_NEEDED = 1,
    DT_STRTAB = 5,
    DT_SONAME = 14,
    DT_RPATH = 15,
    DT_RUNPATH = 29,
    DT_FLAGS_1 = 0x6ffffffb,
    DF_1_NODEFLIB = 0x800,
};

struct reader {
    const struct em_elf_source *source;
    const struct em_elf *elf;
    uint64_t strings; /* where the string table is in the file */
};

struct segment {
    uint64_t type, offset, address, filesz;
};

static bool read_segment(const struct reader *r, size_t index, struct segment *s)
{
    unsigned char b[56];
    bool wide = r->elf->is64;
    size_t size = wide ? 56 : 32, word = wide ? 8 : 4;

    if (!r->source->read(r->source->ctx, r->elf->segments_at + index * size, b, size))
        return false;
    s->type = em_elf_number(r->elf, b, 4);
    s->offset = em_elf_number(r->elf, b + (wide ? 8 : 4), word);
    s->address = em_elf_number(r->elf, b + (wide ? 16 : 8), word);
    s->filesz = em_elf_number(r->elf, b + (wide ? 32 : 16), word);
    return true;
}

/* Where in the file the byte at an address of memory comes from. False: from nowhere. */
static bool file_offset(const struct reader *r, uint64_t address, uint64_t *offset)
{
    struct segment s;

    for (size_t i = 0; i < r->elf->segments; i++) {
        if (!read_segment(r, i, &s))
            return false;
        if (s.type != PT_LOAD || address < s.address || address - s.address >= s.filesz)
            continue;
        *offset = s.offset + (address - s.address);
        return *offset >= s.offset;
    }
    return false;
}

/* A name of the string table, to be freed; NULL: it isn't within the file, or too long. */
static char *string(const struct reader *r, uint64_t at)
{
    char bytes[NAME_MAX_BYTES];
    uint64_t offset = r->strings + at, left;
    size_t length;

    if (offset < at || offset >= r->source->size)
        return NULL;
    left = r->source->size - offset;
    length = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
    if (!r->source->read(r->source->ctx, offset, bytes, length) || !memchr(bytes, '\0', length))
        return NULL;
    return em_strdup(bytes);
}

/* ---- The entries ----------------------------------------------------------------------------- */

typedef bool (*entry_fn)(struct reader *r, uint64_t tag, uint64_t value, void *ctx);

/* Calls `entry` for each; false: it did, or the file ends. */
static bool each_entry(struct reader *r, const struct segment *dynamic, entry_fn entry, void *ctx)
{
    size_t word = r->elf->is64 ? 8 : 4;
    uint64_t count = dynamic->filesz / (2 * word);

    for (uint64_t i = 0; i < count && i < ENTRIES_MAX; i++) {
        unsigned char b[16];
        uint64_t tag;

        if (!r->source->read(r->source->ctx, dynamic->offset + i * 2 * word, b, 2 * word))
            return false;
        tag = em_elf_number(r->elf, b, word);
        if (tag == DT_NULL)
            return true;
        if (!entry(r, tag, em_elf_number(r->elf, b + word, word), ctx))
            return false;
    }
    return true;
}

static bool find_strings(struct reader *r, uint64_t tag, uint64_t value, void *ctx)
{
    bool *found = ctx;

    if (tag == DT_STRTAB)
        *found = file_offset(r, value, &r->strings);
    return true;
}

static bool take_text(const struct reader *r, uint64_t at, char **text)
{
    free(*text);
    *text = string(r, at);
    return *text != NULL;
}

static bool take_entry(struct reader *r, uint64_t tag, uint64_t value, void *ctx)
{
    struct em_elf_needs *needs = ctx;
    char *name = NULL;

    switch (tag) {
    case DT_NEEDED:
        if (needs->needed.n < NEEDED_MAX && take_text(r, value, &name))
            em_list_take(&needs->needed, name);
        return name != NULL;
    case DT_SONAME:
        return take_text(r, value, &needs->soname);
    case DT_RPATH:
        return take_text(r, value, &needs->rpath);
    case DT_RUNPATH:
        return take_text(r, value, &needs->runpath);
    case DT_FLAGS_1:
        needs->no_default = (value & DF_1_NODEFLIB) != 0;
        return true;
    default:
        return true;
    }
}

enum em_elf_state em_elf_needs_read(const struct em_elf_source *source, const struct em_elf *elf,
                                    struct em_elf_needs *needs)
{
    struct reader r = {source, elf, 0};
    struct segment dynamic;
    bool strings = false;

    *needs = (struct em_elf_needs){0};
    for (size_t i = 0; i < elf->segments; i++) {
        if (!read_segment(&r, i, &dynamic))
            return EM_ELF_TRUNCATED;
        if (dynamic.type != PT_DYNAMIC)
            continue;
        if (dynamic.offset > source->size || dynamic.filesz > source->size - dynamic.offset)
            return EM_ELF_TRUNCATED;
        if (!each_entry(&r, &dynamic, find_strings, &strings))
            return EM_ELF_DAMAGED;
        if (!strings)
            return EM_ELF_OK; /* no names, so nothing is needed by name */
        return each_entry(&r, &dynamic, take_entry, needs) ? EM_ELF_OK : EM_ELF_DAMAGED;
    }
    return EM_ELF_OK;
}

void em_elf_needs_free(struct em_elf_needs *needs)
{
    em_list_free(&needs->needed);
    free(needs->soname);
    free(needs->rpath);
    free(needs->runpath);
    *needs = (struct em_elf_needs){0};
}
