/* Error values and the exit codes.
 *
 * A function that can fail returns int: 0, or one of enum em_exit (or 128 + n: ended by signal n),
 * and has filled the struct em_err that the caller gave. Context is added on the way up. Nobody
 * prints and nobody exits: a stage returns its error, a command logs it (os/log/log.h), main turns
 * the code into the process's own.
 *
 * A struct em_err starts as EM_ERR_INIT and is released by em_err_free(). Texts are UTF-8 for
 * people, one line, without "embark: " and without a closing full stop; they may hold untrusted
 * bytes (the log escapes them) and may hold secrets (the log takes them out,
 * core/redact/secrets.h).
 */
#ifndef EMBARK_CORE_BASE_ERR_H
#define EMBARK_CORE_BASE_ERR_H

#include "embark/core/base/str.h"

/* embark(1), EXIT STATUS. 64 to 78 are those of sysexits.h where it has a fitting one. */
#define EM_EXITS(X)                                                                           \
    X(DONE, 0, "done")                                                                        \
    X(USAGE, 64, "usage: an unknown option or subcommand, or a missing word")                 \
    X(SQL, 65, "a SQL file or SQL step failed")                                               \
    X(UNREACHABLE, 69, "something that was waited for was not reachable before the deadline") \
    X(BUG, 70, "a bug in embark")                                                             \
    X(SYSTEM, 71, "the system refused: fork, memory, descriptors")                            \
    X(REQUIREMENT, 72, "a requirement is missing from the image")                             \
    X(BAKED, 73, "a value that was baked into the image is wrong")                            \
    X(LOCK, 75, "the migration lock was not had in time")                                     \
    X(REFUSED, 77, "the server refuses us: password, database, privilege, TLS")               \
    X(CONFIG, 78, "the configuration is wrong")                                               \
    X(MIGRATION, 80, "the migration failed")                                                  \
    X(OLDER, 81, "the image is older than the database")                                      \
    X(NOT_EXECUTABLE, 126, "the command was found but can't be executed")                     \
    X(NOT_FOUND, 127, "the command was not found")

enum em_exit {
#define X(name, value, text) EM_EXIT_##name = (value),
    EM_EXITS(X)
#undef X
};

struct em_err {
    int code;           /* 0 while nothing failed */
    struct em_str text; /* what was expected, what was found */
    struct em_str hint; /* the next thing to do; may be empty */
};

#define EM_ERR_INIT                 \
    {                               \
        0, EM_STR_INIT, EM_STR_INIT \
    }
#define EM_ERR_AUTO __attribute__((cleanup(em_err_free))) struct em_err

/* Sets the error (an older text is replaced, an older hint dropped) and returns `code`. */
int em_fail(struct em_err *err, int code, const char *format, ...) EM_PRINTF(3, 4);
/* The same, with ": " and strerror(errno) at the end. */
int em_fail_errno(struct em_err *err, int code, const char *format, ...) EM_PRINTF(3, 4);
void em_hint(struct em_err *err, const char *format, ...) EM_PRINTF(2, 3); /* replaces the hint */
void em_context(struct em_err *err, const char *format, ...) EM_PRINTF(2, 3); /* "context: text" */
void em_err_free(struct em_err *err);

/* Several errors at once: a configuration's, or what an image lacks. Each is owned by the list. */
struct em_errs {
    struct em_err *v;
    size_t n;
};
#define EM_ERRS_INIT \
    {                \
        NULL, 0      \
    }
#define EM_ERRS_AUTO __attribute__((cleanup(em_errs_free))) struct em_errs
struct em_err *em_errs_add(struct em_errs *errs, int code, const char *format, ...) EM_PRINTF(3, 4);
/* Moves `err` to the end of the list and leaves it empty; the pointer is valid until the next
 * addition. */
struct em_err *em_errs_take(struct em_errs *errs, struct em_err *err);
void em_errs_free(struct em_errs *errs);

#endif
