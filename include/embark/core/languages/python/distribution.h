/* Which distribution brings a module, by its name alone: where neither is installed.
 *
 * Pure.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_DISTRIBUTION_H
#define EMBARK_CORE_LANGUAGES_PYTHON_DISTRIBUTION_H

#include "embark/core/base/str.h"

/* Whether the distribution of that normalised name (em_requirement_key()) may bring the module: the
 * names are alike (google.cloud.storage and google-cloud-storage, psycopg2 and psycopg2-binary), or
 * it is one of the well-known others (yaml is of pyyaml). */
bool em_python_may_bring(const char *key, const char *module);

#endif
