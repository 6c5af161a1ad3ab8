/* Runs the bootstrap when the wait or the first migration finds that it is needed. */
#include "bootstrap.h"

#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"
#include "embark/stages/bootstrap/bootstrap.h"
#include "embark/stages/bootstrap/files.h"

/* The files are looked at before anything is sent. */
static int lint(const struct em_start *steps)
{
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;
    int code = 0;
    em_bootstrap_lint(steps->config, steps->build_time, &errs, &warnings);
    for (size_t i = 0; i < warnings.n; i++)
        em_log_err(EM_LOG_WARN, "bootstrap", &warnings.v[i]);
    for (size_t i = 0; i < errs.n; i++)
        em_log_first_failure(&code, "bootstrap", &errs.v[i]);
    return code;
}

/* What it would come to: the superuser's login is one that a start fails without. */
static int foresee(struct em_start *steps, const struct em_db_failure *refused)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_foreseen f = {EM_STR_INIT, EM_STR_INIT, 0, EM_ERR_INIT};
    int code = em_bootstrap_foresee(steps->config, &steps->superuser, &steps->url, refused,
                                    em_in(steps->config->database_connect_timeout), &f, &err);
    if (code || f.code)
        code = em_log_failure("bootstrap", code ? &err : &f.err);
    else if (refused)
        em_str_puts(&steps->foreseen, f.news.len ? em_str_c(&f.news)
                                                 : "the service's login is refused, and a "
                                                   "superuser's is given");
    em_foreseen_free(&f);
    return code;
}

int em_start_bootstrap(struct em_start *steps, const struct em_db_failure *refused)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time start = em_now();
    if (steps->foresees)
        return foresee(steps, refused);
    /* Unless the check has done so. */
    int code = em_config_skips(steps->config, "check") ? lint(steps) : 0;
    if (code)
        return code;
    if (em_bootstrap(steps->config, &steps->superuser, &steps->url, &err) != 0)
        return em_log_failure("bootstrap", &err);
    em_start_add_timing(steps, "bootstrap", start);
    steps->bootstrapped = em_now() - start;
    return 0;
}

int em_start_finish_bootstrap(struct em_start *steps, struct em_db *db)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    bool needed;
    if (em_bootstrap_check(steps->config, &steps->url, db, em_in(EM_BOOTSTRAP_CHECK_LIMIT), &needed,
                           &why, &err) != 0)
        return em_loop_stopped() ? em_log_failure("bootstrap", &err) : 0;
    if (!needed)
        return 0;
    em_log(EM_LOG_INFO, "bootstrap", "%s", em_str_c(&why));
    return em_start_bootstrap(steps, NULL);
}

bool em_start_checks_bootstrap(const struct em_start *steps)
{
    return steps->has_superuser && steps->config->bootstrap_when == 0;
}
