/* pip's requirements.txt, read line by line as pip does: lines that end in a backslash are joined,
 * " # comments" taken off, ${NAME} of the environment put in by the caller if it wants to.
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_REQUIREMENTS_TXT_H
#define EMBARK_CORE_LANGUAGES_PYTHON_REQUIREMENTS_TXT_H

#include "embark/core/base/str.h"

enum em_requirements_kind {
    EM_REQUIREMENT_LINE, /* PEP 508, per-requirement options such as --hash taken off: requirement.h
                            reads it */
    EM_REQUIREMENT_FILE, /* -r FILE, relative to the file that it stands in; may be an URL */
    EM_CONSTRAINT_FILE,  /* -c FILE */
    EM_REQUIREMENT_PLACE, /* an URL or path without a distribution's name, or -e PLACE: `text` is
                             the place; if it tells a name (#egg=NAME), the line is an
                             EM_REQUIREMENT_LINE "NAME @ URL" instead */
};

struct em_requirements_line {
    enum em_requirements_kind kind;
    char *text;
    size_t number; /* of the line in the file, the first one if several were joined */
};

struct em_requirements_lines {
    struct em_requirements_line *v;
    size_t n;
};

/* Options that say nothing of what is installed (--index-url…) are passed over. Release:
 * em_requirements_free(). */
void em_requirements_read(const char *bytes, size_t length, struct em_requirements_lines *lines);
void em_requirements_free(struct em_requirements_lines *lines);

#endif
