/* login URL: logs in as fast as it can until it succeeds. Then prints three moments (CLOCK_MONOTONIC, in nanoseconds): when the last login that
 * failed was begun (0: none failed), when the one that succeeded was begun, and when it was had. embark's own static libpq, and nothing
 * between two tries. */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 64;
    for (int64_t failed = 0;;) {
        int64_t began = now();
        PGconn *conn = PQconnectdb(argv[1]);
        if (PQstatus(conn) == CONNECTION_OK) {
            int64_t had = now();
            PQfinish(conn);
            printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", failed, began, had);
            return 0;
        }
        PQfinish(conn);
        failed = began;
    }
}
