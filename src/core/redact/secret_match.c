#include "secret_match.h"

#include <string.h>

enum { TELLING = 4 };

/* How many bytes at `text` (which ends in a NUL) are `secret` with some of its bytes as %XX or, a
 * blank, as +; 0: they aren't. A % of the secret is always encoded then. */
static size_t match_encoded(const char *text, const char *secret)
{
    const char *p = text;
    for (; *secret; secret++) {
        if (*p == '%' && em_hex_value(p[1]) >= 0 && em_hex_value(p[2]) >= 0 &&
            em_hex_value(p[1]) * 16 + em_hex_value(p[2]) == (unsigned char)*secret)
            p += 3;
        else if (*secret != '%' && (*p == *secret || (*secret == ' ' && *p == '+')))
            p++;
        else
            return 0;
    }
    return (size_t)(p - text);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

void em_secret_mark(const char *secret, const struct em_str *text, size_t from, bool more,
                    bool *mark)
{
    size_t length = strlen(secret);
    for (size_t i = from; i < text->len; i++) {
        const char *at = text->data + i;
        /* Most bytes are the beginning of nothing. */
        if (*at != *secret && *at != '%' && *at != '+')
            continue;
        size_t n = strncmp(at, secret, length) == 0 ? length : 0,
               encoded = match_encoded(at, secret);
        if (encoded > n)
            n = encoded;
        bool inside = (i > 0 && is_word(at[-1])) || is_word(at[n]) || (more && i + n == text->len);
        if (n > 0 && (length >= EM_SECRET_SHORT || !inside))
            memset(mark + i, true, n);
    }
}

/* Of match_encoded(), when `end` comes first. */
static size_t begins_encoded(const char *text, const char *secret, const char *end)
{
    size_t n = 0;
    for (const char *p = text; secret[n]; n++) {
        char c = secret[n];
        if (p < end && *p == '%') {
            /* One whose digits are still to come may be any byte. */
            if (p + 1 == end || (p + 2 == end && em_hex_value(p[1]) >= 0))
                return n + 1;
            if (em_hex_value(p[1]) < 0 || em_hex_value(p[2]) < 0 ||
                em_hex_value(p[1]) * 16 + em_hex_value(p[2]) != (unsigned char)c)
                return 0;
            p += 3;
        } else if (p < end) {
            if (c == '%' || (*p != c && !(c == ' ' && *p == '+')))
                return 0;
            p++;
        } else {
            return n;
        }
    }
    return 0;
}

size_t em_secret_begins(const char *secret, const char *text, const char *end)
{
    size_t length = strlen(secret), left = (size_t)(end - text);
    if (!left || (*text != *secret && *text != '%' && *text != '+'))
        return 0;
    bool whole_word = length < EM_SECRET_SHORT && left == length;
    if ((left < length || whole_word) && memcmp(text, secret, left) == 0)
        return left;
    return begins_encoded(text, secret, end);
}

bool em_secret_tells(const char *secret, size_t n)
{
    size_t length = strlen(secret);
    return n > 0 && length >= EM_SECRET_SHORT && (n >= TELLING || 2 * n >= length);
}
