#include "embark/core/config/remap_exit.h"

#include <stddef.h>

void em_remap_exit_init(struct em_remap_exit *map)
{
    for (size_t i = 0; i < sizeof map->code; i++)
        map->code[i] = (unsigned char)i;
}

/* Digits up to `end`; moves *text behind them. */
static bool read_code(const char **text, char end, unsigned char *code)
{
    unsigned number = 0, digits = 0;
    for (; **text >= '0' && **text <= '9' && digits < 3; ++*text, digits++)
        number = number * 10 + (unsigned)(**text - '0');
    if (digits == 0 || number > 255 || **text != end)
        return false;
    *code = (unsigned char)number;
    return true;
}

bool em_remap_exit_add(struct em_remap_exit *map, const char *text)
{
    unsigned char from, to;
    if (!read_code(&text, ':', &from))
        return false;
    text++;
    if (!read_code(&text, '\0', &to) || (map->code[from] != from && map->code[from] != to))
        return false;
    map->code[from] = to;
    return true;
}
