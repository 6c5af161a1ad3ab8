#include "name.h"

#include <string.h>

void em_requirement_key(const char *name, size_t length, struct em_str *out)
{
    for (size_t i = 0; i < length; i++) {
        char c = name[i];

        if (strchr("-_.", c)) {
            while (i + 1 < length && name[i + 1] && strchr("-_.", name[i + 1]))
                i++;
            c = '-';
        }
        em_str_putc(out, (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
    }
}
