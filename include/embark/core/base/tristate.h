/* An answer that may be that there is none: what can't be judged is said, and not guessed. */
#ifndef EMBARK_CORE_BASE_TRISTATE_H
#define EMBARK_CORE_BASE_TRISTATE_H

#include "embark/core/base/str.h"

enum em_judged { EM_NO, EM_YES, EM_UNKNOWN };

enum em_judged em_judged_not(enum em_judged a);
enum em_judged em_judged_and(enum em_judged a, enum em_judged b); /* no wins over unknown */
enum em_judged em_judged_or(enum em_judged a, enum em_judged b);  /* yes wins over unknown */

#endif
