#include "embark/core/base/tristate.h"

enum em_judged em_judged_not(enum em_judged a)
{
    return a == EM_UNKNOWN ? EM_UNKNOWN : a == EM_YES ? EM_NO : EM_YES;
}

enum em_judged em_judged_and(enum em_judged a, enum em_judged b)
{
    if (a == EM_NO || b == EM_NO)
        return EM_NO;
    return a == EM_YES && b == EM_YES ? EM_YES : EM_UNKNOWN;
}

enum em_judged em_judged_or(enum em_judged a, enum em_judged b)
{
    return em_judged_not(em_judged_and(em_judged_not(a), em_judged_not(b)));
}
