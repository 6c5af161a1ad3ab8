/* [require] module = python: …: part of em_require() (require.h). */
#ifndef EMBARK_STAGES_REQUIRE_PYTHON_PYTHON_H
#define EMBARK_STAGES_REQUIRE_PYTHON_PYTHON_H

#include "embark/core/config/config.h"

/* Asks for all python modules, with one start of each interpreter that is named. Values that are
 * malformed (em_require_validate()) are passed over. As em_require(). */
int em_require_python(const struct em_config *config, const struct em_list *service,
                      bool build_time, em_time until, struct em_errs *errs, struct em_err *err);

#endif
