/* libpq's randomness (nonces of SCRAM, cancel keys), from getrandom(2).
 *
 * libpgport's own, in a build without OpenSSL, opens /dev/urandom, and a root file system made by
 * hand may have no /dev. The linker takes this one and leaves the archive's member out; a libpq
 * that is a shared library, as in builds for tests, has its own.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/random.h>

/* Declared in libpq's src/include/port.h, which is not installed. */
void pg_strong_random_init(void);
bool pg_strong_random(void *buffer, size_t length);

void pg_strong_random_init(void)
{
}

bool pg_strong_random(void *buffer, size_t length)
{
    char *at = buffer;
    while (length > 0) {
        ssize_t n = getrandom(at, length, 0);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            at += n;
            length -= (size_t)n;
        }
    }
    return true;
}
