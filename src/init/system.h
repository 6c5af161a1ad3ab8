/* System calls without a C library: they return what the kernel does, -errno for an error. */
#ifndef EMBARK_INIT_SYSTEM_H
#define EMBARK_INIT_SYSTEM_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
static inline long system_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long system_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "how this processor enters the kernel isn't known here"
#endif

#define CALL_6(name, a, b, c, d, e, f) \
    system_call(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define CALL_4(name, a, b, c, d) CALL_6(name, a, b, c, d, 0, 0)
#define CALL_3(name, a, b, c)    CALL_4(name, a, b, c, 0)
#define CALL_2(name, a, b)       CALL_4(name, a, b, 0, 0)
#define CALL_1(name, a)          CALL_4(name, a, 0, 0, 0)

/* Bytes of the kernel's own sigset_t. */
#define KERNEL_SIGSET 8

/* What struct timespec is to the kernel. */
struct when {
    long seconds;
    long nanoseconds;
};

/* Microseconds of a clock of clock_gettime(2). */
static inline int64_t time_of(int clock)
{
    struct when now = {0, 0};
    CALL_2(clock_gettime, clock, &now);
    return now.seconds * INT64_C(1000000) + now.nanoseconds / 1000;
}

#endif
