/* Results: to \o's or \g's file, to standard output, or to the log where that is the service's. They
 * are data, and go into a file or a pipe as they are; a terminal would obey what stands in them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "file.h"

static bool is_secret(const char *value)
{
    const struct em_secrets *secrets = em_log_secrets();

    for (size_t i = 0; i < em_secrets_count(secrets); i++) {
        const char *form = em_secrets_form(secrets, i);

        if (strlen(form) < 3 ? strcmp(value, form) == 0 : strstr(value, form) != NULL)
            return true;
    }
    return false;
}

void em_sql_add_shown(struct em_str *out, const char *value)
{
    EM_STR_WIPED clean = EM_STR_INIT;

    if (!is_secret(value)) {
        em_str_puts(out, value);
        return;
    }
    em_str_puts(&clean, value);
    em_redact(em_log_secrets(), &clean);
    em_str_puts(out, em_str_c(&clean));
}

/* Without O_NONBLOCK the opening of a FIFO that nobody reads would last. */
int em_sql_output_open(const char *path, struct em_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

    if (fd < 0)
        em_fail_errno(err, EM_EXIT_SQL, "%s can't be written", path);
    else if (flags >= 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

/* To standard output, whatever \o says. */
static bool put_plainly(const struct em_sql_run *run, const char *bytes, size_t length)
{
    const char *end = bytes + length;

    if (!run->options.to_log && isatty(STDOUT_FILENO)) {
        EM_STR_AUTO shown = EM_STR_INIT;

        em_escape_lines(&shown, bytes, length);
        return em_put(STDOUT_FILENO, em_str_c(&shown), shown.len);
    }
    if (!run->options.to_log)
        return em_put(STDOUT_FILENO, bytes, length);
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t n = (size_t)((newline ? newline : end) - bytes);

        em_log(EM_LOG_INFO, run->options.step, "| %.*s", (int)n, bytes);
        bytes += n + (newline != NULL);
    }
    return true;
}

bool em_sql_put(const struct em_sql_run *run, const char *bytes, size_t length)
{
    return run->output >= 0 ? em_put(run->output, bytes, length) : put_plainly(run, bytes, length);
}

bool em_sql_print(const struct em_sql_run *run, const char *bytes, size_t length, bool result)
{
    EM_STR_WIPED text = EM_STR_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    em_str_add(&text, bytes, length);
    em_sql_add_shown(&out, em_str_c(&text));
    return (result ? em_sql_put : put_plainly)(run, em_str_c(&out), out.len);
}
