#include "embark/os/loop/clock.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

em_time em_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (em_time)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

em_time em_in(em_time length)
{
    return em_time_add(em_now(), length);
}

int64_t em_wall_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void em_wall_print(int64_t wall, struct em_str *out)
{
    time_t seconds = (time_t)(wall / 1000000);
    struct tm utc;
    if (wall < 0 || !gmtime_r(&seconds, &utc)) {
        em_str_putc(out, '?');
        return;
    }
    em_str_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                  utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(wall % 1000000 / 1000));
}

uint64_t em_random_seed(void)
{
    uint64_t seed = 0;
    /* A seccomp profile may refuse getrandom; replicas still differ by pid (in a shared namespace)
     * and by the moment. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)em_now() * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid();
    return seed;
}
