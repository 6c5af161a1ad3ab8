/* What a dynamic loader's message means: a shared library that the image lacks.
 *
 * Pure.
 */
#ifndef EMBARK_CORE_LANGUAGES_REPLY_MISSING_LIBRARY_H
#define EMBARK_CORE_LANGUAGES_REPLY_MISSING_LIBRARY_H

#include "embark/core/base/str.h"

/* Finds what glibc's or musl's loader says somewhere in `message` and adds to `what` ("the shared
 * library libpq.so.5 is missing, needed by /app/_psycopg.so") and `hint`. False: it says nothing of
 * the kind. */
bool em_missing_library_explain(const char *message, struct em_str *what, struct em_str *hint);

#endif
