/* Finding a command, and why it can't be executed.
 *
 * execve(2) says ENOENT for a missing file, for a script whose interpreter is missing and for an
 * ELF binary whose loader is missing; this module reads the file and says which. Pure look-ups:
 * nothing is executed.
 *
 * Texts begin with the file's or the command's name: "/app/start.sh: its interpreter /bin/bash
 * (first line) does not exist". A caller that wants to say what the command is for puts words
 * before it.
 */
#ifndef EMBARK_OS_EXEC_FIND_H
#define EMBARK_OS_EXEC_FIND_H

#include "embark/core/base/err.h"

/* What is searched when PATH isn't set: execvp's own default, as musl has it. */
#define EM_EXEC_DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"

/* Where execvp would find `name`: itself when it has a slash (not looked at: execve or
 * em_exec_check() tell), else the first executable in `path` ($PATH; NULL: the default above; an
 * empty element is the working directory). 0 and `found` is set; EM_EXIT_NOT_FOUND with the PATH
 * that was searched and, as hint, what looks like it; or EM_EXIT_NOT_EXECUTABLE when all that there
 * is in PATH is not executable for us. */
int em_exec_find(const char *name, const char *path, struct em_str *found, struct em_err *err);

/* Looks at the file that would be executed and says what would go wrong: not there, a broken or
 * circular symbolic link, a directory, a FIFO or device, no x bit, a mount with noexec, an empty
 * file, a script whose interpreter (or the program that its env(1) looks up in PATH) is missing or
 * whose first line ends in CR, a script without #!, a file of another kind (Windows, macOS, an
 * archive, a page that a download brought), an ELF whose loader (PT_INTERP) is missing (a glibc
 * binary on a musl image, or the reverse, gets its own sentence), which is cut off or which is for
 * another machine (unless a handler of binfmt_misc takes it: a warning), or a shared library that
 * it needs and that its loader won't find. 0: nothing found to be wrong, or it may not be read.
 * EM_EXIT_NOT_FOUND (what execve says ENOENT for) / EM_EXIT_NOT_EXECUTABLE with text and hint. */
int em_exec_check(const char *file, struct em_err *err);

/* After execve(file) of the command `name` failed with `error`: the reason by em_exec_check, else
 * by errno. Returns the exit code: 127, 126, or EM_EXIT_SYSTEM where it isn't the file's fault
 * (E2BIG, ENOMEM, EAGAIN, EMFILE, ENFILE). */
int em_exec_explain(const char *name, const char *file, int error, struct em_err *err);

#endif
