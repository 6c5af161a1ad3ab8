/* [require] module and import = php: …: part of em_require() (require.h).
 *
 * module = php: VENDOR/PACKAGE is answered by vendor/composer/installed.json below the working
 * directory (or where $COMPOSER_VENDOR_DIR says) without starting php; ext-NAME, and import, by one
 * start of php.
 */
#ifndef EMBARK_STAGES_REQUIRE_PHP_PHP_H
#define EMBARK_STAGES_REQUIRE_PHP_PHP_H

#include "embark/core/config/config.h"

/* As em_require(). */
int em_require_php(const struct em_config *config, em_time until, struct em_errs *errs,
                   struct em_err *err);

#endif
