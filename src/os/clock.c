#include "embark/os/clock.h"

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

uint64_t em_random_seed(void)
{
    uint64_t seed = 0;
    /* A seccomp profile may refuse getrandom; replicas still differ by pid (in a shared namespace)
     * and by the moment. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)em_now() * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid();
    return seed;
}
