/* libpq's SCRAM login, at a fraction of its price, and once for many logins.
 *
 * A login with SCRAM-SHA-256 costs the client 4,096 rounds of HMAC (RFC 5802, Hi()): 9 ms in
 * libpgcommon's scram_SaltedPassword(), which sets up two digests anew for each round; nothing else
 * of a start costs as much, and a replica that waits for the lock logs in again and again. Hi() is
 * PBKDF2 with one block (RFC 8018, 5.2). OpenSSL has that, but its look-up of algorithms takes
 * 1 MB of memory; with its SHA-256 alone, which uses the processor's instructions, it is done in
 * 1 ms. The result depends on nothing but password, salt and rounds, and the salt is that of the
 * role's verifier: the last one is kept, so that later logins cost next to nothing.
 *
 * The linker's --wrap puts the function of this file in the place of libpgcommon's.
 */
/* For SHA256_Init() and so on, which EVP is to be used for: for its price see above. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "embark/core/base/sha256.h"
#include "embark/db/peer.h"
#include "embark/os/process/trim.h"

#if EMBARK_TLS
#include <openssl/sha.h>
typedef SHA256_CTX sha256;
#define sha256_begin(c)            SHA256_Init(c)
#define sha256_add(c, bytes, size) SHA256_Update(c, bytes, size)
#define sha256_end(c, digest)      SHA256_Final(digest, c)
#else
#include <sha2.h>
typedef SHA2_CTX sha256;
#define sha256_begin(c)            SHA256Init(c)
#define sha256_add(c, bytes, size) SHA256Update(c, (const uint8_t *)(bytes), size)
#define sha256_end(c, digest)      SHA256Final(digest, c)
#endif

enum { DIGEST = 32, BLOCK = 64, ROUNDS_AT_ONCE = 16384 /* some milliseconds */ };

/* HMAC (RFC 2104) with one key for many messages: both digests, with the key in them already. */
struct hmac {
    sha256 inner, outer;
};

static void digest(const void *bytes, size_t size, uint8_t result[DIGEST])
{
    sha256 c;
    sha256_begin(&c);
    sha256_add(&c, bytes, size);
    sha256_end(&c, result);
}

static void start(sha256 *c, const uint8_t key[BLOCK], uint8_t pad)
{
    uint8_t padded[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        padded[i] = (uint8_t)(key[i] ^ pad);
    sha256_begin(c);
    sha256_add(c, padded, sizeof padded);
    explicit_bzero(padded, sizeof padded);
}

static void hmac_key(struct hmac *hmac, const char *password)
{
    uint8_t key[BLOCK] = {0};
    size_t size = strlen(password);
    if (size > sizeof key)
        digest(password, size, key);
    else
        memcpy(key, password, size); /* NOLINT(bugprone-not-null-terminated-result): bytes */
    start(&hmac->inner, key, 0x36);
    start(&hmac->outer, key, 0x5c);
    explicit_bzero(key, sizeof key);
}

/* Of what was added to `inner`, which began as the key's. */
static void hmac_end(const struct hmac *hmac, sha256 *inner, uint8_t result[DIGEST])
{
    sha256 outer = hmac->outer;
    sha256_end(inner, result);
    sha256_add(&outer, result, DIGEST);
    sha256_end(&outer, result);
}

/* False: there was no time for it. */
static bool compute(const char *password, const void *salt, size_t salt_size, int rounds,
                    uint8_t result[DIGEST])
{
    static const uint8_t first_block[] = {0, 0, 0, 1};
    struct hmac hmac;
    uint8_t u[DIGEST];
    hmac_key(&hmac, password);
    sha256 inner = hmac.inner;
    sha256_add(&inner, salt, salt_size);
    sha256_add(&inner, first_block, sizeof first_block);
    hmac_end(&hmac, &inner, u);
    memcpy(result, u, DIGEST);
    bool in_time = true;
    for (int round = 1; round < rounds && in_time; round++) {
        inner = hmac.inner;
        sha256_add(&inner, u, DIGEST);
        hmac_end(&hmac, &inner, u);
        for (int i = 0; i < DIGEST; i++)
            result[i] = (uint8_t)(result[i] ^ u[i]);
        if (round % ROUNDS_AT_ONCE == 0)
            in_time = em_peer_in_time();
    }
    explicit_bzero(&hmac, sizeof hmac);
    return in_time;
}

/* What it was computed of: digests, so that the password doesn't stand in memory once more. */
struct asked {
    uint8_t password[DIGEST], salt[DIGEST];
    int rounds;
};

static struct {
    struct asked of;
    uint8_t salted[DIGEST];
    bool known;
} last;

static int salted_password(const char *password, const void *salt, int salt_size, int rounds,
                           uint8_t *result, const char **error)
{
    struct asked asked = {.rounds = rounds};
    if (rounds > EM_PEER_ROUNDS) {
        em_peer_refuse_rounds(rounds);
        *error = "too many rounds";
        return -1;
    }
    em_sha256(password, strlen(password), asked.password);
    em_sha256(salt, (size_t)salt_size, asked.salt);
    if (!last.known || memcmp(&asked, &last.of, sizeof asked) != 0) {
        em_release_code_pages(); /* before and after: OpenSSL's code is not to add to the peak of a
                                    start */
        last.known = compute(password, salt, (size_t)salt_size, rounds, last.salted);
        last.of = asked;
        em_release_code_pages();
    }
    if (!last.known) {
        explicit_bzero(&asked, sizeof asked);
        *error = "out of time";
        return -1;
    }
    memcpy(result, last.salted, DIGEST);
    explicit_bzero(&asked, sizeof asked);
    return 0;
}

/* The linker's name, called by libpq with the contract of libpgcommon's
 * (src/common/scram-common.c): 0 or -1 with *error, a static text: too many rounds, or the login's
 * deadline has passed or a signal asks to end meanwhile (embark/db/peer.h). */
#if EMBARK_LIBPQ >= 16 /* since 16 libpq names the hash, which is always SHA-256 */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): ld's --wrap names it */
int __wrap_scram_SaltedPassword(const char *password, int hash, int key_size, const uint8_t *salt,
                                int salt_size, int rounds, uint8_t *result, const char **error);
int __wrap_scram_SaltedPassword(const char *password, int hash, int key_size, const uint8_t *salt,
                                int salt_size, int rounds, uint8_t *result, const char **error)
{
    (void)hash;
    if (key_size != DIGEST) {
        *error = "unknown hash";
        return -1;
    }
    return salted_password(password, salt, salt_size, rounds, result, error);
}
#else
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): ld's --wrap names it */
int __wrap_scram_SaltedPassword(const char *password, const char *salt, int salt_size, int rounds,
                                uint8_t *result, const char **error);
int __wrap_scram_SaltedPassword(const char *password, const char *salt, int salt_size, int rounds,
                                uint8_t *result, const char **error)
{
    return salted_password(password, salt, salt_size, rounds, result, error);
}
#endif
