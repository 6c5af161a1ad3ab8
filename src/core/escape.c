#include <stdint.h>
#include <string.h>

#include "embark/core/secrets.h"
#include "embark/core/utf8.h"

size_t em_utf8_decode(const char *bytes, size_t left, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)bytes;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = *p < 0x80 ? 1 : *p < 0xC0 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF8 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    *code = n == 1 ? *p : *p & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3FU);
    }
    if (*code < least[n] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
        return 0;
    return n;
}

/* Would it move the cursor, start a line or reorder what stands around it? */
static bool harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void em_escape(struct em_str *out, const char *bytes, size_t length)
{
    const unsigned char *p = (const unsigned char *)bytes;
    while (length > 0) {
        uint32_t code = 0;
        size_t n = em_utf8_decode((const char *)p, length, &code);
        bool show = n > 0 && !harmful(code);
        if (n == 0)
            n = 1;
        if (show)
            em_str_add(out, (const char *)p, n);
        else if (*p == '\n' || *p == '\t')
            em_str_puts(out, *p == '\n' ? "\\n" : "\\t");
        else
            for (size_t i = 0; i < n; i++)
                em_str_printf(out, "\\x%02x", p[i]);
        p += n;
        length -= n;
    }
}

void em_foreign(struct em_str *out, const char *text)
{
    if (text)
        em_escape(out, text, strlen(text));
}

void em_escape_lines(struct em_str *out, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        em_escape(out, bytes, (size_t)((newline ? newline : end) - bytes));
        if (newline)
            em_str_putc(out, '\n');
        bytes = newline ? newline + 1 : end;
    }
}
