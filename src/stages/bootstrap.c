#include "embark/stages/bootstrap.h"

#include <string.h>

#include "embark/core/setup_sql.h"
#include "embark/db/statement.h"
#include "embark/os/clock.h"
#include "embark/os/host.h"
#include "embark/os/log.h"
#include "embark/os/proc.h"
#include "embark/stages/bootstrap_files.h"
#include "embark/stages/lock.h"
#include "embark/stages/wait.h"

#define STATEMENT_LIMIT EM_SEC(60)
/* Of a role that another service's bootstrap alters in the same instant. */
#define ALTER_TRIES 20
#define ALTER_GAP   EM_MS(50)

bool em_bootstrap_any(const struct em_config *config)
{
    return config->bootstrap_url && *config->bootstrap_url;
}

/* `states` ends with NULL. */
static bool is_one_of(const struct em_db_failure *failure, const char *const *states)
{
    for (; *states; states++)
        if (strcmp(failure->sqlstate, *states) == 0)
            return true;
    return false;
}

bool em_bootstrap_mends(const struct em_db_failure *failure)
{
    static const char *const states[] = {"28P01", "28000", "3D000", NULL};
    return is_one_of(failure, states);
}

bool em_bootstrap_validate(const struct em_config *config, struct em_errs *errs)
{
    const struct em_items *grants = &config->bootstrap_grants;
    size_t before = errs->n;
    for (size_t i = 0; i < grants->n; i++) {
        EM_STR_AUTO schema = EM_STR_INIT;
        bool write;
        if (!em_setup_parse_grant(grants->v[i], &write, &schema))
            em_errs_add(errs, EM_EXIT_CONFIG,
                        "%s: [bootstrap] grants = %s: expected \"read on SCHEMA\" or \"write on "
                        "SCHEMA\"",
                        grants->where[i], grants->v[i]);
    }
    if (grants->n && config->bootstrap_sql.n &&
        !(config->bootstrap_role && *config->bootstrap_role))
        em_hint(em_errs_add(errs, EM_EXIT_CONFIG, "%s: [bootstrap] grants needs role beside sql",
                            grants->where[0]),
                "with sql set no role is made or granted to, unless role names it");
    return errs->n == before;
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

int em_bootstrap_maintenance(const struct em_config *config, const struct em_url *superuser,
                             struct em_url *found, struct em_err *err)
{
    /* It isn't there, may not be connected to by us, or by anybody. */
    static const char *const next[] = {"3D000", "42501", "55000", NULL};
    const char *own = em_url_get(superuser, "dbname");
    const char *const names[] = {"postgres", "template1", own};
    struct em_db_failure failure;
    int code = EM_EXIT_REFUSED;
    for (size_t i = 0; i < 3 && code && names[i]; i++) {
        em_url_free(found);
        aim(found, superuser, names[i]);
        code = em_wait_database(config, found, "[bootstrap] url", NULL, &failure, err);
        if (code && !is_one_of(&failure, next))
            break;
    }
    if (code == EM_EXIT_REFUSED)
        em_hint(err,
                "[bootstrap] url must be a login that always exists, such as the server "
                "image's superuser (POSTGRES_USER, POSTGRES_PASSWORD); a server's volume keeps "
                "the password that it was first started with");
    return code;
}

/* Runs a statement; `fine` (NULL allowed) are SQLSTATEs that are none of a failure. */
static int run(struct em_db *db, const char *sql, const char *const *fine,
               struct em_db_failure *failure, struct em_err *err)
{
    struct em_db_failure local = {EM_DB_FATAL, ""};
    failure = failure ? failure : &local;
    int code = em_db_query(db, em_in(STATEMENT_LIMIT), failure, err, sql, 0, NULL);
    if (code && fine && is_one_of(failure, fine)) {
        em_err_free(err);
        return 0;
    }
    if (!code || code > 128)
        return code;
    if (strcmp(failure->sqlstate, "42501") == 0)
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

/* Without LOGIN, until all else is there. */
static int make_role(struct em_db *db, const struct em_setup *setup, struct em_err *err)
{
    /* duplicate_object, and the same as a unique violation: another service's bootstrap was faster.
     */
    static const char *const fine[] = {"42710", "23505", NULL};
    EM_STR_AUTO sql = EM_STR_INIT;
    bool found;
    int code = exists(db, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", setup->role,
                      &found, err);
    if (code || found)
        return code;
    em_setup_create_role_sql(setup, &sql);
    code = run(db, em_str_c(&sql), fine, NULL, err);
    if (code == 0)
        em_log(EM_LOG_INFO, "bootstrap", "created the role %s", setup->role);
    return code;
}

/* Bootstraps of several databases have different locks, and may share a role: the server lets none
 * of two wait for the other, and calls it an internal error. */
static int alter_role(struct em_db *db, const char *sql, struct em_err *err)
{
    struct em_db_failure failure;
    int code = EM_EXIT_SQL;
    for (int tries = 0; code && tries < ALTER_TRIES; tries++) {
        if (tries && em_wait_fd(-1, 0, em_in(ALTER_GAP)) == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
        failure = (struct em_db_failure){EM_DB_FATAL, ""};
        code = run(db, sql, NULL, &failure, err);
        if (code && (strcmp(failure.sqlstate, "XX000") != 0 || em_loop_stopped()))
            break;
    }
    return code;
}

static int give_login(struct em_db *db, const struct em_setup *setup, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO verifier = EM_STR_INIT;
    int code = 0;
    if (setup->password)
        code = em_db_verifier(db, setup->role, setup->password, em_in(STATEMENT_LIMIT), &verifier,
                              err);
    if (code == 0) {
        em_setup_login_sql(setup, setup->password ? em_str_c(&verifier) : NULL, &sql);
        code = alter_role(db, em_str_c(&sql), err);
    }
    if (code == 0)
        em_log(EM_LOG_INFO, "bootstrap", "set the login of the role %s", setup->role);
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
    /* The lock's connection is in template1 where there is no database postgres, and nothing is
     * copied of a database that is in use. */
    em_setup_create_database_sql(
        setup, strcmp(em_db_name(db), "template1") == 0 ? "template0" : NULL, &sql);
    code = run(db, em_str_c(&sql), fine, NULL, err);
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
            continue; /* em_bootstrap_validate() has said so */
        int code = find_owners(db, em_str_c(&schema), &owners, err);
        if (code)
            return code;
        em_setup_grant_sql(setup, em_str_c(&schema), write, &owners, statements);
    }
    return 0;
}

static int run_list(struct em_db *db, struct em_list *statements, const char *const *fine,
                    struct em_err *err)
{
    int code = 0;
    for (size_t i = 0; i < statements->n && code == 0; i++)
        code = run(db, statements->v[i], fine, NULL, err);
    em_list_free(statements);
    return code;
}

/* In the service's database, as the superuser. */
static int inside(const struct em_config *config, struct em_db *db, const struct em_setup *setup,
                  bool login, struct em_err *err)
{
    /* A database whose schema public was dropped on purpose needs no grant on it. */
    static const char *const fine[] = {"3F000", NULL};
    EM_LIST_AUTO statements = EM_LIST_INIT;
    em_setup_own_sql(setup, &statements);
    int code = run_list(db, &statements, fine, err);
    if (code == 0)
        code = em_bootstrap_files(config, db, err);
    /* A file's SET ROLE, and whatever else it has set, ends with it. */
    if (code == 0 && config->bootstrap_sql.n)
        code = run(db, "DISCARD ALL", NULL, NULL, err);
    /* After the files: the grants are on what they have made. */
    if (code == 0)
        code = add_grants(db, config, setup, &statements, err);
    if (code == 0)
        code = run_list(db, &statements, NULL, err);
    if (code == 0 && login)
        code = give_login(db, setup, err);
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
    struct em_url url = {0};
    struct em_db *db = NULL;
    /* Where the service logs in as the superuser itself, its password isn't ours to change: the
     * next bootstrap would be locked out. */
    const char *user = em_url_get(superuser, "user");
    bool login = setup->role && !(user && strcmp(user, setup->role) == 0);
    int code = open_as(config, maintenance, &db, NULL, err);
    if (code == 0 && login)
        code = make_role(db, setup, err);
    if (code == 0)
        code = make_database(db, setup, err);
    em_db_close(db);
    db = NULL;
    aim(&url, superuser, setup->database);
    if (code == 0)
        code = open_as(config, &url, &db, NULL, err);
    if (code == 0)
        code = inside(config, db, setup, login, err);
    em_db_close(db);
    em_url_free(&url);
    return code;
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
    int code = em_bootstrap_maintenance(config, superuser, &maintenance, err);
    if (code == 0)
        code = under_lock(config, &maintenance, superuser, service, &setup, err);
    em_url_free(&maintenance);
    return code;
}
