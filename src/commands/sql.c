/* sql: SQL files, run over libpq. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/process/spawn.h"
#include "embark/stages/bootstrap/bootstrap.h"
#include "embark/stages/sql/check.h"
#include "embark/stages/sql/run.h"
#include "embark/start/context.h"

struct sql {
    struct em_sql_vars vars;
    char *const *paths;
    struct em_str *bytes; /* of each of them: what was looked at is what is sent */
    size_t n;
    struct em_sql_options options;
    bool print_bootstrap;
};

/* ---- Words ---- */

/* NAME=VALUE. A NAME alone is one that is not set, as with psql. */
static int take_var(struct em_sql_vars *vars, const char *word, struct em_err *err)
{
    const char *equals = strchr(word, '=');
    EM_FREE char *name = em_strndup(word, equals ? (size_t)(equals - word) : strlen(word));

    if (!em_sql_vars_name(name)) {
        em_fail(err, EM_EXIT_USAGE, "-v %s: a variable's name has letters, digits and _", name);
        return EM_EXIT_USAGE;
    }
    if (!equals) {
        em_sql_vars_unset(vars, name);
        return 0;
    }
    em_sql_vars_set(vars, name, equals + 1);
    if (em_sql_vars_secret(name))
        em_secrets_add(em_log_secrets(), equals + 1);
    return 0;
}

static int take_on_error(struct em_sql_options *options, const char *word, struct em_err *err)
{
    if (!word || strcmp(word, "stop") == 0)
        return 0;
    if (strcmp(word, "continue") != 0)
        return em_fail(err, EM_EXIT_USAGE, "--on-error %s: it is stop or continue", word);
    if (options->one_transaction)
        return em_fail(err, EM_EXIT_USAGE,
                       "-1 and --on-error continue exclude each other: nothing can go on in a "
                       "transaction that failed");
    options->go_on = true;
    return 0;
}

static int take_words(struct sql *sql, char *const *argv, struct em_err *err)
{
    EM_LIST_AUTO vars = EM_LIST_INIT;
    const char *on_error = NULL;
    const struct em_flag flags[] = {
        {"-v", NULL, NULL, &vars},
        {"--set", NULL, NULL, &vars},
        {"-1", &sql->options.one_transaction, NULL, NULL},
        {"--single-transaction", &sql->options.one_transaction, NULL, NULL},
        {"--on-error", NULL, &on_error, NULL},
        {"--print-bootstrap", &sql->print_bootstrap, NULL, NULL}};
    char *const *rest;
    int code = em_flags(argv, flags, EM_COUNT(flags), &rest, err);

    for (size_t i = 0; i < vars.n && code == 0; i++)
        code = take_var(&sql->vars, vars.v[i], err);
    if (code == 0)
        code = take_on_error(&sql->options, on_error, err);
    if (code == 0 && sql->print_bootstrap)
        return em_no_words("sql --print-bootstrap", rest, err);
    if (code == 0 && !*rest) {
        code = em_fail(err, EM_EXIT_USAGE, "no SQL file is named");
        em_hint(err, "embark sql [-v NAME=VALUE…] [-1] FILE…, - for standard input");
    }
    sql->paths = rest;
    for (sql->n = 0; code == 0 && rest[sql->n];)
        sql->n++;
    return code;
}

/* ---- Before anything is sent ---- */

static int load(struct sql *sql, struct em_err *err)
{
    int code = 0;

    sql->bytes = em_alloc((sql->n + 1) * sizeof(*sql->bytes));
    for (size_t i = 0; i < sql->n && code == 0; i++)
        code = em_sql_load(sql->paths[i], &sql->bytes[i], err);
    return code;
}

static int look(struct sql *sql)
{
    struct em_sql_lint lint = {.guess = false};
    int code = 0;

    for (size_t i = 0; i < sql->vars.n; i++)
        em_sql_vars_set(&lint.vars, sql->vars.v[i].name, sql->vars.v[i].value);
    for (size_t i = 0; i < sql->n; i++)
        em_sql_check_text(&lint, em_sql_name(sql->paths[i]), em_str_c(&sql->bytes[i]),
                          sql->bytes[i].len);
    for (size_t i = 0; i < lint.warnings.n; i++)
        em_log_err(EM_LOG_WARN, "sql", &lint.warnings.v[i]);
    for (size_t i = 0; i < lint.errs.n; i++)
        em_log_err(EM_LOG_ERROR, "sql", &lint.errs.v[i]);
    if (lint.errs.n) {
        em_log(EM_LOG_ERROR, "sql", "nothing was sent to the server");
        code = EM_EXIT_SQL;
    }
    em_sql_lint_free(&lint);
    return code;
}

/* ---- Running ---- */

static int run_files(struct sql *sql, struct em_sql_run *run, struct em_err *err)
{
    int code = 0;

    for (size_t i = 0; i < sql->n && code == 0; i++)
        code = em_sql_run_text(run, em_sql_name(sql->paths[i]), em_str_c(&sql->bytes[i]),
                               sql->bytes[i].len, err);
    if (code == 0)
        code = em_sql_run_end(run, err);
    return code;
}

/* The line at the end. A failure was logged where it happened. */
static int sum_up(const struct sql *sql, const struct em_sql_run *run, em_time started, int code)
{
    EM_STR_AUTO took = EM_STR_INIT;
    size_t done = run->done;

    em_time_print(&took, em_now() - started);
    if (code == EM_EXIT_SQL && sql->options.one_transaction && !run->warned) {
        em_log(EM_LOG_ERROR, "sql", "stopped: all is rolled back");
    } else if (code == EM_EXIT_SQL) {
        em_log(EM_LOG_ERROR, "sql",
               "stopped after %zu statement%s, %s (-1 makes it all or nothing)", done,
               done == 1 ? "" : "s", done == 1 ? "which stays done" : "which stay done");
    } else if (code == 0 && run->failures) {
        em_log(EM_LOG_ERROR, "sql", "%zu statement%s in %s, %zu failure%s", run->statements,
               run->statements == 1 ? "" : "s", em_str_c(&took), run->failures,
               run->failures == 1 ? "" : "s");
        code = EM_EXIT_SQL;
    } else if (code == 0) {
        em_log(EM_LOG_INFO, "sql", "%zu statement%s in %s", run->statements,
               run->statements == 1 ? "" : "s", em_str_c(&took));
    }
    return code;
}

static int connect_and_run(struct sql *sql, struct em_start *steps)
{
    const struct em_url *url = em_start_direct(steps);
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO application = EM_STR_INIT;
    struct em_sql_run run;
    struct em_db *db = NULL;
    em_time started = em_now();
    int code;

    em_title_long("sql");
    em_application_name("sql", &application);
    code = em_db_open_for(EM_DB_USERS, url, em_str_c(&application),
                          em_in(steps->config->database_connect_timeout), &db, NULL, &err);
    if (code)
        return em_log_failure("sql", &err);
    code = em_sql_run_start(&run, db, &sql->options, &err);
    if (code == 0)
        code = run_files(sql, &run, &err);
    if (code && code != EM_EXIT_SQL)
        em_log_failure("sql", &err);
    code = sum_up(sql, &run, started, code);
    em_sql_run_free(&run);
    em_db_close(db);
    return code;
}

static int no_database(void)
{
    em_log_hint(EM_LOG_ERROR, "sql", "set DATABASE_URL, PG* variables or [database] url",
                "no database is named");
    return EM_EXIT_CONFIG;
}

/* --print-bootstrap: what [bootstrap] would send, for people. */
static int print_bootstrap(const struct em_config *config)
{
    struct em_start steps;
    EM_STR_AUTO out = EM_STR_INIT;
    int code = em_start_prepare(&steps, config, false);

    if (code == 0 && !steps.has_database)
        code = no_database();
    if (code == 0) {
        em_bootstrap_print(config, &steps.url, &out);
        em_redact(em_log_secrets(), &out);
        code = em_put(STDOUT_FILENO, em_str_c(&out), out.len) ? 0 : EM_EXIT_SYSTEM;
    }
    em_start_end(&steps);
    return code;
}

static int run(struct sql *sql, const struct em_config *config)
{
    struct em_start steps;
    EM_ERR_AUTO err = EM_ERR_INIT;
    int code;

    if (load(sql, &err) != 0)
        return em_log_failure("sql", &err);
    code = look(sql);
    if (code)
        return code;
    code = em_start_prepare(&steps, config, false);
    if (code == 0 && !steps.has_database && !steps.has_direct)
        code = no_database();
    if (code == 0)
        code = em_start_wait(&steps);
    if (code == 0)
        code = connect_and_run(sql, &steps);
    em_start_end(&steps);
    return code;
}

int em_command_sql(const struct em_call *call)
{
    struct sql sql = {.options = {.step = "sql", .until = EM_NEVER}};
    EM_ERR_AUTO err = EM_ERR_INIT;
    int code;

    sql.options.vars = &sql.vars;
    if (take_words(&sql, call->argv, &err) != 0)
        code = em_log_failure(NULL, &err);
    else
        code = sql.print_bootstrap ? print_bootstrap(call->config) : run(&sql, call->config);
    for (size_t i = 0; sql.bytes && i < sql.n; i++)
        em_str_wipe(&sql.bytes[i]);
    free(sql.bytes);
    em_sql_vars_free(&sql.vars);
    return code;
}
