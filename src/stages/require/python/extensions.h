/* The extension modules of a package that was found: whether this interpreter takes them, and
 * whether the shared libraries are there that they need. Files are read, nothing is loaded.
 */
#ifndef EMBARK_STAGES_REQUIRE_PYTHON_EXTENSIONS_H
#define EMBARK_STAGES_REQUIRE_PYTHON_EXTENSIONS_H

#include "embark/core/languages/python/lookup.h"

/* Adds an error for a module whose files, below its package's folder, can't be loaded. Only what is
 * installed (site-packages, dist-packages) is looked at. `where` is the line that names it. */
void em_python_extensions(const struct em_python_lookup *answer, const struct em_python_name *name,
                          const char *where, struct em_errs *errs);

#endif
