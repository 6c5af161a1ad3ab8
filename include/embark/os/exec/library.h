/* Whether the libraries are there that a file needs which a program opens by itself: an extension
 * module of Python's, an addon of Node.js's. Nothing is loaded.
 */
#ifndef EMBARK_OS_EXEC_LIBRARY_H
#define EMBARK_OS_EXEC_LIBRARY_H

#include "embark/core/base/err.h"

/* By the rules of the program's dynamic loader, with what the program itself needs loaded already.
 * 0: all are found, or it can't be told (a static program, a script, what is no library).
 * EM_EXIT_NOT_FOUND: each one that is missing is named in err->text, "LIBRARY: the shared library X
 * is missing", and added to `missing`. EM_EXIT_NOT_EXECUTABLE: it is for another machine. */
int em_library_check(const char *program, const char *library, struct em_list *missing,
                     struct em_err *err);

#endif
