/* The wall clock, for people, as in embark's other lines. */
#ifndef EMBARK_INIT_DATE_H
#define EMBARK_INIT_DATE_H

#include <stdint.h>

/* Writes microseconds since 1970 over the digits of a text like 2026-11-24T18:58:14.123Z. */
void put_time(char *at, int64_t us);

#endif
