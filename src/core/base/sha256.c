#include "embark/core/base/sha256.h"

#include <sys/types.h>

#include <sha2.h>

void em_sha256(const void *bytes, size_t length, unsigned char digest[EM_SHA256_SIZE])
{
    SHA2_CTX context;
    SHA256Init(&context);
    SHA256Update(&context, bytes, length);
    SHA256Final(digest, &context);
}

static void to_hex(const unsigned char digest[EM_SHA256_SIZE], char hex[EM_HEX_DIGEST])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < EM_SHA256_SIZE; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * EM_SHA256_SIZE] = '\0';
}

void em_hex_sha256(const void *bytes, size_t length, char hex[EM_HEX_DIGEST])
{
    unsigned char digest[EM_SHA256_SIZE];
    em_sha256(bytes, length, digest);
    to_hex(digest, hex);
}
