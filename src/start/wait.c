/* The step that waits, for the database and for what [wait] names. */
#include "bootstrap.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/process/spawn.h"
#include "embark/stages/bootstrap/bootstrap.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/wait/database.h"
#include "embark/start/context.h"

static const char *source_of_url(const struct em_config *config)
{
    if (config->database_url)
        return config->origin[EM_AT_database_url];
    return "$DATABASE_URL or PG*";
}

static bool keeps_ledger(const struct em_config *config)
{
    return em_migrate_any(config) && em_ledger_wanted(config) &&
           !em_config_skips(config, "migrate");
}

/* Waits for the service's login; with a superuser's URL, a login that is refused is made to work.
 */
static int log_in(struct em_start *steps, struct em_db **kept)
{
    const struct em_config *config = steps->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_db_failure failure;
    const char *name = source_of_url(config);
    int code = 0;
    bool always = steps->has_superuser && config->bootstrap_when == 1;
    if (always)
        code = em_start_bootstrap(steps, NULL);
    if (code || steps->foreseen.len)
        return code;
    if (em_wait_database(config, &steps->url, name, kept, &failure, &err) == 0)
        return 0;
    if (!em_bootstrap_any(config) && em_bootstrap_mends(&failure))
        em_bootstrap_suggest(&err);
    if (!steps->has_superuser || err.code > 128 || !em_bootstrap_mends(&failure))
        return em_log_failure("wait", &err);
    if (!always || steps->foresees) {
        /* The bootstrap says what is missing: on a first start the refusal is what was to come. */
        em_log(EM_LOG_DEBUG, "bootstrap", "%s", em_str_c(&err.text));
        code = em_start_bootstrap(steps, &failure);
        if (code || steps->foreseen.len)
            return code;
        em_title_long("wait");
        if (em_wait_database(config, &steps->url, name, kept, &failure, &err) == 0)
            return 0;
    }
    if (err.code == EM_EXIT_REFUSED)
        em_bootstrap_explain(config, &steps->superuser, &steps->url, &err);
    return em_log_failure("wait", &err);
}

static int wait_database(struct em_start *steps, struct em_db **kept)
{
    struct em_db *db = NULL;
    bool look = em_start_checks_bootstrap(steps) && !keeps_ledger(steps->config);
    int code = log_in(steps, look && !kept ? &db : kept);
    if (code == 0 && look)
        code = em_start_finish_bootstrap(steps, kept ? *kept : db);
    em_db_close(db);
    return code;
}

static bool waits_for_others(const struct em_config *config)
{
    return config->wait_tcp.n || config->wait_http.n || config->wait_unix.n || config->wait_file.n;
}

bool em_start_waits(const struct em_start *steps)
{
    return steps->has_database || waits_for_others(steps->config);
}

int em_start_wait(struct em_start *steps)
{
    const struct em_config *config = steps->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time start = em_now();
    bool others = waits_for_others(config);
    if (em_config_skips(config, "wait") || !em_start_waits(steps))
        return 0;
    /* The ledger is read over the connection that showed that the server is there: a start with
     * nothing to do logs in once. */
    struct em_db **kept = em_migrate_any(config) && !steps->has_direct ? &steps->kept : NULL;
    em_title_long("wait");
    if (others && em_wait_endpoints(config, &err) != 0)
        return em_log_failure("wait", &err);
    int code = steps->has_database ? wait_database(steps, kept) : 0;
    if (code == 0)
        em_start_add_timing(steps, "wait", start + steps->bootstrapped);
    return code;
}
