/* Base64 (RFC 4648, 4), with its padding. */
#ifndef EMBARK_CORE_BASE_BASE64_H
#define EMBARK_CORE_BASE_BASE64_H

#include "embark/core/base/str.h"

void em_base64(const unsigned char *bytes, size_t length, struct em_str *out);

#endif
