/* stamp [FILE [COMMAND ARG…]]: the service of these measurements. Writes the moment at which it began (CLOCK_MONOTONIC, in nanoseconds) to FILE
 * and ends, or executes COMMAND. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec t;
    char text[32];
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (argc < 2)
        return 0;
    int n = snprintf(text, sizeof text, "%" PRId64 "\n", (int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, (size_t)n) != n || close(fd) != 0)
        return 1;
    if (argc == 2)
        return 0;
    execv(argv[2], argv + 2);
    return 127;
}
