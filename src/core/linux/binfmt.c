#include "embark/core/linux/binfmt.h"

#include <string.h>

/* An entry's text:
 *
 *     enabled
 *     interpreter /usr/bin/qemu-aarch64-static
 *     flags: OCF
 *     offset 0
 *     magic 7f454c460201…
 *     mask ffffffffffffff…
 */

/* What stands behind `name` at the start of a line; NULL: no such line. */
static const char *value_of(const char *text, const char *name)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        if (em_starts(text, name))
            return text + strlen(name);
        text += n + (text[n] == '\n');
    }
    return NULL;
}

/* The byte at hexadecimal digits; -1: there is none. */
static int byte_at(const char *hex)
{
    int high = em_hex_lower(hex[0]), low = high < 0 ? -1 : em_hex_lower(hex[1]);

    return low < 0 ? -1 : high << 4 | low;
}

static bool matches(const char *magic, const char *mask, const char *bytes, size_t length)
{
    size_t i = 0;

    for (; byte_at(magic) >= 0; magic += 2, i++) {
        int bits = mask ? byte_at(mask) : 0xff;

        if (bits < 0 || i >= length || (((unsigned char)bytes[i] ^ byte_at(magic)) & bits))
            return false;
        mask = mask ? mask + 2 : NULL;
    }
    return i > 0;
}

bool em_binfmt_takes(const char *text, const char *bytes, size_t length, struct em_str *interpreter,
                     bool *fixed)
{
    const char *program = value_of(text, "interpreter "), *flags = value_of(text, "flags: ");
    const char *offset = value_of(text, "offset "), *magic = value_of(text, "magic ");

    if (!em_starts(text, "enabled\n") || !program || !magic ||
        (offset && strncmp(offset, "0\n", 2) != 0) ||
        !matches(magic, value_of(text, "mask "), bytes, length))
        return false;
    em_str_cut(interpreter, 0);
    em_str_add(interpreter, program, strcspn(program, "\n"));
    *fixed = flags && memchr(flags, 'F', strcspn(flags, "\n"));
    return true;
}
