/* Python's versions and version specifiers, by PEP 440.
 *
 * A version is [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+LOCAL], in all spellings that the standard
 * takes ("v1.0-Beta2", "1.0-1"). Numbers above 2^64 - 1 count as that. Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_PEP440_H
#define EMBARK_CORE_LANGUAGES_PYTHON_PEP440_H

#include <stdint.h>

#include "embark/core/base/tristate.h"

enum { EM_PEP440_PARTS = 24, EM_PEP440_LOCAL = 96 };

struct em_pep440 {
    uint64_t epoch, release[EM_PEP440_PARTS];
    size_t parts; /* of release, at least 1; what is behind them is 0 */
    char pre;     /* 'a', 'b', 'c' (a release candidate), 0: none */
    bool has_post, has_dev;
    uint64_t pre_number, post, dev;
    char local[EM_PEP440_LOCAL]; /* in lower case, separated by dots; "" */
};

/* False: no version ("2004d", "french toast"), or one of more than EM_PEP440_PARTS parts. */
bool em_pep440_read(const char *text, struct em_pep440 *version);

/* <0, 0, >0. 1.0 equals 1.0.0. */
int em_pep440_compare(const struct em_pep440 *a, const struct em_pep440 *b);

/* Whether `spec`, as in ">=1.14,<2", "~=2.2.post3", "==1.4.*", "===foo", is well-formed. The empty
 * one is, and allows all. */
bool em_pep440_is_spec(const char *spec);

/* Whether `spec` allows `version`. It is about what is installed, so pre-releases count as any
 * other version does. EM_UNKNOWN: one of them is malformed. */
enum em_tristate em_pep440_allows(const char *spec, const char *version);

#endif
