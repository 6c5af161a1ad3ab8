/* UTF-8, one character at a time. */
#ifndef EMBARK_CORE_BASE_UTF8_H
#define EMBARK_CORE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed character at `bytes` (RFC 3629: shortest form, no surrogates, up to
 * U+10FFFF), of which `left` (at least one) are there, and its code point; 0 if there is none. */
size_t em_utf8_decode(const char *bytes, size_t left, uint32_t *code);
/* How many bytes at the end may be the beginning of a character whose rest is to come: 0 to 3. */
size_t em_utf8_begun(const char *bytes, size_t length);

#endif
