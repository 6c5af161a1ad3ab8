/* Exit codes that are passed on as others: [service] remap_exit. */
#ifndef EMBARK_CORE_CONFIG_REMAP_EXIT_H
#define EMBARK_CORE_CONFIG_REMAP_EXIT_H

#include <stdbool.h>

/* code[n] is what n is passed on as. */
struct em_remap_exit {
    unsigned char code[256];
};

void em_remap_exit_init(struct em_remap_exit *map); /* each is passed on as itself */

/* Adds "143:0". False: it isn't two numbers from 0 to 255, or the first one was mapped to another
 * code before. */
bool em_remap_exit_add(struct em_remap_exit *map, const char *text);

#endif
