/* Which Python interpreter a command runs in, and what it has as sys.path[0].
 *
 * [require] module = python: … is answered by the service's own interpreter. That is the first of
 *
 *   1. the service's command, if it is a Python interpreter (python -m uvicorn …, python app.py),
 * or a script that names one: by #!, through env, or through the #!/bin/sh with ''''exec' of a long
 * or movable #! line
 *   2. the same of [migrate] command
 *   3. python3, then python, in PATH
 *
 * where a command is seen through what only starts another one (stages/require/started/started.h), and the last
 * program that tells counts: `alembic upgrade head && exec uvicorn …`. Anything else (a shell
 * script that ends in exec uvicorn) tells nothing, and the next point counts.
 *
 * [require] module = python3.11: … or /venv/bin/python: … names the interpreter itself.
 *
 * sys.path[0] is as the service will have it (core/languages/python/command_line.h, enum
 * em_python_mode): the working directory for python -m and -c, the script's folder for python
 * SCRIPT, and both for a console script, as the servers that have one put the working directory
 * first themselves. With a named interpreter and in case 3 it is the working directory. The
 * service's own -E, -I, -P, -s and -S, and those of the #! line, count.
 */
#ifndef EMBARK_STAGES_REQUIRE_PYTHON_INTERPRETER_H
#define EMBARK_STAGES_REQUIRE_PYTHON_INTERPRETER_H

#include "embark/core/config/config.h"
#include "embark/core/languages/python/command_line.h"

struct em_python_interpreter {
    struct em_str path; /* the interpreter: a path, not resolved (a venv's python is a link) */
    enum em_python_mode mode;
    struct em_str script; /* its path, for the modes that have one */
    struct em_list flags;
    struct em_str dir;        /* absolute: the folder in which it starts; "" for embark's own */
    struct em_str pythonpath; /* what the command sets it to; "" */
    struct em_str doubt;      /* why the interpreter can't be told; "" if it can. Else it is not
                                 to be asked, and nothing is known of what it finds */
};
#define EM_PYTHON_INTERPRETER_INIT \
    {                              \
        .mode = EM_PYTHON_CWD      \
    }

/* `language`: "python", or an interpreter's name or path. `service` may be NULL. 0;
 * EM_EXIT_NOT_FOUND or EM_EXIT_NOT_EXECUTABLE when there is none. The caller frees `choice` in any
 * case. */
int em_python_interpreter_find(const struct em_config *config, const struct em_list *service,
                               const char *language, struct em_python_interpreter *choice,
                               struct em_err *err);
bool em_python_same(const struct em_python_interpreter *a, const struct em_python_interpreter *b);
void em_python_interpreter_free(struct em_python_interpreter *choice);

#endif
