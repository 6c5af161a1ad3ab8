#include "embark/stages/bootstrap.h"

#include <string.h>

#include "embark/os/clock.h"
#include "embark/os/host.h"
#include "embark/os/log.h"
#include "embark/os/proc.h"
#include "embark/stages/bootstrap_files.h"
#include "embark/stages/bootstrap_sql.h"
#include "embark/stages/lock.h"
#include "embark/stages/wait.h"

#define STATEMENT_LIMIT EM_SEC(60)

bool em_bootstrap_any(const struct em_config *config)
{
    return config->bootstrap_url && *config->bootstrap_url;
}

bool em_bootstrap_mends(const struct em_db_failure *failure)
{
    static const char *const states[] = {"28P01", "28000", "3D000"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(failure->sqlstate, states[i]) == 0)
            return true;
    return false;
}

static int open_as(const struct em_config *config, const struct em_url *url, struct em_db **db,
                   struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    em_application_name("bootstrap", &application);
    return em_db_open(url, em_str_c(&application), em_in(config->database_connect_timeout), db,
                      failure, err);
}

/* The superuser's URL, for another database. */
static void aim(struct em_url *to, const struct em_url *superuser, const char *database)
{
    em_url_copy(to, superuser);
    em_url_set(to, "dbname", database);
}

/* Waits for the server with the superuser's login, in the first database of these that is there. */
static int find_maintenance(const struct em_config *config, const struct em_url *superuser,
                            struct em_url *found, struct em_err *err)
{
    const char *own = em_url_get(superuser, "dbname");
    const char *const names[] = {"postgres", "template1", own};
    struct em_db_failure failure;
    int code = EM_EXIT_REFUSED;
    for (size_t i = 0; i < 3 && code && names[i]; i++) {
        em_url_free(found);
        aim(found, superuser, names[i]);
        code = em_wait_database(config, found, "[bootstrap] url", NULL, &failure, err);
        if (code && strcmp(failure.sqlstate, "3D000") != 0 &&
            strcmp(failure.sqlstate, "42501") != 0)
            return code;
    }
    return code;
}

/* Runs a statement; `fine` (NULL allowed) are SQLSTATEs that mean that somebody else was faster. */
static int run(struct em_db *db, const char *sql, const char *const *fine, struct em_err *err)
{
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    int code = em_db_query(db, em_in(STATEMENT_LIMIT), &failure, err, sql, 0, NULL);
    for (; code && fine && *fine; fine++)
        if (strcmp(*fine, failure.sqlstate) == 0) {
            em_err_free(err);
            return 0;
        }
    if (!code || code > 128)
        return code;
    if (strcmp(failure.sqlstate, "42501") == 0)
        em_hint(err,
                "[bootstrap] url must be a role that may create roles and databases (a superuser)");
    err->code = code == EM_EXIT_UNREACHABLE ? code : EM_EXIT_SQL;
    return err->code;
}

static int exists(struct em_db *db, const char *sql, const char *name, bool *found,
                  struct em_err *err)
{
    const char *values[] = {name};
    int code = em_db_query(db, em_in(STATEMENT_LIMIT), NULL, err, sql, 1, values);
    *found = code == 0 && em_db_rows(db) > 0;
    return code;
}

static int make_role(struct em_db *db, const struct em_setup *setup, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO verifier = EM_STR_INIT;
    bool found;
    int code = exists(db, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", setup->role,
                      &found, err);
    if (code == 0 && setup->password)
        code = em_db_verifier(db, setup->role, setup->password, em_in(STATEMENT_LIMIT), &verifier,
                              err);
    if (code)
        return code;
    em_setup_role_sql(setup, found, setup->password ? em_str_c(&verifier) : NULL, &sql);
    code = run(db, em_str_c(&sql), NULL, err);
    if (code == 0)
        em_log(EM_LOG_INFO, "bootstrap", "%s the role %s", found ? "set the login of" : "created",
               setup->role);
    em_str_wipe(&sql);
    em_str_wipe(&verifier);
    return code;
}

static int make_database(struct em_db *db, const struct em_setup *setup, struct em_err *err)
{
    /* duplicate_database, and the same as a unique violation when two create it in the same instant
     */
    static const char *const fine[] = {"42P04", "23505", NULL};
    EM_STR_AUTO sql = EM_STR_INIT;
    bool found;
    int code = exists(db, "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1",
                      setup->database, &found, err);
    if (code || found)
        return code;
    em_setup_create_database_sql(setup, &sql);
    code = run(db, em_str_c(&sql), fine, err);
    if (code == 0)
        em_log(EM_LOG_INFO, "bootstrap", "created the database %s", setup->database);
    return code;
}

/* Who creates tables there: the database's and the schema's owners. */
static int find_owners(struct em_db *db, const char *schema, struct em_list *owners,
                       struct em_err *err)
{
    const char *values[] = {schema};
    int code = em_db_query(
        db, em_in(STATEMENT_LIMIT), NULL, err,
        "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database"
        " WHERE datname = current_database() UNION SELECT pg_catalog.pg_get_userbyid(nspowner)"
        " FROM pg_catalog.pg_namespace WHERE nspname = $1 AND"
        " pg_catalog.pg_get_userbyid(nspowner) <> 'pg_database_owner'",
        1, values);
    for (int row = 0; code == 0 && row < em_db_rows(db); row++)
        em_list_add(owners, em_db_value(db, row, 0));
    return code;
}

static int add_grants(struct em_db *db, const struct em_config *config,
                      const struct em_setup *setup, struct em_list *statements, struct em_err *err)
{
    for (size_t i = 0; i < config->bootstrap_grants.n && setup->role; i++) {
        EM_STR_AUTO schema = EM_STR_INIT;
        EM_LIST_AUTO owners = EM_LIST_INIT;
        bool write;
        if (!em_setup_parse_grant(config->bootstrap_grants.v[i], &write, &schema))
            return em_fail(
                err, EM_EXIT_CONFIG,
                "%s: [bootstrap] grants = %s: expected \"read on SCHEMA\" or \"write on SCHEMA\"",
                config->bootstrap_grants.where[i], config->bootstrap_grants.v[i]);
        int code = find_owners(db, em_str_c(&schema), &owners, err);
        if (code)
            return code;
        em_setup_grant_sql(setup, em_str_c(&schema), write, &owners, statements);
    }
    return 0;
}

/* In the service's database, as the superuser. */
static int inside(const struct em_config *config, const struct em_url *superuser,
                  const struct em_setup *setup, struct em_err *err)
{
    struct em_url url = {0};
    struct em_db *db = NULL;
    EM_LIST_AUTO statements = EM_LIST_INIT;
    aim(&url, superuser, setup->database);
    int code = open_as(config, &url, &db, NULL, err);
    em_setup_own_sql(setup, &statements);
    for (size_t i = 0; i < statements.n && code == 0; i++)
        code = run(db, statements.v[i], NULL, err);
    em_list_free(&statements);
    if (code == 0)
        code = em_bootstrap_files(config, db, err);
    /* After the files: the grants are on what they have made. */
    if (code == 0)
        code = add_grants(db, config, setup, &statements, err);
    for (size_t i = 0; i < statements.n && code == 0; i++)
        code = run(db, statements.v[i], NULL, err);
    em_db_close(db);
    em_url_free(&url);
    return code;
}

/* Another replica may have done it while we waited for the lock. */
static bool done_already(const struct em_config *config, const struct em_url *service)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    struct em_db *db = NULL;
    bool good = config->bootstrap_when == 0 && open_as(config, service, &db, NULL, &ignored) == 0;
    em_db_close(db);
    return good;
}

static int make_all(const struct em_config *config, const struct em_url *maintenance,
                    const struct em_url *superuser, const struct em_setup *setup,
                    struct em_err *err)
{
    struct em_db *db = NULL;
    int code = open_as(config, maintenance, &db, NULL, err);
    if (code == 0 && setup->role)
        code = make_role(db, setup, err);
    if (code == 0)
        code = make_database(db, setup, err);
    em_db_close(db);
    return code ? code : inside(config, superuser, setup, err);
}

static int under_lock(const struct em_config *config, const struct em_url *maintenance,
                      const struct em_url *superuser, const struct em_url *service,
                      const struct em_setup *setup, struct em_err *err)
{
    EM_STR_AUTO name = EM_STR_INIT;
    em_str_printf(&name, "bootstrap of %s", setup->database);
    struct em_lock lock = EM_LOCK_INIT("bootstrap", em_str_c(&name));
    int code = em_lock_take(&lock, config, maintenance, em_in(config->migrate_lock_timeout), err);
    if (code)
        return code;
    if (done_already(config, service))
        em_log(EM_LOG_INFO, "bootstrap", "another replica has done it");
    else
        code = make_all(config, maintenance, superuser, setup, err);
    em_lock_drop(&lock);
    return code;
}

int em_bootstrap(const struct em_config *config, const struct em_url *superuser,
                 const struct em_url *service, struct em_err *err)
{
    struct em_url maintenance = {0};
    struct em_setup setup;
    em_title("bootstrap");
    em_setup_plan(config, service, &setup);
    if (!setup.database)
        return em_fail(err, EM_EXIT_CONFIG,
                       "[bootstrap] needs a database: the service's URL names none");
    int code = find_maintenance(config, superuser, &maintenance, err);
    if (code == 0)
        code = under_lock(config, &maintenance, superuser, service, &setup, err);
    em_url_free(&maintenance);
    return code;
}
