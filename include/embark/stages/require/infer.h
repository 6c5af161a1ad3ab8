/* A starting configuration from what stands in the working directory: alembic.ini, manage.py,
 * package.json, Gemfile, requirements.txt, and from the service's command.
 *
 * What `embark check -- COMMAND` looks at where there is no configuration, and what
 * `embark check --write` prints.
 */
#ifndef EMBARK_STAGES_REQUIRE_INFER_H
#define EMBARK_STAGES_REQUIRE_INFER_H

#include "embark/core/base/str.h"

/* Adds the text of an embark.ini to `ini`, and what it was inferred from ("alembic.ini", "the
 * command") to `from`; nothing to both if there is nothing to infer from. Nothing is executed.
 * `service`: the command, or NULL. */
void em_infer(const struct em_list *service, struct em_str *ini, struct em_list *from);

#endif
