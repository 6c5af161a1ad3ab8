/* SHA-256 (FIPS 180-4), by libmd. */
#ifndef EMBARK_CORE_BASE_SHA256_H
#define EMBARK_CORE_BASE_SHA256_H

#include <stddef.h>

#define EM_SHA256_SIZE 32
#define EM_HEX_DIGEST  65 /* 64 hexadecimal digits and a NUL */

void em_sha256(const void *bytes, size_t length, unsigned char digest[EM_SHA256_SIZE]);
void em_hex_sha256(const void *bytes, size_t length, char hex[EM_HEX_DIGEST]);

#endif
