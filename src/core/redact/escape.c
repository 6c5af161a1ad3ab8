#include <stdint.h>
#include <string.h>

#include "embark/core/base/utf8.h"
#include "embark/core/redact/secrets.h"

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
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C || code == 0x200E ||
           code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* Adds the character at `p`, or its bytes escaped; returns how many these are. */
static size_t escape_one(struct em_str *out, const char *p, size_t left)
{
    uint32_t code = 0;
    size_t n = em_utf8_decode(p, left, &code);
    bool show = n > 0 && !harmful(code);
    if (n == 0)
        n = 1;
    if (show)
        em_str_add(out, p, n);
    else if (*p == '\n' || *p == '\t')
        em_str_puts(out, *p == '\n' ? "\\n" : "\\t");
    else
        for (size_t i = 0; i < n; i++)
            em_str_printf(out, "\\x%02x", (unsigned char)p[i]);
    return n;
}

void em_escape(struct em_str *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;)
        i += escape_one(out, bytes + i, length - i);
}

/* Whether the bytes to the end may be the beginning of a character. */
static bool is_begun(const char *p, size_t left)
{
    const unsigned char lead = (unsigned char)*p;
    size_t n = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (left >= n)
        return false;
    for (size_t i = 1; i < left; i++)
        if (((unsigned char)p[i] & 0xC0) != 0x80)
            return false;
    return true;
}

size_t em_utf8_begun(const char *bytes, size_t length)
{
    for (size_t n = 1; n <= 3 && n <= length; n++)
        if (is_begun(bytes + length - n, n))
            return n;
    return 0;
}

enum { SGR_MOST = 32 }; /* bytes of one */

/* The length of the sequence at `p` that sets colours (SGR of ECMA-48: ESC [ 1 ; 31 m), or 0.
 * *begun: what is there may become one. */
static size_t sgr_length(const char *p, size_t left, bool *begun)
{
    size_t n = 0;
    *begun = false;
    if (*p != '\x1b' || (left > 1 && p[1] != '['))
        return 0;
    for (n = 2; n < left && n < SGR_MOST && strchr("0123456789;:", p[n]) && p[n]; n++)
        ;
    *begun = n >= left && left < SGR_MOST;
    return n < left && p[n] == 'm' ? n + 1 : 0;
}

/* ESC [ m, ESC [ 0 m */
static bool is_reset(const char *sgr, size_t length)
{
    return length == 3 || (length == 4 && sgr[2] == '0');
}

size_t em_escape_output(struct em_str *out, const char *bytes, size_t length, bool *coloured,
                        bool more)
{
    static const char reset[] = "\x1b[0m";
    size_t i = 0;
    while (i < length) {
        const char *p = bytes + i;
        size_t left = length - i;
        bool begun;
        size_t sgr = sgr_length(p, left, &begun);
        if (more && (begun || is_begun(p, left) || (*p == '\r' && left == 1)))
            break;
        if (*p == '\r' && left > 1 && p[1] == '\n') {
            i++;
        } else if (*p == '\n' || *p == '\t') {
            if (*p == '\n' && *coloured)
                em_str_puts(out, reset);
            *coloured = *coloured && *p != '\n';
            em_str_putc(out, bytes[i++]);
        } else if (sgr) {
            em_str_add(out, p, sgr);
            *coloured = !is_reset(p, sgr);
            i += sgr;
        } else {
            i += escape_one(out, p, left);
        }
    }
    if (!more && *coloured)
        em_str_puts(out, reset);
    *coloured = *coloured && more;
    return i;
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
