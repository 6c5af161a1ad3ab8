#include "embark/stages/sql/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/files/files.h"
#include "embark/os/loop/loop.h"

enum { MOST_NESTED = 32 };

/* ---- Reading ---- */

const char *em_sql_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "stdin" : path;
}

static int load_stdin(struct em_str *out, struct em_err *err)
{
    char buffer[16 * 1024];

    for (;;) {
        ssize_t n;

        if (em_wait_fd(STDIN_FILENO, POLLIN, EM_NEVER) == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
        n = read(STDIN_FILENO, buffer, sizeof(buffer));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return em_fail_errno(err, EM_EXIT_SQL, "standard input can't be read");
        if (n == 0)
            return 0;
        em_str_add(out, buffer, (size_t)n);
        if (out->len > EM_SQL_FILE_LIMIT)
            return em_fail(err, EM_EXIT_SQL, "stdin: is larger than %zu MiB",
                           EM_SQL_FILE_LIMIT / 1024 / 1024);
    }
}

int em_sql_load(const char *path, struct em_str *out, struct em_err *err)
{
    EM_STR_AUTO why = EM_STR_INIT;
    EM_STR_AUTO nearest = EM_STR_INIT;

    if (strcmp(path, "-") == 0)
        return load_stdin(out, err);
    if (em_file_read(path, EM_SQL_FILE_LIMIT, out, &why))
        return 0;
    em_fail(err, EM_EXIT_SQL, "%s: %s", path, em_str_c(&why));
    em_path_nearest(path, &nearest);
    if (nearest.len)
        em_hint(err, "%s", em_str_c(&nearest));
    return EM_EXIT_SQL;
}

void em_sql_included(const char *from, const char *path, bool relative, struct em_str *out)
{
    const char *slash = strrchr(from, '/');

    if (relative && slash && *path != '/')
        em_str_add(out, from, (size_t)(slash - from) + 1);
    em_str_puts(out, path);
}

int em_sql_load_included(const char *from, const char *path, bool relative, struct em_str *full,
                         struct em_str *out, struct em_err *err)
{
    EM_STR_AUTO beside = EM_STR_INIT;

    em_sql_included(from, path, relative, full);
    int code = em_sql_load(em_str_c(full), out, err);
    em_sql_included(from, path, true, &beside);
    if (code == EM_EXIT_SQL && !relative && strcmp(em_str_c(&beside), em_str_c(full)) != 0 &&
        access(em_str_c(&beside), R_OK) == 0)
        em_hint(err,
                "\\i starts from the working directory, and \\ir from the file's own folder: "
                "\\ir %s finds %s",
                path, em_str_c(&beside));
    return code;
}

/* ---- Looking ---- */

struct nesting {
    size_t depth;
    bool stop; /* it goes on for ever */
};

static void on_include(void *ctx, struct em_sql_lint *lint, const char *from, const char *path,
                       bool relative, const char *place)
{
    struct nesting *nesting = ctx;
    EM_STR_AUTO full = EM_STR_INIT;
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_sql_source source;

    if (nesting->stop)
        return;
    if (nesting->depth >= MOST_NESTED) {
        em_errs_add(&lint->errs, EM_EXIT_SQL, "%s: files include each other more than 32 deep",
                    place);
        nesting->stop = true;
        return;
    }
    if (strcmp(path, "-") == 0) {
        em_errs_add(&lint->errs, EM_EXIT_SQL, "%s: standard input can't be included", place);
        return;
    }
    if (em_sql_load_included(from, path, relative, &full, &bytes, &err) != 0) {
        em_context(&err, "%s", place);
        em_errs_take(&lint->errs, &err);
        return;
    }
    source = em_sql_source(em_str_c(&full), em_str_c(&bytes), bytes.len);
    nesting->depth++;
    em_sql_lint(lint, &source);
    nesting->depth--;
}

bool em_sql_check_text(struct em_sql_lint *lint, const char *name, const char *bytes, size_t length)
{
    struct em_sql_source source = em_sql_source(name, bytes, length);
    struct nesting nesting = {0, false};

    lint->include = on_include;
    lint->ctx = &nesting;
    em_sql_lint(lint, &source);
    lint->ctx = NULL;
    lint->include = NULL;
    return lint->errs.n == 0;
}

bool em_sql_check_file(struct em_sql_lint *lint, const char *path)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;

    if (em_sql_load(path, &bytes, &err) == 0)
        return em_sql_check_text(lint, em_sql_name(path), em_str_c(&bytes), bytes.len);
    em_errs_take(&lint->errs, &err);
    return false;
}
