#include "date.h"

static void put_digits(char *at, int64_t value, int digits)
{
    for (; digits > 0; value /= 10)
        at[--digits] = (char)('0' + value % 10);
}

/* The date of a day since 1970, by the calendar that starts with March, so that the odd day is a
 * year's last one; in eras of 400 years, after which it repeats. */
static void put_date(char *at, int64_t day)
{
    day += 719468; /* from 1 March of the year 0 */
    int64_t era = day / 146097, of_era = day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    put_digits(at + 8, of_year - (153 * month + 2) / 5 + 1, 2);
    month += month < 10 ? 3 : -9;
    put_digits(at + 5, month, 2);
    put_digits(at, year + era * 400 + (month <= 2), 4);
}

void put_time(char *at, int64_t us)
{
    int64_t seconds = us / 1000000, of_day = seconds % 86400;
    put_date(at, seconds / 86400);
    put_digits(at + 11, of_day / 3600, 2);
    put_digits(at + 14, of_day / 60 % 60, 2);
    put_digits(at + 17, of_day % 60, 2);
    put_digits(at + 20, us % 1000000 / 1000, 3);
}
