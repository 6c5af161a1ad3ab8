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
