#include "embark/core/base/base64.h"

void em_base64(const unsigned char *bytes, size_t length, struct em_str *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        size_t n = length - i < 3 ? length - i : 3;
        unsigned bits = (unsigned)bytes[i] << 16 | (n > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                        (n > 2 ? bytes[i + 2] : 0u);
        em_str_putc(out, digits[bits >> 18]);
        em_str_putc(out, digits[bits >> 12 & 63]);
        em_str_putc(out, n > 1 ? digits[bits >> 6 & 63] : '=');
        em_str_putc(out, n > 2 ? digits[bits & 63] : '=');
    }
}
