#include "embark/core/executable/ld_cache.h"

#include <stdint.h>
#include <string.h>

enum {
    OLD_HEADER = 16, /* "ld.so-1.7.0", a byte, how many */
    OLD_ENTRY = 12,
    HEADER = 48, /* the magic, how many, the strings' length, flags… */
    COUNT_AT = 20,
    ORDER_AT = 28,
    ENTRY = 24, /* flags, key, value, osversion, hwcap */
    KEY_AT = 4,
    VALUE_AT = 8,
};

static const char old_magic[] = "ld.so-1.7.0";
static const char new_magic[] = "glibc-ld.so.cache1.1";

static uint32_t number(const char *bytes, bool big_endian)
{
    const unsigned char *p = (const unsigned char *)bytes;
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 8 | p[big_endian ? i : 3 - i];
    return value;
}

static bool has_magic(const char *bytes, size_t length, const char *magic)
{
    return length >= strlen(magic) && memcmp(bytes, magic, strlen(magic)) == 0;
}

/* A table of libraries: `count` entries of `size` bytes from `entries`, whose names are offsets
 * from `strings`. */
struct table {
    const char *entries, *strings, *end;
    size_t size;
    uint32_t count;
    bool big_endian;
};

static bool read_new(const char *bytes, size_t length, bool big_endian, struct table *t)
{
    int order;

    if (length < HEADER || !has_magic(bytes, length, new_magic))
        return false;
    order = bytes[ORDER_AT] & 3;
    t->big_endian = order >= 2 ? order == 3 : big_endian;
    t->count = number(bytes + COUNT_AT, t->big_endian);
    t->entries = bytes + HEADER;
    t->size = ENTRY;
    t->strings = bytes;
    t->end = bytes + length;
    return t->count <= (length - HEADER) / ENTRY;
}

/* The new table stands behind the old one, and counts, if there is one. */
static bool read_table(const char *bytes, size_t length, bool big_endian, struct table *t)
{
    uint64_t size, at;

    if (!has_magic(bytes, length, old_magic) || length < OLD_HEADER)
        return read_new(bytes, length, big_endian, t);
    t->big_endian = big_endian;
    t->count = number(bytes + OLD_HEADER - 4, big_endian);
    size = OLD_HEADER + (uint64_t)t->count * OLD_ENTRY;
    at = (size + 7) & ~(uint64_t)7;
    if (at < length && has_magic(bytes + at, length - (size_t)at, new_magic))
        return read_new(bytes + at, length - (size_t)at, big_endian, t);
    if (size > length)
        return false;
    t->entries = bytes + OLD_HEADER;
    t->size = OLD_ENTRY;
    t->strings = bytes + size;
    t->end = bytes + length;
    return true;
}

/* The text at an offset, or NULL if it isn't closed within the bytes. */
static const char *text_at(const struct table *t, const char *number_at)
{
    uint32_t offset = number(number_at, t->big_endian);
    size_t length = (size_t)(t->end - t->strings);

    return offset < length && memchr(t->strings + offset, '\0', length - offset)
               ? t->strings + offset
               : NULL;
}

bool em_ld_cache_find(const char *bytes, size_t length, bool big_endian, const char *name,
                      struct em_list *paths)
{
    struct table t;

    if (!read_table(bytes, length, big_endian, &t))
        return false;
    for (uint32_t i = 0; i < t.count; i++) {
        const char *entry = t.entries + i * t.size, *key = text_at(&t, entry + KEY_AT), *path;

        if (!key || strcmp(key, name) != 0)
            continue;
        path = text_at(&t, entry + VALUE_AT);
        if (path && *path)
            em_list_add(paths, path);
    }
    return true;
}
