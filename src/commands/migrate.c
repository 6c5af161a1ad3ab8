/* migrate: the migrations as a job, and looks at what they would do and have done. */
#include <string.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/start/context.h"

/* What keeps a start from coming to its migrations. */
static bool is_refused(struct em_start *steps, struct em_str *out)
{
    int code = em_start_check(steps, NULL, NULL);
    if (code)
        em_str_printf(
            out, "would refuse to start (%d): what is missing or wrong in the image is above\n",
            code);
    return code != 0;
}

/* What shows or settles migrations needs the server, and sets nothing up. */
static int reach(struct em_start *steps)
{
    steps->has_superuser = false;
    return em_start_wait(steps);
}

/* --dry-run and --status change nothing. */
static int show(struct em_start *steps, bool status)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    const struct em_url *url = em_start_direct(steps);
    if (!status && is_refused(steps, &out))
        return em_show(&out) ? 0 : EM_EXIT_SYSTEM;
    steps->foresees = !status;
    int code = status ? reach(steps) : em_start_wait(steps);
    if (code)
        return code;
    if (steps->foreseen.len) {
        em_str_puts(&out, "would set up the database first, and run what is pending then: ");
        em_foreign(&out, em_str_c(&steps->foreseen));
        em_str_putc(&out, '\n');
        return em_show(&out) ? 0 : EM_EXIT_SYSTEM;
    }
    if (!status && em_config_skips(steps->config, "migrate")) {
        em_str_puts(&out, "would run nothing: the migrations are left out (EMBARK_SKIP)\n");
        return em_show(&out) ? 0 : EM_EXIT_SYSTEM;
    }
    code = status ? em_migrate_status(steps->config, url, &out, &err)
                  : em_migrate_plan(steps->config, url, &out, &err);
    if (code)
        return em_log_failure("migrate", &err);
    return em_show(&out) ? 0 : EM_EXIT_SYSTEM;
}

/* --wait */
static int await(struct em_start *steps)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    int code = reach(steps);
    if (code)
        return code;
    if (em_migrate_await(steps->config, em_start_direct(steps), &err) != 0)
        return em_log_failure("migrate", &err);
    return 0;
}

/* --resolve FILE [--as applied|pending], --baseline FILE */
static int settle(struct em_start *steps, struct em_migrate_settle *what)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    int code = reach(steps);
    if (code)
        return code;
    if (em_migrate_settle(steps->config, em_start_direct(steps), what, &err) != 0)
        return em_log_failure("migrate", &err);
    if (what->as == EM_SETTLE_BASELINE && strcmp(what->file, "all") == 0)
        em_log(EM_LOG_INFO, "migrate", "all migrations of this image count as applied (%zu file%s)",
               what->count, what->count == 1 ? "" : "s");
    else if (what->as == EM_SETTLE_BASELINE)
        em_log(EM_LOG_INFO, "migrate", "%zu file%s now as applied, up to %s", what->count,
               what->count == 1 ? " counts" : "s count", what->file);
    else
        em_log(EM_LOG_INFO, "migrate", "%s counts as %s now", what->file,
               what->as == EM_SETTLE_APPLIED ? "applied" : "pending");
    return 0;
}

struct words {
    bool dry_run, status, wait;
    const char *resolve, *as, *baseline;
};

/* Words that don't go together. */
static int check_words(const struct words *w, struct em_err *err)
{
    if (w->dry_run + w->status + w->wait + (w->resolve != NULL) + (w->baseline != NULL) > 1)
        return em_fail(err, EM_EXIT_USAGE,
                       "--dry-run, --status, --wait, --resolve and --baseline exclude each other");
    if (w->as && !w->resolve)
        return em_fail(err, EM_EXIT_USAGE, "--as belongs to --resolve FILE");
    if (w->as && strcmp(w->as, "applied") != 0 && strcmp(w->as, "pending") != 0)
        return em_fail(err, EM_EXIT_USAGE, "--as %s: expected applied or pending", w->as);
    return 0;
}

static int run(struct em_start *steps, const struct words *w)
{
    struct em_migrate_settle what = {w->resolve ? w->resolve : w->baseline, EM_SETTLE_BASELINE, 0};
    if (w->resolve)
        what.as = w->as && strcmp(w->as, "pending") == 0 ? EM_SETTLE_PENDING : EM_SETTLE_APPLIED;
    if (what.file)
        return settle(steps, &what);
    if (w->dry_run || w->status)
        return show(steps, w->status);
    if (w->wait)
        return await(steps);
    int code = em_start_all_steps(steps, NULL);
    if (code == 0)
        em_start_log_summary(steps, "done in ", NULL);
    return code;
}

int em_command_migrate(const struct em_call *call)
{
    struct em_start steps;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct words w = {0};
    const struct em_flag flags[] = {
        {"--dry-run", &w.dry_run, NULL, NULL}, {"--status", &w.status, NULL, NULL},
        {"--wait", &w.wait, NULL, NULL},       {"--resolve", NULL, &w.resolve, NULL},
        {"--as", NULL, &w.as, NULL},           {"--baseline", NULL, &w.baseline, NULL}};
    char *const *rest;
    if (em_flags(call->argv, flags, sizeof flags / sizeof *flags, &rest, &err) != 0 ||
        em_no_words("migrate", rest, &err) != 0)
        return em_log_failure(NULL, &err);
    if (check_words(&w, &err) != 0)
        return em_log_failure("migrate", &err);
    if (!em_migrate_any(call->config)) {
        em_log_hint(EM_LOG_ERROR, "migrate", "set [migrate] command or [migrate] sql",
                    "no migration is configured");
        return EM_EXIT_CONFIG;
    }
    int code = em_start_prepare(&steps, call->config, false);
    if (code == 0)
        code = run(&steps, &w);
    em_start_end(&steps);
    return code;
}
