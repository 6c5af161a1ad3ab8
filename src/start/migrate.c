/* The step that migrates. */
#include "embark/stages/migrate/migrate.h"
#include "bootstrap.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/start/context.h"

static void print_raw(struct em_str *raw, const struct em_url *url)
{
    if (!raw->len)
        em_url_print(url, true, raw);
}

/* In a start's first migration. */
struct first_start {
    struct em_start *steps;
    bool said; /* what failed was logged */
};

static int on_first_start(void *ctx, struct em_db *db, struct em_err *err)
{
    struct first_start *first = ctx;
    (void)err;
    int code = em_start_finish_bootstrap(first->steps, db);
    first->said = code != 0;
    return code;
}

int em_start_migrate(struct em_start *steps)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time start = em_now();
    if (em_config_skips(steps->config, "migrate") || !em_migrate_any(steps->config))
        return 0;
    const struct em_url *url = em_start_direct(steps);
    struct em_str *raw = steps->has_direct ? &steps->direct_raw : &steps->raw;
    print_raw(raw, url);
    struct first_start setup = {steps, false};
    const struct em_migrate_first first = {on_first_start, &setup};
    int code = em_migrate(steps->config, url, em_str_c(raw), &steps->kept,
                          em_start_checks_bootstrap(steps) ? &first : NULL, &err);
    if (code)
        return setup.said ? code : em_log_failure("migrate", &err);
    em_start_add_timing(steps, "migrate", start);
    return 0;
}
