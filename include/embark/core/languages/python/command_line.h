/* Python's command line and the names of its modules, as far as embark must understand them.
 *
 * Pure. What a module name comes to is answered by the interpreter itself
 * (stages/require/python/python.h, src/stages/require/python/probe.py).
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_COMMAND_LINE_H
#define EMBARK_CORE_LANGUAGES_PYTHON_COMMAND_LINE_H

#include "embark/core/base/err.h"

/* Whether a program of this name or path is a Python interpreter: python, python3, python3.11,
 * python3.13t, python3-dbg, pypy3… */
bool em_python_is(const char *path);

/* What Python puts first into sys.path depends on what it is told to run. */
enum em_python_mode {
    EM_PYTHON_CWD,    /* -m, -c, standard input or nothing: the working directory */
    EM_PYTHON_SCRIPT, /* a script: the folder that it is in (the script itself, if it is a folder or
                         zip file) */
    EM_PYTHON_CONSOLE, /* a console script in a folder called bin: the working directory, which
                        * uvicorn, gunicorn, celery, flask, hypercorn, daphne, dramatiq… put there
                        * themselves, and then that folder */
};
const char *em_python_mode_word(enum em_python_mode mode); /* "cwd", "script", "console" */

struct em_python_args {
    enum em_python_mode mode;
    const char *script;   /* points into the words; NULL but for EM_PYTHON_SCRIPT */
    struct em_list flags; /* those that change sys.path: "-E", "-I", "-P", "-s", "-S" */
};
/* Reads the words behind the interpreter. The caller frees `flags`. */
void em_python_args(char *const *words, size_t count, struct em_python_args *args);

#endif
