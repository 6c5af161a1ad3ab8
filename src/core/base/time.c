#include "embark/core/base/time.h"

#include <string.h>

#define TEN_YEARS (EM_SEC(86400) * 3653)

em_time em_time_add(em_time at, em_time length)
{
    em_time sum;

    if (at == EM_NEVER || length == EM_NEVER)
        return EM_NEVER;
    if (__builtin_add_overflow(at, length, &sum))
        return length > 0 ? EM_NEVER : INT64_MIN;
    return sum;
}

em_time em_time_min(em_time a, em_time b)
{
    return a < b ? a : b;
}

static const struct unit {
    const char *name;
    em_time length;
} units[] = {
    {"d", EM_SEC(86400)}, {"h", EM_SEC(3600)}, {"m", EM_SEC(60)},
    {"s", EM_SEC(1)},     {"ms", EM_MS(1)},
};
enum { UNITS = EM_COUNT(units), SECONDS = 3 };

/* Reads "12" or "1.5": the whole part, and millionths. What is below a millionth is dropped. */
static bool number(const char **text, em_time *whole, em_time *millionths)
{
    const char *p = *text;
    em_time weight = 100000;

    *whole = *millionths = 0;
    if (!em_is_digit(*p))
        return false;
    for (; em_is_digit(*p); p++) {
        *whole = *whole * 10 + (*p - '0');
        if (*whole > TEN_YEARS) /* in any unit */
            return false;
    }
    if (*p == '.') {
        if (!em_is_digit(*++p))
            return false;
        for (; em_is_digit(*p); p++, weight /= 10)
            *millionths += (*p - '0') * weight;
    }
    *text = p;
    return true;
}

/* The unit that the letters at *text spell, as an index into units; -1: none. */
static int unit(const char **text)
{
    size_t n = strspn(*text, "abcdefghijklmnopqrstuvwxyz");

    for (int i = 0; i < UNITS; i++) {
        if (strlen(units[i].name) == n && memcmp(*text, units[i].name, n) == 0) {
            *text += n;
            return i;
        }
    }
    return -1;
}

bool em_time_parse(const char *text, em_time *length)
{
    const char *p = text;
    em_time sum = 0;
    int last = -1;

    if (strcmp(text, "none") == 0) {
        *length = EM_NEVER;
        return true;
    }
    do {
        em_time whole, millionths;
        int at;

        if (!number(&p, &whole, &millionths))
            return false;
        at = *p == '\0' && last < 0 ? SECONDS : unit(&p);
        /* from large to small, each once: "5s1m" is more likely a slip than a wish */
        if (at <= last || whole > TEN_YEARS / units[at].length)
            return false;
        sum += whole * units[at].length + millionths * units[at].length / 1000000;
        last = at;
    } while (*p);
    if (sum > TEN_YEARS)
        return false;
    *length = sum;
    return true;
}

/* "2 min 5 s", "2 min" where nothing is left over. */
static void print_pair(struct em_str *out, em_time large, const char *name, em_time small,
                       const char *small_name)
{
    em_str_printf(out, "%lld %s", (long long)large, name);
    if (small)
        em_str_printf(out, " %lld %s", (long long)small, small_name);
}

void em_time_print(struct em_str *out, em_time length)
{
    em_time s = length / EM_SEC(1), rest = length % EM_SEC(1);

    /* Cut, not rounded: there is no carry from one form to the next, and nothing is said to have
     * taken its whole time before it has. */
    if (length == EM_NEVER)
        em_str_puts(out, "no limit");
    else if (length <= 0)
        em_str_puts(out, "0 s");
    else if (length < EM_MS(1))
        em_str_printf(out, "0.%d ms", (int)(length / 100));
    else if (length < EM_SEC(1))
        em_str_printf(out, "%d ms", (int)(length / 1000));
    else if (s < 120 && rest == 0)
        em_str_printf(out, "%d s", (int)s);
    else if (s < 10)
        em_str_printf(out, "%d.%02d s", (int)s, (int)(rest / 10000));
    else if (s < 120)
        em_str_printf(out, "%d.%d s", (int)s, (int)(rest / 100000));
    else if (s < 7200)
        print_pair(out, s / 60, "min", s % 60, "s");
    else if (s < 172800)
        print_pair(out, s / 3600, "h", s / 60 % 60, "min");
    else
        print_pair(out, s / 86400, "d", s / 3600 % 24, "h");
}
