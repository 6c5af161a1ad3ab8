#include "embark/core/languages/java/zip.h"

#include <string.h>

enum { END_LENGTH = 22, LOCATOR_LENGTH = 20, END64_LENGTH = 56, ENTRY_LENGTH = 46 };

/* Little-endian numbers of n bytes. */
static uint64_t number(const char *p, size_t n)
{
    uint64_t value = 0;

    while (n--)
        value = value << 8 | (unsigned char)p[n];
    return value;
}

static bool signature(const char *p, char a, char b)
{
    return p[0] == 'P' && p[1] == 'K' && p[2] == a && p[3] == b;
}

/* The zip64 record that the locator before the end record tells of. In all archives that are about,
 * it stands right before the locator. */
static bool read_end64(const char *tail, size_t at, uint64_t tail_offset, struct em_zip_end *end,
                       uint64_t *said)
{
    const char *p;

    if (at < LOCATOR_LENGTH + END64_LENGTH || !signature(tail + at - LOCATOR_LENGTH, 6, 7))
        return false;
    p = tail + at - LOCATOR_LENGTH - END64_LENGTH;
    if (!signature(p, 6, 6))
        return false;
    end->size = number(p + 40, 8);
    *said = number(p + 48, 8);
    end->offset = tail_offset + (uint64_t)(p - tail);
    return true;
}

bool em_zip_end_read(const char *tail, size_t length, uint64_t file_size, struct em_zip_end *end)
{
    uint64_t tail_offset = file_size - length, said;

    if (length < END_LENGTH || length > file_size)
        return false;
    for (size_t at = length - END_LENGTH + 1; at-- > 0;) {
        const char *p = tail + at;

        if (!signature(p, 5, 6) || at + END_LENGTH + number(p + 20, 2) > length)
            continue;
        end->size = number(p + 12, 4);
        said = number(p + 16, 4);
        end->offset = tail_offset + at;
        if ((said == UINT32_MAX || end->size == UINT32_MAX || number(p + 10, 2) == UINT16_MAX) &&
            !read_end64(tail, at, tail_offset, end, &said) && said == UINT32_MAX)
            return false;
        /* The directory ends where its end record begins; `said` is from the archive's begin. */
        if (end->size > end->offset || said > end->offset - end->size)
            return false;
        end->offset -= end->size;
        end->base = end->offset - said;
        return true;
    }
    return false;
}

/* The numbers that didn't fit into 32 bits. */
static void read_zip64(const char *extra, size_t length, struct em_zip_entry *entry)
{
    uint64_t *fields[] = {&entry->size, &entry->compressed, &entry->local};
    size_t at = 0;

    while (at + 4 <= length) {
        size_t id = (size_t)number(extra + at, 2), size = (size_t)number(extra + at + 2, 2);
        const char *p = extra + at + 4;

        if (size > length - at - 4)
            return;
        for (size_t i = 0; id == 1 && i < 3; i++)
            if (*fields[i] == UINT32_MAX && size >= 8) {
                *fields[i] = number(p, 8);
                p += 8;
                size -= 8;
            }
        at = (size_t)(p - extra) + size;
    }
}

bool em_zip_next(const char *directory, size_t length, size_t *at, struct em_zip_entry *entry)
{
    const char *p = directory + *at;
    size_t left = length - *at, extra, comment;

    if (*at > length || left < ENTRY_LENGTH || !signature(p, 1, 2))
        return false;
    *entry = (struct em_zip_entry){
        .name = p + ENTRY_LENGTH,
        .name_length = (size_t)number(p + 28, 2),
        .stored = number(p + 10, 2) == 0,
        .compressed = number(p + 20, 4),
        .size = number(p + 24, 4),
        .local = number(p + 42, 4),
    };
    extra = (size_t)number(p + 30, 2);
    comment = (size_t)number(p + 32, 2);
    if (entry->name_length + extra + comment > left - ENTRY_LENGTH)
        return false;
    read_zip64(entry->name + entry->name_length, extra, entry);
    *at += ENTRY_LENGTH + entry->name_length + extra + comment;
    return true;
}

size_t em_zip_local_length(const char *header)
{
    return signature(header, 3, 4)
               ? (size_t)(EM_ZIP_LOCAL + number(header + 26, 2) + number(header + 28, 2))
               : 0;
}
