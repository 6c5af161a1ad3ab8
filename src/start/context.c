/* What the steps of a start share: the targets, the checks of values that belong together, the
 * timings. */
#include <stdlib.h>
#include <string.h>

#include "embark/db/connection.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/net/turn.h"
#include "embark/os/process/trim.h"
#include "embark/stages/bootstrap/bootstrap.h"
#include "embark/stages/bootstrap/files.h"
#include "embark/stages/bundle/bundle.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/migrate/own_sql.h"
#include "embark/stages/migrate/sessions/settings.h"
#include "embark/stages/require/require.h"
#include "embark/stages/service/exec.h"
#include "embark/stages/service/supervise.h"
#include "embark/stages/wait/database.h"
#include "embark/start/context.h"
#include "embark/start/report.h"

/* Bytes of the command in the last line: log drivers tear long ones. */
#define SHOWN_COMMAND 300

void em_start_add_timing(struct em_start *steps, const char *name, em_time started)
{
    if (steps->timings.len)
        em_str_puts(&steps->timings, ", ");
    em_str_printf(&steps->timings, "%s ", name);
    em_time_print(&steps->timings, em_now() - started);
}

int em_log_failure(const char *step, struct em_err *err)
{
    int code = err->code;
    em_log_err(code > 128 ? EM_LOG_INFO : EM_LOG_ERROR, step, err);
    return code;
}

void em_log_first_failure(int *code, const char *step, struct em_err *err)
{
    int this_one = em_log_failure(step, err);
    *code = *code ? *code : this_one;
    em_err_free(err);
}

static int find_targets(struct em_start *steps, struct em_errs *warnings)
{
    const struct em_config *config = steps->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_db_login login = em_service_login(config);
    bool none;
    int code = em_db_target(&steps->url, config->database_url, config->origin[EM_AT_database_url],
                            &login, &none, &steps->raw, warnings, &err);
    steps->has_database = code == 0;
    const char *url = getenv("DATABASE_URL");
    if (none && url && !url[strspn(url, " \t\r\n")])
        em_log_hint(EM_LOG_WARN, "configuration",
                    "an unset variable in a compose file (${DB_URL}) comes out empty; unset "
                    "DATABASE_URL if "
                    "there is no database",
                    "DATABASE_URL is set, but empty: no database is waited for");
    if (none) {
        if (!em_migrate_any(config) || em_config_skips(config, "migrate") || steps->build_time)
            return 0;
        em_hint(&err, "[migrate] needs one: set DATABASE_URL, PG* variables or [database] url");
    }
    if (code)
        return em_log_failure("configuration", &err);
    if (!config->database_direct_url)
        return 0;
    steps->has_direct = true;
    login.optional = true;
    login.user = em_url_get(&steps->url, "user");
    code = em_db_target(&steps->direct, config->database_direct_url,
                        config->origin[EM_AT_database_direct_url], &login, &none,
                        &steps->direct_raw, warnings, &err);
    return code ? em_log_failure("configuration", &err) : 0;
}

static int find_superuser(struct em_start *steps, struct em_errs *warnings)
{
    const struct em_config *config = steps->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    bool none;
    if (!em_bootstrap_any(config) || em_config_skips(config, "bootstrap"))
        return 0;
    steps->has_superuser = true;
    if (em_db_target(&steps->superuser, config->bootstrap_url, config->origin[EM_AT_bootstrap_url],
                     NULL, &none, NULL, warnings, &err) != 0)
        return em_log_failure("configuration", &err);
    if (config->bootstrap_password)
        em_secrets_add(em_log_secrets(), config->bootstrap_password);
    if (steps->has_database || steps->build_time)
        return 0;
    em_fail(&err, EM_EXIT_CONFIG, "%s: [bootstrap] url is set, and the service's database is not",
            config->origin[EM_AT_bootstrap_url]);
    em_hint(&err, "set DATABASE_URL, PG* variables or [database] url");
    return em_log_failure("configuration", &err);
}

/* Each once: several URLs may take the same password. */
static void say_warnings(const struct em_errs *warnings, bool build_time)
{
    EM_LIST_AUTO said = EM_LIST_INIT;
    for (size_t i = 0; i < warnings->n; i++) {
        const char *text = em_str_c(&warnings->v[i].text);
        if (!em_list_has(&said, text))
            em_log_err(build_time ? EM_LOG_INFO : EM_LOG_WARN, "configuration", &warnings->v[i]);
        em_list_add(&said, text);
    }
}

int em_start_prepare(struct em_start *steps, const struct em_config *config, bool build_time)
{
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_user user = {0};
    memset(steps, 0, sizeof *steps);
    steps->config = config;
    steps->build_time = build_time;
    steps->hosts = build_time;
    steps->started = em_now();
    em_release_code_pages(); /* what read the configuration */
    int unknown =
        em_service_user(config, &user, &err) != 0 ? em_log_failure("configuration", &err) : 0;
    int code = find_targets(steps, &warnings);
    if (steps->has_database) /* a login is to come, beside which this costs nothing */
        em_release_code_pages();
    if (code == 0)
        code = find_superuser(steps, &warnings);
    em_supervise_validate(config, &errs, &warnings);
    say_warnings(&warnings, build_time);
    em_wait_validate(config, &errs);
    if (em_sql_migrations_any(config) && config->migrate_command.n)
        em_errs_add(&errs, EM_EXIT_CONFIG, "%s: [migrate] sql and command exclude each other",
                    config->origin[EM_AT_migrate_sql]);
    if (em_sql_migrations_any(config) && strcmp(config->migrate_ledger, "off") == 0)
        em_errs_add(&errs, EM_EXIT_CONFIG,
                    "%s: [migrate] sql needs the ledger, which is off: its records stand beside it",
                    config->origin[EM_AT_migrate_sql]);
    em_migration_settings_validate(config, &errs);
    em_require_validate(config, &errs);
    em_bootstrap_validate(config, &errs);
    em_bundle_validate(config, &errs);
    for (size_t i = 0; i < errs.n; i++)
        em_log_first_failure(&code, "configuration", &errs.v[i]);
    code = code ? code : unknown;
    /* What is secret has been read; from here on all is seen and done as the service's user does.
     */
    if (code == 0 && em_service_become(config, &user, &err) != 0)
        code = em_log_failure("configuration", &err);
    em_user_free(&user);
    return code;
}

const struct em_url *em_start_direct(const struct em_start *steps)
{
    return steps->has_direct ? &steps->direct : &steps->url;
}

void em_start_end(struct em_start *steps)
{
    em_db_close(steps->kept);
    steps->kept = NULL;
    em_turn_end();
    em_url_free(&steps->url);
    em_url_free(&steps->direct);
    em_url_free(&steps->superuser);
    em_str_wipe(&steps->raw);
    em_str_wipe(&steps->direct_raw);
    em_str_free(&steps->timings);
    em_str_free(&steps->foreseen);
}

void em_start_log_summary(const struct em_start *steps, const char *what, char *const *argv)
{
    EM_STR_AUTO line = EM_STR_INIT;
    em_str_puts(&line, what);
    em_time_print(&line, em_now() - steps->started);
    if (steps->timings.len)
        em_str_printf(&line, " (%s)", em_str_c(&steps->timings));
    if (argv) {
        em_str_puts(&line, ": ");
        em_shown_command(argv, SHOWN_COMMAND, &line);
    }
    em_log(EM_LOG_INFO, NULL, "%s", em_str_c(&line));
}
