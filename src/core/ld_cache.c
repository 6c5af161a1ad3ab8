#include "embark/core/ld_cache.h"

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

/* Where the new table begins; `length` if there is none. */
static size_t find_table(const char *bytes, size_t length, bool big_endian)
{
    uint64_t at;

    if (has_magic(bytes, length, new_magic))
        return 0;
    if (!has_magic(bytes, length, old_magic) || length < OLD_HEADER)
        return length;
    at = OLD_HEADER + (uint64_t)number(bytes + 12, big_endian) * OLD_ENTRY;
    at = (at + 7) & ~(uint64_t)7;
    if (at >= length || !has_magic(bytes + at, length - (size_t)at, new_magic))
        return length;
    return (size_t)at;
}

/* The text at an offset, or NULL if it isn't closed within the bytes. */
static const char *text_at(const char *bytes, size_t length, uint32_t offset)
{
    return offset < length && memchr(bytes + offset, '\0', length - offset) ? bytes + offset : NULL;
}

bool em_ld_cache_find(const char *bytes, size_t length, bool big_endian, const char *name,
                      struct em_list *paths)
{
    size_t at = find_table(bytes, length, big_endian);
    uint32_t count;
    int order;

    bytes += at;
    length -= at;
    if (length < HEADER)
        return false;
    order = bytes[ORDER_AT] & 3;
    if (order >= 2)
        big_endian = order == 3;
    count = number(bytes + COUNT_AT, big_endian);
    if (count > (length - HEADER) / ENTRY)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const char *entry = bytes + HEADER + (size_t)i * ENTRY;
        const char *key = text_at(bytes, length, number(entry + KEY_AT, big_endian));
        const char *path;

        if (!key || strcmp(key, name) != 0)
            continue;
        path = text_at(bytes, length, number(entry + VALUE_AT, big_endian));
        if (path && *path)
            em_list_add(paths, path);
    }
    return true;
}
