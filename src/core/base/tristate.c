#include "embark/core/base/tristate.h"

enum em_tristate em_tristate_not(enum em_tristate a)
{
    return a == EM_UNKNOWN ? EM_UNKNOWN : a == EM_YES ? EM_NO : EM_YES;
}

enum em_tristate em_tristate_and(enum em_tristate a, enum em_tristate b)
{
    if (a == EM_NO || b == EM_NO)
        return EM_NO;
    return a == EM_YES && b == EM_YES ? EM_YES : EM_UNKNOWN;
}

enum em_tristate em_tristate_or(enum em_tristate a, enum em_tristate b)
{
    return em_tristate_not(em_tristate_and(em_tristate_not(a), em_tristate_not(b)));
}
