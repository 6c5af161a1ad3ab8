#include "embark/core/config/remap_signal.h"

#include <signal.h>
#include <string.h>

#include "embark/core/base/text.h"

void em_remap_signal_init(struct em_remap_signal *map)
{
    for (size_t i = 0; i < EM_COUNT(map->signal); i++)
        map->signal[i] = (unsigned char)i;
}

bool em_remap_signal_add(struct em_remap_signal *map, const char *text)
{
    char name[16]; /* longer than any signal's */
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : sizeof name;
    if (length >= sizeof name)
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    int from = em_signal_find(name), to = em_signal_find(colon + 1);
    if (from == 0 || from == SIGKILL || from == SIGSTOP || from == SIGCHLD ||
        (to == 0 && strcmp(colon + 1, "0") != 0) ||
        (map->signal[from] != from && map->signal[from] != to))
        return false;
    map->signal[from] = (unsigned char)to;
    return true;
}
