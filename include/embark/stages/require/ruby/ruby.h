/* [require] module and import = ruby: …: part of em_require() (require.h).
 *
 * Ruby's own Gem answers, by one start for all: `module` names gems, `import` what is given to
 * require.
 */
#ifndef EMBARK_STAGES_REQUIRE_RUBY_RUBY_H
#define EMBARK_STAGES_REQUIRE_RUBY_RUBY_H

#include "embark/core/config/config.h"

/* As em_require(). */
int em_require_ruby(const struct em_config *config, em_time until, struct em_errs *errs,
                    struct em_err *err);

#endif
