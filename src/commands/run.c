/* run, wait and migrate: the start-up steps in their order (DESIGN, semantics 1). */
#include <string.h>

#include "embark/commands/commands.h"
#include "embark/commands/steps.h"
#include "embark/db/db.h"
#include "embark/os/clock.h"
#include "embark/os/log.h"
#include "embark/os/proc.h"
#include "embark/stages/migrate.h"
#include "embark/stages/require.h"
#include "embark/stages/service.h"
#include "embark/stages/wait.h"

/* The longest that an interpreter may take to look for modules. */
#define CHECK_LIMIT EM_SEC(60)

static void add_timing(struct em_steps *steps, const char *name, em_time started)
{
    if (steps->timings.len)
        em_str_puts(&steps->timings, ", ");
    em_str_printf(&steps->timings, "%s ", name);
    em_time_print(&steps->timings, em_now() - started);
}

static int said(const char *step, struct em_err *err)
{
    int code = err->code;
    em_log_err(code > 128 ? EM_LOG_INFO : EM_LOG_ERROR, step, err);
    return code;
}

int em_step_check(struct em_steps *steps, const struct em_list *service)
{
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time start = em_now();
    if (em_config_skips(steps->config, "check") || !em_require_any(steps->config))
        return 0;
    em_title("check");
    if (em_require(steps->config, service, em_in(CHECK_LIMIT), &errs, &err) != 0)
        return said("check", &err);
    for (size_t i = 0; i < errs.n; i++)
        em_log_err(EM_LOG_ERROR, "require", &errs.v[i]);
    if (errs.n > 0)
        return errs.v[0].code;
    add_timing(steps, "check", start);
    return 0;
}

static int find_targets(struct em_steps *steps)
{
    const struct em_config *config = steps->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    bool none;
    int code = em_db_target(&steps->url, config->database_url, config->origin[EM_AT_database_url],
                            &none, &steps->raw, &err);
    steps->has_database = code == 0;
    if (none) {
        if (!em_migrate_any(config) || em_config_skips(config, "migrate"))
            return 0;
        em_hint(&err, "[migrate] needs one: set DATABASE_URL, PG* variables or [database] url");
    }
    if (code)
        return said("configuration", &err);
    if (!config->database_direct_url)
        return 0;
    steps->has_direct = true;
    code = em_db_target(&steps->direct, config->database_direct_url,
                        config->origin[EM_AT_database_direct_url], &none, &steps->direct_raw, &err);
    return code ? said("configuration", &err) : 0;
}

static void print_raw(struct em_str *raw, const struct em_url *url)
{
    if (!raw->len)
        em_url_print(url, true, raw);
}

int em_steps_start(struct em_steps *steps, const struct em_config *config)
{
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    memset(steps, 0, sizeof *steps);
    steps->config = config;
    steps->started = em_now();
    int code = find_targets(steps);
    if (code == 0 && !em_wait_validate(config, &errs))
        for (size_t i = 0; i < errs.n; i++) {
            em_log_err(EM_LOG_ERROR, "configuration", &errs.v[i]);
            code = EM_EXIT_CONFIG;
        }
    return code;
}

static const char *source_of_url(const struct em_config *config)
{
    if (config->database_url)
        return config->origin[EM_AT_database_url];
    return "$DATABASE_URL or PG*";
}

int em_step_wait(struct em_steps *steps)
{
    const struct em_config *config = steps->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time start = em_now();
    bool others =
        config->wait_tcp.n || config->wait_http.n || config->wait_unix.n || config->wait_file.n;
    if (em_config_skips(config, "wait") || (!steps->has_database && !others))
        return 0;
    /* The ledger is read over the connection that showed that the server is there: a start with
     * nothing to do logs in once. */
    struct em_db **kept = em_migrate_any(config) && !steps->has_direct ? &steps->kept : NULL;
    em_title("wait");
    if (others && em_wait_others(config, &err) != 0)
        return said("wait", &err);
    if (steps->has_database &&
        em_wait_database(config, &steps->url, source_of_url(config), kept, &err) != 0)
        return said("wait", &err);
    add_timing(steps, "wait", start);
    return 0;
}

int em_step_migrate(struct em_steps *steps)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time start = em_now();
    if (em_config_skips(steps->config, "migrate") || !em_migrate_any(steps->config))
        return 0;
    const struct em_url *url = steps->has_direct ? &steps->direct : &steps->url;
    struct em_str *raw = steps->has_direct ? &steps->direct_raw : &steps->raw;
    print_raw(raw, url);
    int code = em_migrate(steps->config, url, em_str_c(raw), &steps->kept, &err);
    if (code)
        return said("migrate", &err);
    add_timing(steps, "migrate", start);
    return 0;
}

void em_steps_end(struct em_steps *steps)
{
    em_db_close(steps->kept);
    steps->kept = NULL;
    em_url_free(&steps->url);
    em_url_free(&steps->direct);
    em_str_wipe(&steps->raw);
    em_str_wipe(&steps->direct_raw);
    em_str_free(&steps->timings);
}

static void say_ready(const struct em_steps *steps, const char *what, char *const *argv)
{
    EM_STR_AUTO line = EM_STR_INIT;
    em_str_puts(&line, what);
    em_time_print(&line, em_now() - steps->started);
    if (steps->timings.len)
        em_str_printf(&line, " (%s)", em_str_c(&steps->timings));
    for (size_t i = 0; argv && argv[i]; i++)
        em_str_printf(&line, "%s%s", i ? " " : ": ", argv[i]);
    em_log(EM_LOG_INFO, NULL, "%s", em_str_c(&line));
}

/* `embark run COMMAND…`, or [service] command. NULL: neither. */
static char *const *service_words(const struct em_call *call)
{
    if (call->argv[0])
        return call->argv;
    return call->config->service_command.n ? call->config->service_command.v : NULL;
}

static void borrow(struct em_list *list, char *const *argv)
{
    list->v = (char **)(uintptr_t)argv; /* read only */
    for (list->n = 0; argv && argv[list->n];)
        list->n++;
}

static int all_steps(struct em_steps *steps, const struct em_list *service)
{
    int code = em_step_check(steps, service);
    if (code == 0)
        code = em_step_wait(steps);
    if (code == 0)
        code = em_step_migrate(steps);
    return code;
}

/* Everything that held a secret or memory is given back before exec; the service's argv lives on.
 */
static int exec_service(struct em_steps *steps, char *const *argv)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (em_loop_stopped()) {
        em_fail_stopped(&err);
        return said(NULL, &err);
    }
    say_ready(steps, "ready in ", argv);
    em_steps_end(steps);
    em_service_exec(argv, &err);
    return said("service", &err);
}

int em_command_run(const struct em_call *call)
{
    struct em_steps steps;
    struct em_list service = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    char *const *argv = service_words(call);
    if (!argv) {
        em_log_hint(
            EM_LOG_ERROR, NULL,
            "embark run COMMAND [ARG…], or [service] command in the configuration; see embark help",
            "no command to run");
        return EM_EXIT_USAGE;
    }
    borrow(&service, argv);
    int code = em_steps_start(&steps, call->config);
    /* A command that can't be executed is known now: nobody has to wait for a database to hear it.
     */
    if (code == 0 && !em_config_skips(call->config, "check") && em_service_check(argv, &err) != 0)
        code = said("service", &err);
    if (code == 0)
        code = all_steps(&steps, &service);
    if (code == 0)
        code = exec_service(&steps, argv);
    em_steps_end(&steps);
    return code;
}

int em_command_check(const struct em_call *call)
{
    struct em_steps steps;
    struct em_list service = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    char *const *argv = service_words(call);
    memset(&steps, 0, sizeof steps);
    steps.config = call->config;
    steps.started = em_now();
    borrow(&service, argv);
    int code = em_step_check(&steps, argv ? &service : NULL);
    if (argv && em_service_check(argv, &err) != 0) {
        int service_code = said("service", &err);
        code = code ? code : service_code;
    }
    if (code == 0)
        say_ready(&steps, "check: all is there, in ", NULL);
    em_steps_end(&steps);
    return code;
}

int em_command_wait(const struct em_call *call)
{
    struct em_steps steps;
    int code = em_steps_start(&steps, call->config);
    if (code == 0)
        code = em_step_wait(&steps);
    if (code == 0)
        say_ready(&steps, "ready in ", NULL);
    em_steps_end(&steps);
    return code;
}

int em_command_migrate(const struct em_call *call)
{
    struct em_steps steps;
    int code = em_steps_start(&steps, call->config);
    if (code == 0 && !em_migrate_any(call->config)) {
        em_log_hint(EM_LOG_ERROR, "migrate", "set [migrate] command", "no migration is configured");
        code = EM_EXIT_CONFIG;
    }
    if (code == 0)
        code = all_steps(&steps, NULL);
    if (code == 0)
        say_ready(&steps, "done in ", NULL);
    em_steps_end(&steps);
    return code;
}
