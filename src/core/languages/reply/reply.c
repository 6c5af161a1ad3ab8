#include "embark/core/languages/reply/reply.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/base/str.h"

static const char marker[] = "@embark ";

static char *unescaped(const char *bytes, size_t length)
{
    struct em_str text = EM_STR_INIT;

    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];

        if (c == '\\' && i + 1 < length) {
            c = bytes[++i];
            c = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c);
        }
        if (c != '\0')
            em_str_putc(&text, c);
    }
    return em_str_take(&text);
}

bool em_reply_next(const char **bytes, const char *end, char **name, char **value)
{
    while (*bytes < end) {
        const char *line = *bytes, *key = line + sizeof(marker) - 1, *space;
        const char *eol = memchr(line, '\n', (size_t)(end - line));

        if (!eol)
            return false; /* cut off: what it said is not known */
        *bytes = eol + 1;
        if ((size_t)(eol - line) < sizeof(marker) || memcmp(line, marker, sizeof(marker) - 1) != 0)
            continue;
        space = memchr(key, ' ', (size_t)(eol - key));
        if (!space)
            continue;
        *name = em_strndup(key, (size_t)(space - key));
        *value = unescaped(space + 1, (size_t)(eol - space - 1));
        return true;
    }
    return false;
}
