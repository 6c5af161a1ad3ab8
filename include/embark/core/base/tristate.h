/* Yes, no, or not known: what can't be told is not guessed. */
#ifndef EMBARK_CORE_BASE_TRISTATE_H
#define EMBARK_CORE_BASE_TRISTATE_H

#include "embark/core/base/str.h"

enum em_tristate { EM_NO, EM_YES, EM_UNKNOWN };

enum em_tristate em_tristate_not(enum em_tristate a);
enum em_tristate em_tristate_and(enum em_tristate a, enum em_tristate b); /* no wins over unknown */
enum em_tristate em_tristate_or(enum em_tristate a, enum em_tristate b); /* yes wins over unknown */

#endif
