/* Parts of em_infer() (infer.h): a frontend, the service's command. */
#ifndef EMBARK_STAGES_REQUIRE_INFER_PARTS_H
#define EMBARK_STAGES_REQUIRE_INFER_PARTS_H

#include "embark/core/base/str.h"

/* From package.json and the folders that are there: public/ and addons to [require], what the build
 * left to [bundle]. */
void em_infer_frontend(struct em_str *require, struct em_str *bundle);

/* sh -c 'MIGRATION && SERVICE' taken apart. False: it is not that, or a shell does more with it. */
bool em_infer_split(const struct em_list *command, struct em_list *migration,
                    struct em_list *service);

/* [health] tcp, where the command tells for certain which port its server listens on. */
void em_infer_health(const struct em_list *service, struct em_str *health);

/* How a migration starts `name` (NULL: Python itself) so that it has the packages that the service
 * has: beside the service's program, by the same manager (poetry run), else as PATH or .venv has
 * it. `service` may be NULL. */
void em_infer_program(const struct em_list *service, const char *name, struct em_str *out);

#endif
