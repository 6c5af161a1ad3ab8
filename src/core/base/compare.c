#include "embark/core/base/compare.h"

#include <stddef.h>
#include <string.h>

#define DIGITS "0123456789"

static int compare_digits(const char *a, size_t a_length, const char *b, size_t b_length)
{
    for (; a_length && *a == '0'; a_length--)
        a++;
    for (; b_length && *b == '0'; b_length--)
        b++;
    if (a_length != b_length)
        return a_length < b_length ? -1 : 1;
    return a_length ? memcmp(a, b, a_length) : 0;
}

int em_compare_numbers(const char *a, const char *b)
{
    return compare_digits(a, strspn(a, DIGITS), b, strspn(b, DIGITS));
}

int em_compare_versions(const char *a, const char *b)
{
    while (*a || *b) {
        size_t a_length = strspn(a, DIGITS), b_length = strspn(b, DIGITS);
        int order = compare_digits(a, a_length, b, b_length);
        if (order)
            return order;
        a += a_length + (a[a_length] != '\0');
        b += b_length + (b[b_length] != '\0');
    }
    return 0;
}
