/* What a pyproject.toml says that a project needs, as far as a glance tells: for a proposal that a
 * person looks over. The manifest itself is read by the project's interpreter
 * (stages/require/python/inventory.py), which has a reader of TOML. Pure.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_PYPROJECT_H
#define EMBARK_CORE_LANGUAGES_PYTHON_PYPROJECT_H

#include "embark/core/base/str.h"

/* Adds the requirements of [project] dependencies (PEP 621, as uv, PDM and Hatch have it), as they
 * stand, or the names in [tool.poetry.dependencies] that are needed in any case. False: there is
 * neither, as where only a formatter is set up. */
bool em_pyproject_dependencies(const char *toml, struct em_list *out);

#endif
