/* What a script of ours in an interpreter answers: lines "@embark KEY VALUE".
 *
 * They stand among whatever else the interpreter printed (a chatty sitecustomize): only lines that
 * begin with "@embark " count. \\, \n, \r and \0 are escaped in VALUE, whose other bytes are as they
 * are (paths).
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_REPLY_REPLY_H
#define EMBARK_CORE_LANGUAGES_REPLY_REPLY_H

#include <stdbool.h>

/* The next line of an answer that ends at `end`: moves *bytes behind it. The caller frees both texts.
 * False: there is none. */
bool em_reply_next(const char **bytes, const char *end, char **key, char **value);

#endif
