#include "embark/core/base/text.h"

#include <string.h>
#include <strings.h>

const char *em_skip_blanks(const char *p, const char *end)
{
    while (p < end && em_is_blank(*p))
        p++;
    return p;
}

bool em_is_one_of(const char *word, size_t length, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == length && strncasecmp(word, *words, length) == 0)
            return true;
    return false;
}

bool em_word_among(const char *word, const char *names)
{
    size_t length = strlen(word);
    while (*names) {
        size_t name = strcspn(names, " ");
        if (name && name == length && memcmp(word, names, name) == 0)
            return true;
        names += name + (names[name] == ' ');
    }
    return false;
}

bool em_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool em_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text), n = strlen(suffix);

    return n <= length && memcmp(text + length - n, suffix, n) == 0;
}

const char *em_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool em_is_versioned(const char *path, const char *name)
{
    const char *base = em_base_name(path);

    return em_starts(base, name) &&
           strspn(base + strlen(name), "0123456789.") == strlen(base + strlen(name));
}

int em_hex_lower(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int em_hex_value(char c)
{
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : em_hex_lower(c);
}
