/* Python source, as far as literals that are assigned go: what a migration says of itself. Nothing
 * is executed; what isn't a literal is passed over.
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_SOURCE_H
#define EMBARK_CORE_LANGUAGES_PYTHON_SOURCE_H

#include "embark/core/base/str.h"

/* A piece of the source, which the caller keeps. */
struct em_py_span {
    const char *text;
    size_t length;
};

/* A logical line: brackets and triple quotes are closed in it, `;` ends it too. It has no newline
 * at its end, and may hold comments. */
struct em_py_statement {
    size_t indent; /* columns in front of its line */
    struct em_py_span span;
};

/* Begin with the whole file, and {0} for the statement. False: there are no more. Blank lines and
 * comments are no statements. */
bool em_py_next(struct em_py_span *rest, struct em_py_statement *statement);

/* Whether the statement is `NAME = …` or `NAME: annotation = …`; `value` is what is assigned. */
bool em_py_assigns(const struct em_py_statement *statement, const char *name,
                   struct em_py_span *value);
/* Whether it begins with these two names: "class", "Migration". */
bool em_py_begins(const struct em_py_statement *statement, const char *first, const char *second);

/* The strings of None, of a string, or of a tuple, list or set of strings; adjacent ones are one,
 * as in Python. False: it is something else (a call, a name, an f-string); `out` is then
 * incomplete. */
bool em_py_strings(const struct em_py_span *value, struct em_list *out);
/* The pairs in a list or tuple of tuples, [("a", "b"), …]: "a", "b" and so on are added. What is
 * not a pair of strings is passed over. */
void em_py_pairs(const struct em_py_span *value, struct em_list *out);

#endif
