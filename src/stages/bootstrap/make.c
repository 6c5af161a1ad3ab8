#include "make.h"

#include <inttypes.h>
#include <string.h>

#include "embark/core/sql/variables.h"
#include "embark/db/statement.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/bootstrap/files.h"
#include "embark/stages/lock/backends.h"
#include "embark/stages/lock/lock.h"
#include "role.h"

#define STATEMENT_LIMIT EM_SEC(60)
/* Of a role or a database that another service's bootstrap alters in the same instant. */
#define TRIES   20
#define TRY_GAP EM_MS(50)

/* ---- Statements -------------------------------------------------------------------------------- */

/* Bootstraps of several databases have different locks, and may share a role: the server lets none
 * of two wait for the other, and calls it an internal error. */
static int query(struct em_db *db, const char *sql, struct em_db_failure *failure,
                 struct em_err *err)
{
    int code = EM_EXIT_SQL;
    for (int tries = 0; code && tries < TRIES; tries++) {
        if (tries && em_wait_fd(-1, 0, em_in(TRY_GAP)) == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
        *failure = (struct em_db_failure){EM_DB_FATAL, ""};
        code = em_db_query(db, em_in(STATEMENT_LIMIT), failure, err, sql, 0, NULL);
        if (code && (strcmp(failure->sqlstate, "XX000") != 0 || em_loop_stopped()))
            break;
    }
    return code;
}

/* Runs a statement; `fine` (NULL allowed) are SQLSTATEs that are none of a failure. */
static int run(struct em_db *db, const char *sql, const char *const *fine, struct em_err *err)
{
    struct em_db_failure failure;
    int code = query(db, sql, &failure, err);
    if (code && fine && em_db_failed_with(&failure, fine)) {
        em_err_free(err);
        return 0;
    }
    if (!code || code > 128)
        return code;
    if (strcmp(failure.sqlstate, "42501") == 0)
        em_hint(err,
                "[bootstrap] url must be a role that may create roles and databases: a superuser, "
                "or one with CREATEROLE and CREATEDB for what it has made itself");
    err->code = code == EM_EXIT_UNREACHABLE ? code : EM_EXIT_SQL;
    return err->code;
}

/* Whether the question has a row. `count` values. */
static int ask(struct em_db *db, const char *sql, int count, const char *const *values, bool *found,
               struct em_err *err)
{
    int code = em_db_query(db, em_in(STATEMENT_LIMIT), NULL, err, sql, count, values);
    *found = code == 0 && em_db_rows(db) > 0;
    return code;
}

static int run_list(struct em_db *db, struct em_list *statements, const char *const *fine,
                    struct em_err *err)
{
    int code = 0;
    for (size_t i = 0; i < statements->n && code == 0; i++)
        code = run(db, statements->v[i], fine, err);
    em_list_free(statements);
    return code;
}

/* ---- The mark ---------------------------------------------------------------------------------- */

void em_bootstrap_mark(const char *database, struct em_str *out)
{
    EM_STR_AUTO name = EM_STR_INIT;
    em_str_printf(&name, "bootstrap of %s", database);
    em_str_printf(out, "embark.bootstrap_%016" PRIx64, (uint64_t)em_lock_key(em_str_c(&name)));
}

/* A role that is no superuser may not; that the login is given last has to do then. */
static int set_mark(const struct em_bootstrap_run *r, struct em_db *db, const char *how,
                    struct em_err *err)
{
    static const char *const fine[] = {"42501", NULL};
    EM_STR_AUTO sql = EM_STR_INIT;
    em_str_puts(&sql, "ALTER DATABASE ");
    em_sql_quote_ident(&sql, em_url_get(r->maintenance, "dbname"));
    em_str_printf(&sql, how, r->mark);
    return run(db, em_str_c(&sql), fine, err);
}

/* ---- Role and database ------------------------------------------------------------------------- */

/* Without LOGIN, until all else is there. */
static int make_role(struct em_db *db, const struct em_bootstrap_plan *setup, struct em_err *err)
{
    /* duplicate_object, and the same as a unique violation: another service's bootstrap was faster.
     */
    static const char *const fine[] = {"42710", "23505", NULL};
    EM_STR_AUTO sql = EM_STR_INIT;
    em_bootstrap_create_role_sql(setup, &sql);
    int code = run(db, em_str_c(&sql), fine, err);
    if (code == 0)
        em_log(EM_LOG_INFO, "bootstrap", "created the role %s", setup->role);
    return code;
}

/* Only a member may make another role an owner; a superuser is one of every role. */
static int become_member(struct em_db *db, const struct em_bootstrap_plan *setup,
                         struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    bool has_set = em_db_server_version(db) >= 160000, member;
    struct em_db_failure failure;
    int code = ask(db,
                   has_set ? "SELECT 1 WHERE pg_catalog.pg_has_role($1, 'SET') AND "
                             "pg_catalog.pg_has_role($1, 'USAGE')"
                           : "SELECT 1 WHERE pg_catalog.pg_has_role($1, 'USAGE')",
                   1, &setup->role, &member, err);
    if (code || member)
        return code;
    em_bootstrap_member_sql(setup, has_set, &sql);
    code = query(db, em_str_c(&sql), &failure, err);
    if (code && code < 128 && failure.sqlstate[0]) {
        em_context(err,
                   "the role of [bootstrap] url is no superuser, and can't make itself a "
                   "member of %s",
                   setup->role);
        em_hint(err,
                "as a superuser: GRANT %s TO %s WITH ADMIN OPTION; or make [bootstrap] url a "
                "superuser's",
                setup->role, em_db_user(db));
        err->code = EM_EXIT_SQL;
    }
    return err->code;
}

/* A password that the role has already stays as it is. */
static int give_login(const struct em_bootstrap_run *r, struct em_db *db, struct em_err *err)
{
    const struct em_bootstrap_plan *setup = r->setup;
    enum em_role_state state;
    EM_STR_WIPED sql = EM_STR_INIT;
    EM_STR_WIPED verifier = EM_STR_INIT;
    int code = em_bootstrap_role(db, setup, em_in(STATEMENT_LIMIT), &state, err);
    if (code == 0 && setup->password && state != EM_ROLE_SAME)
        code = em_db_verifier(db, setup->role, setup->password, em_in(STATEMENT_LIMIT), &verifier,
                              err);
    if (code == 0) {
        em_bootstrap_login_sql(setup, verifier.len ? em_str_c(&verifier) : NULL, &sql);
        code = run(db, em_str_c(&sql), NULL, err);
    }
    if (code == 0 && (state == EM_ROLE_OTHER || (state == EM_ROLE_UNKNOWN && r->refused)))
        em_log(EM_LOG_WARN, "bootstrap", "replaced the password of the role %s", setup->role);
    else if (code == 0)
        em_log(EM_LOG_INFO, "bootstrap", "set the login of the role %s", setup->role);
    return code;
}

static int make_database(struct em_db *db, const struct em_bootstrap_plan *setup,
                         struct em_err *err)
{
    /* duplicate_database, and the same as a unique violation when two create it in the same instant
     */
    static const char *const fine[] = {"42P04", "23505", NULL};
    EM_STR_AUTO sql = EM_STR_INIT;
    /* The lock's connection is in template1 where there is no database postgres, and nothing is
     * copied of a database that is in use. */
    em_bootstrap_create_database_sql(
        setup, strcmp(em_db_name(db), "template1") == 0 ? "template0" : NULL, &sql);
    int code = run(db, em_str_c(&sql), fine, err);
    if (code == 0)
        em_log(EM_LOG_INFO, "bootstrap", "created the database %s", setup->database);
    return code;
}

/* ---- Grants ------------------------------------------------------------------------------------ */

/* Who creates tables there: the database's and the schema's owners. A role that is no superuser can
 * speak for those only that it is a member of. */
static int find_owners(struct em_db *db, const char *schema, struct em_list *owners,
                       struct em_err *err)
{
    const char *values[] = {schema};
    int code = em_db_query(
        db, em_in(STATEMENT_LIMIT), NULL, err,
        "SELECT pg_catalog.pg_get_userbyid(o) FROM (SELECT datdba FROM pg_catalog.pg_database"
        " WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database() UNION SELECT nspowner "
        "FROM pg_catalog.pg_namespace"
        " WHERE nspname OPERATOR(pg_catalog.=) $1 AND pg_catalog.pg_get_userbyid(nspowner) "
        "OPERATOR(pg_catalog.<>) 'pg_database_owner') w(o)"
        " WHERE pg_catalog.pg_has_role(o, 'USAGE')",
        1, values);
    for (int row = 0; code == 0 && row < em_db_rows(db); row++)
        em_list_add(owners, em_db_value(db, row, 0));
    return code;
}

static int add_grants(struct em_db *db, const struct em_config *config,
                      const struct em_bootstrap_plan *setup, struct em_list *statements,
                      struct em_err *err)
{
    for (size_t i = 0; i < config->bootstrap_grants.n && setup->role; i++) {
        EM_STR_AUTO schema = EM_STR_INIT;
        EM_LIST_AUTO owners = EM_LIST_INIT;
        bool write;
        if (!em_bootstrap_parse_grant(config->bootstrap_grants.v[i], &write, &schema))
            continue; /* em_bootstrap_validate() has said so */
        int code = find_owners(db, em_str_c(&schema), &owners, err);
        if (code)
            return code;
        em_bootstrap_grant_sql(setup, em_str_c(&schema), write, &owners, statements);
    }
    return 0;
}

/* ---- In the database --------------------------------------------------------------------------- */

static int log_in(const struct em_bootstrap_run *r, enum em_db_session session,
                  const struct em_url *url, struct em_db **db, struct em_err *err)
{
    return em_db_open_for(session, url, r->application, em_in(r->config->database_connect_timeout),
                          db, NULL, err);
}

/* The first login to a database: what a killed run has left running there is ended. */
static int log_in_first(const struct em_bootstrap_run *r, const struct em_url *url,
                        struct em_db **db, struct em_err *err)
{
    int code = log_in(r, EM_DB_SUPER, url, db, err);
    return code ? code
                : em_backends_wait_gone(*db, "bootstrap", r->prefix, r->prefix,
                                        r->config->service_grace, err);
}

static int own_it(const struct em_bootstrap_run *r, const struct em_url *url, struct em_err *err)
{
    /* A database whose schema public was dropped on purpose needs no grant on it. */
    static const char *const fine[] = {"3F000", NULL};
    EM_LIST_AUTO statements = EM_LIST_INIT;
    struct em_db *db = NULL;
    int code = log_in_first(r, url, &db, err);
    em_bootstrap_own_sql(r->setup, &statements);
    if (code == 0)
        code = run_list(db, &statements, fine, err);
    em_db_close(db);
    return code;
}

/* A session of their own, as psql's would be: what a file sets, or who it becomes, ends with it. */
static int run_files(const struct em_bootstrap_run *r, const struct em_url *url, struct em_err *err)
{
    struct em_db *db = NULL;
    if (!r->config->bootstrap_sql.n)
        return 0;
    int code = log_in(r, EM_DB_USERS, url, &db, err);
    if (code == 0)
        code = em_bootstrap_files(r->config, db, err);
    em_db_close(db);
    return code;
}

/* After the files: the grants are on what they have made. */
static int grant(const struct em_bootstrap_run *r, const struct em_url *url, struct em_err *err)
{
    EM_LIST_AUTO statements = EM_LIST_INIT;
    struct em_db *db = NULL;
    if (!r->config->bootstrap_grants.n)
        return 0;
    int code = log_in(r, EM_DB_SUPER, url, &db, err);
    if (code == 0)
        code = add_grants(db, r->config, r->setup, &statements, err);
    if (code == 0)
        code = run_list(db, &statements, NULL, err);
    em_db_close(db);
    return code;
}

/* Not in the service's database: its owner may set password_encryption there. */
static int let_in(const struct em_bootstrap_run *r, bool login, struct em_err *err)
{
    struct em_db *db = NULL;
    int code = log_in(r, EM_DB_SUPER, r->maintenance, &db, err);
    if (code == 0 && login && r->setup->password)
        code = em_bootstrap_keep_out_of_log(db, err);
    if (code == 0 && login)
        code = give_login(r, db, err);
    if (code == 0)
        code = set_mark(r, db, " RESET %s", err);
    em_db_close(db);
    return code;
}

/* ---- All of it --------------------------------------------------------------------------------- */

struct missing {
    bool role, database;
};

/* What is missing tells why the service's login was refused: on a first start that is no failure.
 * Nothing was changed yet when a role's password would have to be. */
static int look_first(const struct em_bootstrap_run *r, struct em_db *db, bool login,
                      struct missing *missing, struct em_err *err)
{
    enum em_role_state state = EM_ROLE_SAME;
    bool found = false;
    int code = login ? em_bootstrap_role(db, r->setup, em_in(STATEMENT_LIMIT), &state, err) : 0;
    if (code == 0 && login)
        code = em_bootstrap_may(r->config, r->setup, state, r->refused, err);
    if (code == 0)
        code =
            ask(db, "SELECT 1 FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1",
                1, &r->setup->database, &found, err);
    if (code)
        return code;
    missing->role = state == EM_ROLE_MISSING;
    missing->database = !found;
    if (missing->role)
        em_log(EM_LOG_INFO, "bootstrap", "first start: the role %s does not exist yet",
               r->setup->role);
    if (missing->database)
        em_log(EM_LOG_INFO, "bootstrap", "first start: the database %s does not exist yet",
               r->setup->database);
    if (r->why && !missing->role && !missing->database)
        em_log(EM_LOG_INFO, "bootstrap", "%s", r->why);
    return 0;
}

static int outside(const struct em_bootstrap_run *r, bool login, struct em_err *err)
{
    struct em_db *db = NULL;
    struct missing missing = {false, false};
    int code = log_in_first(r, r->maintenance, &db, err);
    if (code == 0)
        code = look_first(r, db, login, &missing, err);
    if (code == 0)
        code = set_mark(r, db, " SET %s = 'begun'", err);
    if (code == 0 && missing.role)
        code = make_role(db, r->setup, err);
    if (code == 0 && login && r->setup->owns != EM_OWNS_NOTHING)
        code = become_member(db, r->setup, err);
    if (code == 0 && missing.database)
        code = make_database(db, r->setup, err);
    em_db_close(db);
    return code;
}

int em_bootstrap_make(const struct em_bootstrap_run *r, struct em_err *err)
{
    struct em_url url = {0};
    /* Where the service logs in as the superuser itself, its password isn't ours to change: the
     * next bootstrap would be locked out. */
    const char *user = em_url_get(r->superuser, "user");
    bool login = r->setup->role && !(user && strcmp(user, r->setup->role) == 0);
    int code = outside(r, login, err);
    if (code)
        return code;
    em_url_copy(&url, r->superuser);
    em_url_set(&url, "dbname", r->setup->database);
    code = own_it(r, &url, err);
    if (code == 0)
        code = run_files(r, &url, err);
    if (code == 0)
        code = grant(r, &url, err);
    if (code == 0)
        code = let_in(r, login, err);
    em_url_free(&url);
    return code;
}
