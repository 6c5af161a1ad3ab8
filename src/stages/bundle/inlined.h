/* [bundle] inlined: part of em_bundle() (bundle.h). */
#ifndef EMBARK_STAGES_BUNDLE_INLINED_H
#define EMBARK_STAGES_BUNDLE_INLINED_H

#include "embark/core/config/config.h"

/* A variable that is set. */
struct em_inlined {
    const char *name, *where; /* the configuration's */
    const char *value;        /* the environment's */
    bool found;               /* the bundle holds the value */
    bool slash;               /* it holds the value with a slash behind it */
};

/* Where the findings go. */
struct em_inlined_said {
    struct em_errs *errs, *warnings;
};

/* For those that are not found: looks at the folders once more, for what they hold in the values'
 * place, and adds one error (EM_EXIT_BAKED) each, or a warning where a slash at the end is all that
 * differs. 0, or 128 + n when stopped by a signal. */
int em_inlined_explain(const struct em_config *config, const struct em_inlined *inlined,
                       size_t count, const struct em_inlined_said *said, struct em_err *err);

#endif
