#include "embark/stages/bootstrap/files.h"

#include <string.h>

#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/sql/check.h"
#include "embark/stages/sql/run.h"

#define LOG_LIMIT EM_SEC(15)

/* NAME=VALUE into a variable; a value whose name sounds secret isn't shown from here on. */
static int add_var(struct em_sql_vars *vars, const char *text, const char *where,
                   struct em_err *err)
{
    const char *equals = strchr(text, '=');
    EM_FREE char *name = em_strndup(text, equals ? (size_t)(equals - text) : strlen(text));
    if (!equals || !em_sql_vars_set(vars, name, equals + 1)) {
        em_fail(err, EM_EXIT_CONFIG, "%s: [bootstrap] var: expected NAME=VALUE", where);
        em_hint(err, "a name is made of letters, digits and _");
        return EM_EXIT_CONFIG;
    }
    if (em_sql_vars_secret(name))
        em_secrets_add(em_log_secrets(), equals + 1);
    return 0;
}

static int add_vars(const struct em_config *config, struct em_sql_vars *vars, struct em_err *err)
{
    int code = 0;
    for (size_t i = 0; i < config->bootstrap_var.n && code == 0; i++)
        code = add_var(vars, config->bootstrap_var.v[i], config->bootstrap_var.where[i], err);
    return code;
}

bool em_bootstrap_lint(const struct em_config *config, bool build_time, struct em_errs *errs,
                       struct em_errs *warnings)
{
    struct em_sql_lint lint;
    EM_ERR_AUTO err = EM_ERR_INIT;
    size_t before = errs->n;
    memset(&lint, 0, sizeof lint);
    /* A build doesn't know the values, and there may be other variables in the deployment. */
    lint.guess = lint.names = build_time;
    if (add_vars(config, &lint.vars, &err) != 0)
        em_errs_take(errs, &err);
    for (size_t i = 0; i < config->bootstrap_sql.n; i++)
        em_sql_check_file(&lint, config->bootstrap_sql.v[i]);
    for (size_t i = 0; i < lint.errs.n; i++)
        em_errs_take(errs, &lint.errs.v[i]);
    for (size_t i = 0; i < lint.warnings.n; i++)
        em_errs_take(warnings, &lint.warnings.v[i]);
    em_sql_lint_free(&lint);
    return errs->n == before;
}

static int run_all(const struct em_config *config, struct em_db *db, struct em_sql_vars *vars,
                   struct em_err *err)
{
    struct em_sql_options options = {
        .step = "bootstrap", .until = EM_NEVER, .vars = vars, .to_log = true};
    struct em_sql_run run;
    int code = em_sql_run_start(&run, db, &options, err);
    for (size_t i = 0; i < config->bootstrap_sql.n && code == 0; i++) {
        code = em_sql_run_file(&run, config->bootstrap_sql.v[i], err);
        if (code == 0)
            em_log(EM_LOG_INFO, "bootstrap", "ran %s", config->bootstrap_sql.v[i]);
        else if (code == EM_EXIT_SQL)
            em_hint(err, "a set-up file must be repeatable: CREATE … IF NOT EXISTS, or DO blocks "
                         "that look first");
    }
    if (code == 0)
        code = em_sql_run_end(&run, err);
    em_sql_run_free(&run);
    return code;
}

int em_bootstrap_keep_out_of_log(struct em_db *db, struct em_err *err)
{
    int code = em_db_query(
        db, em_in(LOG_LIMIT), NULL, err,
        "SELECT pg_catalog.set_config(s.name, w.value, false) FROM pg_catalog.pg_settings s,"
        " (VALUES ('log_statement', 'none'), ('log_min_duration_statement', '-1'),"
        " ('log_min_duration_sample', '-1'), ('log_transaction_sample_rate', '0'),"
        " ('log_min_error_statement', 'panic')) w(name, value)"
        " WHERE s.name OPERATOR(pg_catalog.=) w.name",
        0, NULL);
    if (code != EM_EXIT_REFUSED)
        return code;
    em_err_free(err);
    return 0;
}

static bool has_secrets(const struct em_config *config)
{
    bool any = false;
    for (size_t i = 0; i < config->bootstrap_var.n; i++) {
        const char *text = config->bootstrap_var.v[i];
        EM_FREE char *name = em_strndup(text, strcspn(text, "="));
        any = any || em_sql_vars_secret(name);
    }
    return any;
}

int em_bootstrap_files(const struct em_config *config, struct em_db *db, struct em_err *err)
{
    struct em_sql_vars vars;
    memset(&vars, 0, sizeof vars);
    if (!config->bootstrap_sql.n)
        return 0;
    int code = add_vars(config, &vars, err);
    if (code == 0 && has_secrets(config))
        code = em_bootstrap_keep_out_of_log(db, err);
    if (code == 0)
        code = run_all(config, db, &vars, err);
    em_sql_vars_free(&vars);
    return code;
}
