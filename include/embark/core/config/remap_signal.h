/* Signals that are passed on as others: [service] remap_signal. */
#ifndef EMBARK_CORE_CONFIG_REMAP_SIGNAL_H
#define EMBARK_CORE_CONFIG_REMAP_SIGNAL_H

#include <stdbool.h>

#include "embark/core/linux/signal_name.h"

/* signal[n] is what n is passed on as; 0: it is not passed on. */
struct em_remap_signal {
    unsigned char signal[EM_SIGNAL_RTMAX + 1];
};

void em_remap_signal_init(struct em_remap_signal *map); /* each is passed on as itself */

/* Adds "TERM:QUIT" or "HUP:0". False: it isn't two signals (core/linux/signal_name.h), the first one
 * is KILL, STOP or CHLD, which nobody can pass on, or was mapped to another one before. */
bool em_remap_signal_add(struct em_remap_signal *map, const char *text);

#endif
