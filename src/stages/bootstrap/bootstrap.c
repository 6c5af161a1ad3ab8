#include "embark/stages/bootstrap/bootstrap.h"

#include <stdio.h>
#include <string.h>

#include "embark/core/base/backoff.h"
#include "embark/core/sql/bootstrap_sql.h"
#include "embark/core/sql/variables.h"
#include "embark/db/statement.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/process/spawn.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/migrate/run_command.h"
#include "embark/stages/wait/database.h"
#include "make.h"

bool em_bootstrap_any(const struct em_config *config)
{
    return config->bootstrap_url && *config->bootstrap_url;
}

bool em_bootstrap_mends(const struct em_db_failure *failure)
{
    static const char *const states[] = {"28P01", "28000", "3D000", NULL};
    return em_db_failed_with(failure, states);
}

bool em_bootstrap_validate(const struct em_config *config, struct em_errs *errs)
{
    const struct em_items *grants = &config->bootstrap_grants;
    size_t before = errs->n;
    for (size_t i = 0; i < grants->n; i++) {
        EM_STR_AUTO schema = EM_STR_INIT;
        bool write;
        if (!em_bootstrap_parse_grant(grants->v[i], &write, &schema))
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

/* The superuser's URL, for another database. */
static void aim(struct em_url *to, const struct em_url *superuser, const char *database)
{
    em_url_copy(to, superuser);
    em_url_set(to, "dbname", database);
}

/* The next of the databases is tried: this one isn't there, may not be connected to by us, or by
 * anybody. */
static bool tries_next(const struct em_db_failure *failure)
{
    static const char *const next[] = {"3D000", "42501", "55000", NULL};
    return em_db_failed_with(failure, next);
}

static void superuser_hint(struct em_err *err)
{
    em_hint(err, "[bootstrap] url must be a login that always exists, such as the server "
                 "image's superuser (POSTGRES_USER, POSTGRES_PASSWORD); a server's volume keeps "
                 "the password that it was first started with");
}

int em_bootstrap_maintenance(const struct em_config *config, const struct em_url *superuser,
                             struct em_url *found, struct em_err *err)
{
    const char *const names[] = {"postgres", "template1", em_url_get(superuser, "dbname")};
    struct em_db_failure failure;
    int code = EM_EXIT_REFUSED;
    for (size_t i = 0; i < 3 && code && names[i]; i++) {
        em_url_free(found);
        aim(found, superuser, names[i]);
        code = em_wait_database(config, found, "[bootstrap] url", NULL, &failure, err);
        if (code && !tries_next(&failure))
            break;
    }
    if (code == EM_EXIT_REFUSED)
        superuser_hint(err);
    return code;
}

int em_bootstrap_login(const struct em_url *superuser, const char *application, em_time until,
                       struct em_url *found, struct em_db **db, struct em_err *err)
{
    const char *const names[] = {"postgres", "template1", em_url_get(superuser, "dbname")};
    struct em_db_failure failure;
    int code = EM_EXIT_REFUSED;
    for (size_t i = 0; i < 3 && code && names[i]; i++) {
        em_url_free(found);
        aim(found, superuser, names[i]);
        code = em_db_open_for(EM_DB_SUPER, found, application, until, db, &failure, err);
        if (code && !tries_next(&failure))
            break;
    }
    if (code == EM_EXIT_REFUSED)
        superuser_hint(err);
    return code;
}

/* ---- Is there anything to do? ------------------------------------------------------------------- */

/* The schemas in which the role `user` must have a privilege after the set-up, as SQL expressions;
 * NULL: none is looked at. */
static const char *privilege_of(const struct em_config *config,
                                const struct em_bootstrap_plan *setup, const char *user,
                                struct em_str *schemas)
{
    /* What SQL files make is their business, but migrations need a schema to create in. */
    if (!setup->role && em_migrate_any(config)) {
        em_str_puts(schemas, "pg_catalog.current_schema()");
        return "CREATE";
    }
    if (!setup->role || strcmp(setup->role, user) != 0)
        return NULL;
    if (setup->owns != EM_OWNS_NOTHING) {
        em_sql_quote_literal(schemas, setup->schema);
        return "CREATE";
    }
    for (size_t i = 0; i < config->bootstrap_grants.n; i++) {
        EM_STR_AUTO schema = EM_STR_INIT;
        bool write;
        em_bootstrap_parse_grant(config->bootstrap_grants.v[i], &write, &schema);
        em_str_puts(schemas, schemas->len ? ", " : "");
        em_sql_quote_literal(schemas, em_str_c(&schema));
    }
    return schemas->len ? "USAGE" : NULL;
}

int em_bootstrap_check(const struct em_config *config, const struct em_url *service,
                       struct em_db *db, em_time until, bool *needed, struct em_str *why,
                       struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO mark = EM_STR_INIT;
    EM_STR_AUTO schemas = EM_STR_INIT;
    struct em_bootstrap_plan setup;
    em_bootstrap_plan_make(config, service, &setup);
    *needed = false;
    if (!setup.database)
        return 0;
    em_bootstrap_mark(setup.database, &mark);
    const char *privilege = privilege_of(config, &setup, em_db_user(db), &schemas);
    em_ledger_add_path(db, service, &sql);
    em_str_printf(&sql,
                  "SELECT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s,"
                  " pg_catalog.unnest(s.setconfig) c WHERE pg_catalog.split_part(c, '=', 1) "
                  "OPERATOR(pg_catalog.=) '%s')",
                  em_str_c(&mark));
    if (privilege)
        em_str_printf(&sql,
                      ", (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname "
                      "OPERATOR(pg_catalog.=) ANY (ARRAY[%s]::pg_catalog.name[])"
                      " AND NOT pg_catalog.has_schema_privilege(n.oid, '%s') LIMIT 1)",
                      em_str_c(&schemas), privilege);
    int code = em_db_query(db, until, NULL, err, em_str_c(&sql), 0, NULL);
    if (code)
        return code;
    const char *begun = em_db_value(db, 0, 0), *lacking = em_db_value(db, 0, 1);
    if (begun && strcmp(begun, "t") == 0)
        em_str_printf(why, "the set-up of the database %s was begun and not ended", setup.database);
    else if (lacking)
        em_str_printf(why, "%s logs in, and lacks the privilege %s on the schema %s",
                      em_db_user(db), privilege, lacking);
    *needed = why->len > 0;
    return 0;
}

/* Another replica may have done it while we waited for the lock. `refusal`, `refused`: why and
 * refused of struct em_bootstrap_run. */
static bool done_already(const struct em_config *config, const struct em_url *service,
                         struct em_str *refusal, bool *refused)
{
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    EM_STR_AUTO application = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    struct em_db *db = NULL;
    bool needed = true;
    if (config->bootstrap_when != 0)
        return false;
    em_application_name("bootstrap", &application);
    if (em_db_open(service, em_str_c(&application), em_in(config->database_connect_timeout), &db,
                   &failure, &ignored) != 0) {
        *refused = strcmp(failure.sqlstate, "28P01") == 0;
        em_str_puts(refusal, em_str_c(&ignored.text));
    } else if (em_bootstrap_check(config, service, db, em_in(EM_BOOTSTRAP_CHECK_LIMIT), &needed,
                                  &why, &ignored) != 0) {
        needed = true;
    }
    em_db_close(db);
    return !needed;
}

/* ---- Under the lock ------------------------------------------------------------------------------ */

static int lock_lost(const struct em_lock *lock, struct em_err *how, struct em_err *err)
{
    em_err_free(err);
    *err = *how;
    *how = (struct em_err)EM_ERR_INIT;
    em_context(err, "the lock \"%s\" was lost while the set-up ran", lock->name);
    em_hint(err, "the set-up was stopped, since another replica may have the lock now; the next "
                 "start goes on with it");
    err->code = EM_EXIT_UNREACHABLE;
    return err->code;
}

/* While the statements run on other connections, the lock's is watched; that it can be given back
 * shows that it was held all the time. */
static int make(struct em_lock *lock, const struct em_bootstrap_run *run, struct em_err *err)
{
    struct em_lock_guard guard;
    em_lock_guard(&guard, lock);
    int code = em_bootstrap_make(run, err);
    bool held = em_lock_unguard(&guard);
    if (held && code == 0)
        held = em_lock_release(lock, &guard.how) == 0;
    if (!held && code < 128)
        code = lock_lost(lock, &guard.how, err);
    em_err_free(&guard.how);
    return code;
}

static int under_lock(const struct em_config *config, const struct em_url *maintenance,
                      const struct em_url *superuser, const struct em_url *service,
                      const struct em_bootstrap_plan *setup, struct em_err *err)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO mark = EM_STR_INIT;
    EM_STR_AUTO application = EM_STR_INIT;
    EM_STR_AUTO prefix = EM_STR_INIT;
    EM_STR_AUTO refusal = EM_STR_INIT;
    bool refused = false;
    char id[17];
    em_str_printf(&name, "bootstrap of %s", setup->database);
    em_bootstrap_mark(setup->database, &mark);
    struct em_lock lock = EM_LOCK_INIT("bootstrap", em_str_c(&name));
    int code = em_lock_take(&lock, config, maintenance, em_in(config->migrate_lock_timeout), err);
    if (code)
        return code;
    snprintf(id, sizeof id, "%016llx", (unsigned long long)em_random_seed());
    em_run_application(lock.key, id, &application);
    em_run_prefix(lock.key, &prefix);
    if (done_already(config, service, &refusal, &refused)) {
        em_log(EM_LOG_INFO, "bootstrap", "another replica has done it");
    } else {
        struct em_bootstrap_run run = {.config = config,
                                       .setup = setup,
                                       .superuser = superuser,
                                       .maintenance = maintenance,
                                       .mark = em_str_c(&mark),
                                       .application = em_str_c(&application),
                                       .prefix = em_str_c(&prefix),
                                       .why = refusal.len ? em_str_c(&refusal) : NULL,
                                       .refused = refused};
        code = make(&lock, &run, err);
    }
    em_lock_drop(&lock);
    return code;
}

int em_bootstrap(const struct em_config *config, const struct em_url *superuser,
                 const struct em_url *service, struct em_err *err)
{
    struct em_url maintenance = {0};
    struct em_bootstrap_plan setup;
    em_title_long("bootstrap");
    em_bootstrap_plan_make(config, service, &setup);
    if (!setup.database)
        return em_fail(err, EM_EXIT_CONFIG,
                       "[bootstrap] needs a database: the service's URL names none");
    int code = em_bootstrap_maintenance(config, superuser, &maintenance, err);
    if (code == 0)
        code = under_lock(config, &maintenance, superuser, service, &setup, err);
    em_url_free(&maintenance);
    return code;
}
