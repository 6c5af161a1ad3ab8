#include "embark/core/postgres/verifier.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/base/sha256.h"
#include "embark/core/base/str.h"

enum { BLOCK = 64, MOST_ROUNDS = 1000000, LONGEST_SALT = 256 };

/* ---- Base64 ---- */

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Up to `end`; false: it is none, or has more than `room` bytes. */
static bool decode(const char *text, const char *end, unsigned char *bytes, size_t room, size_t *n)
{
    unsigned bits = 0, held = 0;
    for (*n = 0; text < end && *text != '='; text++) {
        int value = digit(*text);
        if (value < 0 || (held + 6 >= 8 && *n == room))
            return false;
        bits = (bits << 6 | (unsigned)value) & 0xFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[(*n)++] = (unsigned char)(bits >> held);
        }
    }
    return true;
}

/* ---- HMAC (RFC 2104) and Hi() (RFC 5802, 2.2) ---- */

static void hmac(const unsigned char key[BLOCK], const void *message, size_t length,
                 unsigned char result[EM_SHA256_SIZE])
{
    unsigned char inner[BLOCK + LONGEST_SALT + 4], outer[BLOCK + EM_SHA256_SIZE];
    for (size_t i = 0; i < BLOCK; i++) {
        inner[i] = key[i] ^ 0x36;
        outer[i] = key[i] ^ 0x5C;
    }
    memcpy(inner + BLOCK, message, length);
    em_sha256(inner, BLOCK + length, outer + BLOCK);
    em_sha256(outer, sizeof outer, result);
}

static void salted_password(const char *password, const unsigned char *salt, size_t length,
                            long rounds, unsigned char result[EM_SHA256_SIZE])
{
    unsigned char key[BLOCK] = {0}, first[LONGEST_SALT + 4], last[EM_SHA256_SIZE];
    size_t n = strlen(password);
    if (n > BLOCK)
        em_sha256(password, n, key);
    else
        memcpy(key, password, n); /* NOLINT(bugprone-not-null-terminated-result): bytes */
    memcpy(first, salt, length);
    memcpy(first + length, (const unsigned char[]){0, 0, 0, 1}, 4);
    hmac(key, first, length + 4, last);
    memcpy(result, last, EM_SHA256_SIZE);
    for (long i = 1; i < rounds; i++) {
        hmac(key, last, EM_SHA256_SIZE, last);
        for (size_t k = 0; k < EM_SHA256_SIZE; k++)
            result[k] ^= last[k];
    }
    explicit_bzero(key, sizeof key);
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return *text == '\0';
}

enum em_verifier em_verifier_check(const char *verifier, const char *password)
{
    static const char kind[] = "SCRAM-SHA-256$";
    unsigned char salt[LONGEST_SALT], wanted[EM_SHA256_SIZE], key[BLOCK] = {0};
    unsigned char stored[EM_SHA256_SIZE], client[EM_SHA256_SIZE];
    size_t salt_length, stored_length;
    char *end;
    if (!em_starts(verifier, kind))
        return EM_VERIFIER_UNKNOWN;
    long rounds = strtol(verifier + strlen(kind), &end, 10);
    const char *dollar = strchr(end, '$'), *colon = dollar ? strchr(dollar, ':') : NULL;
    if (*end != ':' || !colon || rounds < 1 || rounds > MOST_ROUNDS ||
        !decode(end + 1, dollar, salt, sizeof salt, &salt_length) ||
        !decode(dollar + 1, colon, wanted, sizeof wanted, &stored_length) ||
        stored_length != sizeof wanted)
        return EM_VERIFIER_UNKNOWN;
    salted_password(password, salt, salt_length, rounds, key);
    hmac(key, "Client Key", strlen("Client Key"), client);
    em_sha256(client, sizeof client, stored);
    explicit_bzero(key, sizeof key);
    explicit_bzero(client, sizeof client);
    if (memcmp(stored, wanted, sizeof stored) == 0)
        return EM_VERIFIER_SAME;
    return is_ascii(password) ? EM_VERIFIER_OTHER : EM_VERIFIER_UNKNOWN;
}
