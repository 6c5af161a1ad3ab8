/* The monotonic clock and a seed. */
#ifndef EMBARK_OS_CLOCK_H
#define EMBARK_OS_CLOCK_H

#include <stdint.h>

#include "embark/core/time.h"

em_time em_now(void);          /* CLOCK_MONOTONIC: setting the wall clock doesn't move it */
em_time em_in(em_time length); /* the point in time `length` from now; EM_NEVER stays EM_NEVER */
uint64_t em_random_seed(void); /* getrandom(2), or clock and pid where that is refused */

#endif
