/* What the superuser can see of a login that is still refused, and the declarative bootstrap's
 * statements for people. */
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/bootstrap_sql.h"
#include "embark/core/sql/variables.h"
#include "embark/db/statement.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/stages/bootstrap/bootstrap.h"
#include "role.h"

#define LOOK_LIMIT EM_SEC(10)

/* One row of what a login needs. */
static const char look_sql[] =
    "SELECT r.oid IS NOT NULL, COALESCE(r.rolcanlogin, false),"
    " COALESCE(r.rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now(), false), "
    "COALESCE(r.rolconnlimit, -1),"
    " d.oid IS NOT NULL, COALESCE(d.datallowconn, false),"
    " CASE WHEN r.oid IS NOT NULL AND d.oid IS NOT NULL"
    " THEN pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT') ELSE true END"
    " FROM (SELECT $1::pg_catalog.name AS role, $2::pg_catalog.name AS database) w"
    " LEFT JOIN pg_catalog.pg_roles r ON r.rolname OPERATOR(pg_catalog.=) w.role"
    " LEFT JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) w.database";

static bool is(const struct em_db *db, int column, const char *value)
{
    const char *is_now = em_db_value(db, 0, column);
    return is_now && strcmp(is_now, value) == 0;
}

/* All else is right. */
static void say_password(struct em_db *db, const struct em_config *config,
                         const struct em_bootstrap_plan *setup, bool own, struct em_err *err)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    enum em_role_state state = EM_ROLE_UNKNOWN;
    const char *role = setup->role;
    if (em_bootstrap_role(db, setup, em_in(LOOK_LIMIT), &state, &ignored) == 0 &&
        state == EM_ROLE_SAME)
        em_hint(err,
                "as the superuser sees it: %s has the password of the service's URL, so the "
                "refusal has another cause: see the line of pg_hba.conf that is for it (its "
                "method, such as ident, ldap or cert)",
                role);
    else if (own)
        em_hint(err,
                "%s is the role of [bootstrap] url as well, so its password is never changed: the "
                "service's URL has another one",
                role);
    else if (config->bootstrap_password && *config->bootstrap_password)
        em_hint(err, "as the superuser sees it: role, database and privilege are there; is "
                     "[bootstrap] password the one of the service's URL?");
    else
        em_hint(err,
                "as the superuser sees it: role, database and privilege are there, so the password "
                "of the service's URL is not the one that %s has",
                role);
}

static void say_reason(struct em_db *db, const struct em_config *config,
                       const struct em_bootstrap_plan *setup, bool own, struct em_err *err)
{
    const char *role = setup->role, *database = setup->database;
    if (is(db, 0, "f"))
        em_hint(err,
                "as the superuser sees it: the role %s does not exist; nothing makes it "
                "([bootstrap] role, or a CREATE ROLE in the sql files)",
                role);
    else if (is(db, 1, "f"))
        em_hint(err, "as the superuser sees it: the role %s may not log in: ALTER ROLE … LOGIN",
                role);
    else if (is(db, 2, "t"))
        em_hint(err,
                "as the superuser sees it: the password of the role %s has expired: ALTER ROLE … "
                "VALID UNTIL 'infinity'",
                role);
    else if (is(db, 3, "0"))
        em_hint(err, "as the superuser sees it: the role %s has CONNECTION LIMIT 0", role);
    else if (is(db, 4, "f"))
        em_hint(err, "as the superuser sees it: the database %s does not exist", database);
    else if (is(db, 5, "f"))
        em_hint(err,
                "as the superuser sees it: the database %s allows no connections (datallowconn)",
                database);
    else if (is(db, 6, "f"))
        em_hint(err,
                "as the superuser sees it: %s lacks the CONNECT privilege: GRANT CONNECT ON "
                "DATABASE %s TO %s",
                role, database, role);
    else if (strstr(em_str_c(&err->text), "(28000)"))
        em_hint(err,
                "as the superuser sees it: role and database are there; pg_hba.conf has no line "
                "that lets %s in from here",
                role);
    else
        say_password(db, config, setup, own, err);
}

void em_bootstrap_explain(const struct em_config *config, const struct em_url *superuser,
                          const struct em_url *service, struct em_err *err)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    EM_STR_AUTO application = EM_STR_INIT;
    struct em_url maintenance = {0};
    struct em_db *db = NULL;
    const char *role = em_url_get(service, "user"), *user = em_url_get(superuser, "user");
    const char *database = em_url_get(service, "dbname");
    const char *values[] = {role, database};
    struct em_bootstrap_plan setup = {
        .database = database, .role = role, .password = em_url_get(service, "password")};
    em_application_name("bootstrap", &application);
    if (role && database &&
        em_bootstrap_maintenance(config, superuser, &maintenance, &ignored) == 0 &&
        em_db_open_for(EM_DB_SUPER, &maintenance, em_str_c(&application),
                       em_in(config->database_connect_timeout), &db, NULL, &ignored) == 0 &&
        em_db_query(db, em_in(LOOK_LIMIT), NULL, &ignored, look_sql, 2, values) == 0)
        say_reason(db, config, &setup, user && strcmp(user, role) == 0, err);
    em_db_close(db);
    em_url_free(&maintenance);
}

int em_bootstrap_foresee(const struct em_config *config, const struct em_url *superuser,
                         const struct em_url *service, const struct em_db_failure *refused,
                         em_time until, struct em_foreseen *foreseen, struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    struct em_url maintenance = {0};
    struct em_bootstrap_plan setup;
    struct em_db *db = NULL;
    enum em_role_state state = EM_ROLE_SAME;
    const char *user = em_url_get(superuser, "user");
    em_application_name("doctor", &application);
    em_bootstrap_plan_make(config, service, &setup);
    int code = em_bootstrap_login(superuser, em_str_c(&application), until, &maintenance, &db, err);
    if (code == 0) {
        em_str_printf(&foreseen->login, "as %s to the database %s", em_db_user(db), em_db_name(db));
        if (setup.role && !(user && strcmp(user, setup.role) == 0))
            code = em_bootstrap_role(db, &setup, until, &state, err);
    }
    if (code == 0 && refused && state == EM_ROLE_MISSING)
        em_str_printf(&foreseen->news, "first start: the role %s does not exist yet", setup.role);
    else if (code == 0 && refused)
        foreseen->code = em_bootstrap_may(config, &setup, state,
                                          strcmp(refused->sqlstate, "28P01") == 0, &foreseen->err);
    em_db_close(db);
    em_url_free(&maintenance);
    return code;
}

void em_foreseen_free(struct em_foreseen *foreseen)
{
    em_str_free(&foreseen->login);
    em_str_free(&foreseen->news);
    em_err_free(&foreseen->err);
}

void em_bootstrap_suggest(struct em_err *err)
{
    EM_STR_AUTO hint = EM_STR_INIT;
    em_str_printf(&hint, "%s%s", em_str_c(&err->hint), err->hint.len ? "; " : "");
    em_hint(err, "%swith a superuser's login as [bootstrap] url embark makes role and database",
            em_str_c(&hint));
}

static void print_grants(const struct em_config *config, const struct em_bootstrap_plan *setup,
                         struct em_list *statements)
{
    for (size_t i = 0; i < config->bootstrap_grants.n && setup->role; i++) {
        EM_STR_AUTO schema = EM_STR_INIT;
        EM_LIST_AUTO owners = EM_LIST_INIT;
        bool write;
        em_list_add(&owners, setup->owns == EM_OWNS_DATABASE ? setup->role : "OWNER");
        if (em_bootstrap_parse_grant(config->bootstrap_grants.v[i], &write, &schema))
            em_bootstrap_grant_sql(setup, em_str_c(&schema), write, &owners, statements);
    }
}

static void print_statements(struct em_list *statements, struct em_str *out)
{
    for (size_t i = 0; i < statements->n; i++)
        em_str_printf(out, "%s;\n", statements->v[i]);
    em_list_free(statements);
}

/* One at a time, with a word on when it is left out. */
static void print_one(struct em_str *sql, const char *note, struct em_str *out)
{
    em_str_printf(out, "%s;%s\n", em_str_c(sql), note);
    em_str_cut(sql, 0);
}

void em_bootstrap_print(const struct em_config *config, const struct em_url *service,
                        struct em_str *out)
{
    EM_LIST_AUTO statements = EM_LIST_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    struct em_bootstrap_plan setup;
    em_bootstrap_plan_make(config, service, &setup);
    if (!setup.database)
        return;
    if (setup.role) {
        em_bootstrap_create_role_sql(&setup, &sql);
        print_one(&sql, " -- where it is missing", out);
    }
    em_bootstrap_create_database_sql(&setup, NULL, &sql);
    print_one(&sql, " -- where it is missing", out);
    em_sql_quote_ident(&sql, setup.database);
    em_str_printf(out, "-- in the database %s:\n", em_str_c(&sql));
    em_str_cut(&sql, 0);
    em_bootstrap_own_sql(&setup, &statements);
    print_statements(&statements, out);
    for (size_t i = 0; i < config->bootstrap_sql.n; i++)
        em_str_printf(out, "-- here %s is run\n", config->bootstrap_sql.v[i]);
    print_grants(config, &setup, &statements);
    print_statements(&statements, out);
    if (setup.role) {
        em_bootstrap_login_sql(&setup, setup.password ? "****" : NULL, &sql);
        print_one(&sql, "", out);
    }
}
