/* SQL files, read and looked at before anything is sent (core/sql/lint/lint.h). No database is
 * needed.
 */
#ifndef EMBARK_STAGES_SQL_CHECK_H
#define EMBARK_STAGES_SQL_CHECK_H

#include "embark/core/sql/lint/lint.h"

#define EM_SQL_FILE_LIMIT ((size_t)256 * 1024 * 1024)

/* Adds the bytes of `path`, "-" for standard input, to `out`. EM_EXIT_SQL: it can't be read; 128 +
 * n. */
int em_sql_load(const char *path, struct em_str *out, struct em_err *err);

/* How messages call it: "stdin" for "-". */
const char *em_sql_name(const char *path);

/* Where \i (or, `relative`, \ir) in the file `from` finds `path`: adds it to `out`. */
void em_sql_included(const char *from, const char *path, bool relative, struct em_str *out);

/* The same bytes as em_sql_load() for such a file. One that isn't there, and stands beside the file
 * `from`, is hinted at: \ir finds it. */
int em_sql_load_included(const char *from, const char *path, bool relative, struct em_str *full,
                         struct em_str *out, struct em_err *err);

/* Looks at a file's bytes and at the files that it includes; what is wrong is added to lint->errs
 * and lint->warnings. A file that can't be read is an error, too. For several files of one session
 * use the same `lint` in their order. True: no error was added. */
bool em_sql_check_text(struct em_sql_lint *lint, const char *name, const char *bytes,
                       size_t length);
bool em_sql_check_file(struct em_sql_lint *lint, const char *path);

#endif
