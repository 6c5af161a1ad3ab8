#include "conclude.h"

#include <string.h>

#include "embark/core/migrations/decision_text.h"
#include "embark/os/log/log.h"

static int is_older(const struct em_migration_status *look, struct em_err *err)
{
    int code = em_decision_older(look->config, &look->state, &look->verdict, err);
    if (code == 0) {
        em_log(EM_LOG_WARN, "migrate", "%s", em_str_c(&err->text));
        em_err_free(err);
    }
    return code;
}

static int failed_before(const struct em_migration_status *look, struct em_err *err)
{
    const struct em_run_row *run = &look->state.newest;
    for (const char *line = run->output ? run->output : ""; *line;) {
        size_t length = strcspn(line, "\n");
        em_log(EM_LOG_WARN, "migrate", "| %.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
    return em_decision_failed(look->config, run, err);
}

static void say_skip(const struct em_migration_status *look)
{
    EM_STR_AUTO who = EM_STR_INIT;
    em_decision_run(&look->state.newest, &who);
    em_log(EM_LOG_INFO, "migrate", "everything is applied (%zu file%s; run %s)", look->files.list.n,
           look->files.list.n == 1 ? "" : "s", em_str_c(&who));
}

int em_migration_conclude(const struct em_migration_status *look, struct em_err *err)
{
    switch (look->verdict.decision) {
    case EM_SKIP:
        say_skip(look);
        return 0;
    case EM_IS_OLDER:
        return is_older(look, err);
    case EM_FAILED:
        return failed_before(look, err);
    case EM_RUN:
    default:
        return em_fail(err, EM_EXIT_BUG, "a run was decided on, and not made");
    }
}
