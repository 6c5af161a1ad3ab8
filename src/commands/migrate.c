/* migrate: the migrations as a job, and looks at what they would do and have done. */
#include <string.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/start/context.h"

/* What keeps a start from coming to its migrations. *over: there is nothing more to say. */
static void plan_steps(struct em_start *steps, struct em_str *out, bool *over)
{
    int code = em_start_check(steps, NULL, NULL);
    *over = true;
    if (code)
        em_str_printf(
            out, "would refuse to start (%d): what is missing or wrong in the image is above\n",
            code);
    else if (em_config_skips(steps->config, "migrate"))
        em_str_puts(out, "would run nothing: the migrations are left out (EMBARK_SKIP)\n");
    else
        *over = false;
}

/* --dry-run and --status need the server, and change nothing. */
static int show(struct em_start *steps, bool status)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    const struct em_url *url = steps->has_direct ? &steps->direct : &steps->url;
    bool over = false;
    steps->has_superuser = false;
    if (!status)
        plan_steps(steps, &out, &over);
    if (over)
        return em_show(&out) ? 0 : EM_EXIT_SYSTEM;
    int code = em_start_wait(steps);
    if (code)
        return code;
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
    const struct em_url *url = steps->has_direct ? &steps->direct : &steps->url;
    steps->has_superuser = false;
    int code = em_start_wait(steps);
    if (code)
        return code;
    if (em_migrate_await(steps->config, url, &err) != 0)
        return em_log_failure("migrate", &err);
    return 0;
}

/* --resolve FILE [--as applied|pending] */
static int settle(struct em_start *steps, const char *file, const char *as)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    const struct em_url *url = steps->has_direct ? &steps->direct : &steps->url;
    bool applied = strcmp(as, "applied") == 0;
    steps->has_superuser = false;
    int code = em_start_wait(steps);
    if (code)
        return code;
    if (em_migrate_resolve(steps->config, url, file, applied, &err) != 0)
        return em_log_failure("migrate", &err);
    em_log(EM_LOG_INFO, "migrate", "%s counts as %s now", file, as);
    return 0;
}

/* Words that don't go together. */
static int check_words(int looks, const char *resolve, const char *as, struct em_err *err)
{
    if (looks + (resolve != NULL) > 1)
        return em_fail(err, EM_EXIT_USAGE,
                       "--dry-run, --status, --wait and --resolve exclude each other");
    if (as && !resolve)
        return em_fail(err, EM_EXIT_USAGE, "--as belongs to --resolve FILE");
    if (as && strcmp(as, "applied") != 0 && strcmp(as, "pending") != 0)
        return em_fail(err, EM_EXIT_USAGE, "--as %s: expected applied or pending", as);
    return 0;
}

int em_command_migrate(const struct em_call *call)
{
    struct em_start steps;
    EM_ERR_AUTO err = EM_ERR_INIT;
    bool dry_run = false, status = false, wait = false;
    const char *resolve = NULL, *as = NULL;
    const struct em_flag flags[] = {{"--dry-run", &dry_run, NULL, NULL},
                                    {"--status", &status, NULL, NULL},
                                    {"--wait", &wait, NULL, NULL},
                                    {"--resolve", NULL, &resolve, NULL},
                                    {"--as", NULL, &as, NULL}};
    char *const *rest;
    if (em_flags(call->argv, flags, 5, &rest, &err) != 0 || em_no_words("migrate", rest, &err) != 0)
        return em_log_failure(NULL, &err);
    if (check_words(dry_run + status + wait, resolve, as, &err) != 0)
        return em_log_failure("migrate", &err);
    if (!em_migrate_any(call->config)) {
        em_log_hint(EM_LOG_ERROR, "migrate", "set [migrate] command or [migrate] sql",
                    "no migration is configured");
        return EM_EXIT_CONFIG;
    }
    int code = em_start_prepare(&steps, call->config, false);
    if (code == 0 && resolve) {
        code = settle(&steps, resolve, as ? as : "applied");
    } else if (code == 0 && (dry_run || status)) {
        code = show(&steps, status);
    } else if (code == 0 && wait) {
        code = await(&steps);
    } else if (code == 0) {
        code = em_start_all_steps(&steps, NULL);
        if (code == 0)
            em_start_log_summary(&steps, "done in ", NULL);
    }
    em_start_end(&steps);
    return code;
}
