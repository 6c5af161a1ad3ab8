/* [require] file, dir, mount and writable: part of em_require() (require.h). */
#ifndef EMBARK_STAGES_REQUIRE_PATHS_H
#define EMBARK_STAGES_REQUIRE_PATHS_H

#include "embark/core/config/config.h"

/* Each adds an EM_EXIT_REQUIREMENT error if `path` isn't what it must be. `where` is its place. */
void em_require_file(const char *path, const char *where, struct em_errs *errs);
/* `value` is a rule of core/config/dir_rule.h; a malformed one is passed over. */
void em_require_dir(const char *value, const char *where, struct em_errs *errs);
/* The same in a build, where the free space isn't the deployment's. */
void em_require_dir_of_image(const char *value, const char *where, struct em_errs *errs);
void em_require_mount(const char *path, const char *where, struct em_errs *errs);
void em_require_writable(const char *path, const char *where, struct em_errs *errs);

#endif
