/* The names of distributions. Pure. */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_NAME_H
#define EMBARK_CORE_LANGUAGES_PYTHON_NAME_H

#include "embark/core/base/str.h"

/* A distribution's name as PEP 503 compares it: in lower case, with one "-" for each run of "-",
 * "_" and ".". */
void em_requirement_key(const char *name, size_t length, struct em_str *out);

#endif
