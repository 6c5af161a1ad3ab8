/* The monotonic clock, the wall clock and a seed. */
#ifndef EMBARK_OS_LOOP_CLOCK_H
#define EMBARK_OS_LOOP_CLOCK_H

#include <stdint.h>

#include "embark/core/base/str.h"
#include "embark/core/base/time.h"

em_time em_now(void);          /* CLOCK_MONOTONIC: setting the wall clock doesn't move it */
em_time em_in(em_time length); /* the point in time `length` from now; EM_NEVER stays EM_NEVER */
/* The wall clock, for people only: microseconds since 1970, and as 2026-11-24T18:58:14.123Z. */
int64_t em_wall_now(void);
void em_wall_print(int64_t wall, struct em_str *out);
uint64_t em_random_seed(void); /* getrandom(2), or clock and pid where that is refused */

#endif
