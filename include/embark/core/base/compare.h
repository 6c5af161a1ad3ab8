/* The order of numbers that are written in decimal digits and may be of any length: migrations are
 * numbered by times to the millisecond, and longer. Each function says < 0, 0 or > 0. */
#ifndef EMBARK_CORE_BASE_COMPARE_H
#define EMBARK_CORE_BASE_COMPARE_H

/* By the digits that both start with: 007 is 7, and none are 0. */
int em_compare_numbers(const char *a, const char *b);
/* Number by number, with one character of any kind between: 1.2 is 1.2.0 and 1_02. */
int em_compare_versions(const char *a, const char *b);

#endif
