/* The deflate format (RFC 1951), for a small entry of a zip file: a jar's manifest. Pure; the bytes
 * are hostile. */
#ifndef EMBARK_CORE_LANGUAGES_JAVA_INFLATE_H
#define EMBARK_CORE_LANGUAGES_JAVA_INFLATE_H

#include "embark/core/base/str.h"

/* Adds what the bytes hold, at most `limit` bytes. False: damaged, or more than that. */
bool em_inflate(const char *bytes, size_t length, size_t limit, struct em_str *out);

#endif
