/* Points in time and lengths of time, in microseconds.
 *
 * An em_time is absolute and monotonic (os/loop/clock.h reads CLOCK_MONOTONIC); the same type holds
 * lengths. Deadlines are absolute: one is made when a step starts, and every blocking call below it
 * is handed the same one.
 */
#ifndef EMBARK_CORE_BASE_TIME_H
#define EMBARK_CORE_BASE_TIME_H

#include <stdint.h>

#include "embark/core/base/str.h"

typedef int64_t em_time;

#define EM_NEVER  INT64_MAX
#define EM_MS(n)  ((em_time)(n)*1000)
#define EM_SEC(n) ((em_time)(n)*1000000)

em_time em_time_add(em_time at, em_time length); /* EM_NEVER absorbs, no overflow */
em_time em_time_min(em_time a, em_time b);

/* "500ms", "60s", "10m", "2h", "1d", "1m30s", a bare number is seconds ("1.5" too), "none" is
 * EM_NEVER. False if it is none of these, negative or too large for ten years. */
bool em_time_parse(const char *text, em_time *length);

/* For people: "640 ms", "1.20 s", "12.4 s", "2 min 5 s", "3 h 4 min", "no limit". */
void em_time_print(struct em_str *out, em_time length);

#endif
