/* The file in which the report of the last start is kept (core/report/last_start.h), where there is
 * a place for it: the folder $EMBARK_STATE, else /run/embark, if that exists. It is called
 * last-start.
 *
 * The folder may be writable for others, and what lies in it may be theirs: the file is made anew
 * under a name of its own (O_EXCL) and renamed, so that nothing is followed, waited for or torn;
 * and reading it takes a regular file of a limited size only.
 */
#ifndef EMBARK_OS_MACHINE_LAST_START_FILE_H
#define EMBARK_OS_MACHINE_LAST_START_FILE_H

#include "embark/core/report/last_start.h"

#define EM_LAST_START_FILE "last-start"

/* The folder's name. *named: by $EMBARK_STATE. */
const char *em_last_start_file_folder(bool *named);

/* Whether it is worth the trouble: somebody named a folder, or there is one. */
bool em_last_start_file_wanted(void);

/* Replaces the file by `bytes`: all of it or nothing. Its mode is 0644, less the umask. False: why
 * says what went wrong, "" where there is no folder and none was asked for. */
bool em_last_start_file_write(const char *bytes, size_t length, struct em_str *why);
/* False: why says what went wrong, "" where there is no file. */
bool em_last_start_file_read(struct em_str *bytes, struct em_str *why);

/* What is known of a process of our PID namespace. False: there is none, or it may not be looked
 * at. *parent (NULL allowed) is 0 for one from outside of the namespace. */
bool em_process_read(int64_t pid, struct em_process *process, int64_t *parent);

#endif
