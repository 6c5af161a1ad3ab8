#include <stdlib.h>
#include <string.h>

#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/stages/bootstrap/bootstrap.h"
#include "embark/stages/doctor/doctor.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/wait/database.h"
#include "session.h"

/* ---- Asking ---------------------------------------------------------------------------------- */

static void full_key(const struct em_doctor_session *at, const char *key, struct em_str *out)
{
    em_str_printf(out, "%s%s", at->direct ? "direct " : "", key);
}

void em_doctor_add(struct em_doctor_session *at, const char *key, enum em_mark mark, int code,
                   const char *format, ...)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    full_key(at, key, &name);
    em_doctor_row_add(at->looks, "database", em_str_c(&name), mark, code, "%s", em_str_c(&text));
}

/* The server ends a question after half of the time that is left: another one can be asked then,
 * and nothing of ours goes on there. */
static void wrap(const struct em_doctor_session *at, const char *sql, struct em_str *out)
{
    em_time half = em_time_min((at->deadline - em_now()) / 2, EM_SEC(60));
    long long ms = half > EM_MS(100) ? (long long)(half / EM_MS(1)) : 100;
    em_str_printf(out,
                  "SET LOCAL transaction_read_only = on; SET LOCAL statement_timeout = %lld; %s",
                  ms, sql);
}

bool em_doctor_query(struct em_doctor_session *at, const char *key, const char *sql)
{
    EM_STR_AUTO all = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    if (at->gone)
        return false;
    wrap(at, sql, &all);
    int code = em_db_query(at->db, at->deadline, &failure, &err, em_str_c(&all), 0, NULL);
    if (code == 0)
        return true;
    /* Without an SQLSTATE, or with one of 08 and 57P: the connection, rather than the question. */
    at->gone = !failure.sqlstate[0] || em_starts(failure.sqlstate, "08") ||
               em_starts(failure.sqlstate, "57P");
    if ((!key && !at->gone) || at->quiet || em_loop_stopped())
        return false;
    /* It is the question that a start asks of each server before it goes on. */
    bool needed = at->gone && key && strcmp(key, "primary") == 0;
    em_doctor_add(at, key ? key : "login", needed ? EM_MARK_BAD : EM_MARK_WARN, EM_EXIT_UNREACHABLE,
                  "can't be looked at%s: %s", at->gone ? ", nor what comes after it" : "",
                  em_str_c(&err.text));
    if (needed)
        em_doctor_row_hint(at->looks,
                           "a start asks whether the server is a primary, too, and would not "
                           "get beyond that: is it a PostgreSQL server, and is it well?");
    return false;
}

const char *em_doctor_value_of(const struct em_doctor_session *at, int row, int column)
{
    const char *value = em_db_value(at->db, row, column);
    return value ? value : "";
}

bool em_doctor_true(const struct em_doctor_session *at, int column)
{
    return strcmp(em_doctor_value_of(at, 0, column), "t") == 0;
}

/* ---- Logging in ------------------------------------------------------------------------------ */

static void limit_hint(const struct em_doctor_session *at, struct em_err *err)
{
    EM_STR_AUTO limit = EM_STR_INIT;
    if (err->hint.len)
        return;
    em_time_print(&limit, at->config->database_timeout);
    em_hint(err, "a start waits for this to change: %s, as [database] timeout says",
            em_str_c(&limit));
}

/* What the bootstrap would come to. `failure`: how the service's login was refused, as `err` says,
 * which may become another one; NULL: it works. The superuser's login is a row of its own. */
static enum em_mark foresee(struct em_doctor_session *at, const struct em_db_failure *failure,
                            struct em_err *err)
{
    EM_ERR_AUTO refused = EM_ERR_INIT;
    struct em_foreseen f = {EM_STR_INIT, EM_STR_INIT, 0, EM_ERR_INIT};
    enum em_mark mark = EM_MARK_WARN;
    int code = em_bootstrap_foresee(at->config, at->superuser, at->url, failure, at->deadline, &f,
                                    &refused);
    bool needed = failure || at->config->bootstrap_when == 1;
    if (code)
        em_doctor_row_add_err(at->looks, "database", "superuser",
                              needed ? EM_MARK_BAD : EM_MARK_WARN, &refused);
    else
        em_doctor_add(at, "superuser", EM_MARK_OK, 0, "%s", em_str_c(&f.login));
    if (f.code) {
        em_err_free(err);
        *err = f.err;
        f.err = (struct em_err)EM_ERR_INIT;
        mark = EM_MARK_BAD;
    } else if (f.news.len) {
        em_fail(err, EM_EXIT_REFUSED, "%s", em_str_c(&f.news));
        mark = EM_MARK_NONE;
    }
    em_foreseen_free(&f);
    return mark;
}

/* The same words, hints and codes as a start's. */
static void say_failure(struct em_doctor_session *at, const struct em_db_failure *failure,
                        struct em_err *err)
{
    const struct em_config *config = at->config;
    EM_STR_AUTO key = EM_STR_INIT;
    EM_STR_AUTO certificate = EM_STR_INIT;
    bool mends = !at->direct && em_bootstrap_mends(failure);
    enum em_mark mark = !at->direct || at->migrates ? EM_MARK_BAD : EM_MARK_WARN;
    full_key(at, "login", &key);
    if (mends && at->superuser) {
        mark = foresee(at, failure, err);
        if (mark != EM_MARK_BAD)
            em_hint(err,
                    "a start makes role and database, as [bootstrap] url asks, and tries again");
    } else if (mends && !em_bootstrap_any(config)) {
        em_bootstrap_suggest(err);
    }
    if (failure->kind == EM_DB_RETRY)
        limit_hint(at, err);
    if (failure->kind == EM_DB_FATAL && !failure->sqlstate[0])
        em_doctor_refused_certificate(at, &certificate, err);
    em_doctor_row_add_err(at->looks, "database", em_str_c(&key), mark, err);
    if (certificate.len)
        em_doctor_add(at, "certificate", EM_MARK_NONE, 0, "%s", em_str_c(&certificate));
}

static bool log_in(struct em_doctor_session *at)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO took = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    const char *database = em_url_get(at->url, "dbname"), *user = em_url_get(at->url, "user");
    em_time started = em_now();
    em_application_name("doctor", &name);
    if (em_db_open(at->url, em_str_c(&name), at->deadline, &at->db, &failure, &err) != 0) {
        if (!em_loop_stopped())
            say_failure(at, &failure, &err);
        return false;
    }
    em_time_print(&took, em_now() - started);
    em_doctor_add(at, "login", EM_MARK_OK, 0, "as %s to the database %s (%s)", user ? user : "?",
                  database ? database : "?", em_str_c(&took));
    if (at->superuser)
        foresee(at, NULL, &err);
    return true;
}

/* ---- The server ------------------------------------------------------------------------------ */

static void look_at_version(struct em_doctor_session *at)
{
    const char *version = em_db_parameter(at->db, "server_version");
    em_doctor_add(at, "server", EM_MARK_NONE, 0, "PostgreSQL %s at %s", version ? version : "?",
                  em_db_where(at->db));
}

static void look_for_standby(struct em_doctor_session *at)
{
    EM_STR_AUTO key = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    if (!em_doctor_query(at, "primary", "SELECT pg_catalog.pg_is_in_recovery()"))
        return;
    at->standby = em_doctor_true(at, 0);
    if (!at->standby) {
        em_doctor_add(at, "primary", EM_MARK_OK, 0, "a primary, which can be written to");
        return;
    }
    full_key(at, "primary", &key);
    if (!at->direct && !em_db_standby_ok(at->url)) {
        if (em_wait_primary(at->db, at->url, at->deadline, &failure, &err) != 0)
            em_doctor_row_add_err(at->looks, "database", em_str_c(&key), EM_MARK_BAD, &err);
    } else if (at->migrates) {
        em_fail(&err, EM_EXIT_UNREACHABLE, "%s is a standby, and is not migrated",
                em_db_where(at->db));
        em_hint(&err, "url, or direct_url where it is set, must lead to the primary");
        em_doctor_row_add_err(at->looks, "database", em_str_c(&key), EM_MARK_WARN, &err);
    } else {
        em_doctor_add(at, "primary", EM_MARK_NONE, 0, "a standby (in recovery)%s",
                      at->direct ? "" : ", which target_session_attrs allows");
    }
}

/* One URL, as far as a login goes. */
static bool look_at_server(struct em_doctor_session *at)
{
    if (!em_doctor_addresses(at) || em_loop_stopped() || !log_in(at))
        return false;
    look_at_version(at);
    em_doctor_tls(at);
    look_for_standby(at);
    em_doctor_pooler(at);
    return !at->gone;
}

/* ---- Two URLs -------------------------------------------------------------------------------- */

/* The same server and database by both? A standby has its primary's identifier. */
static void ask_identity(struct em_doctor_session *at)
{
    if (em_doctor_query(at, NULL,
                        "SELECT s.system_identifier OPERATOR(pg_catalog.||) '/' "
                        "OPERATOR(pg_catalog.||) d.oid FROM"
                        " pg_catalog.pg_control_system() s, pg_catalog.pg_database d"
                        " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"))
        em_str_puts(&at->database, em_doctor_value_of(at, 0, 0));
}

static void compare(struct em_doctor_session *direct, const struct em_doctor_session *service)
{
    if (!direct->database.len || !service->database.len ||
        strcmp(em_str_c(&direct->database), em_str_c(&service->database)) == 0)
        return;
    em_doctor_add(direct, "database", EM_MARK_WARN, 0,
                  "direct_url leads to another database than url: it would be migrated, and the "
                  "service would not see it");
    em_doctor_row_hint(direct->looks,
                       "[database] direct_url must be url's server and database, past the "
                       "pooler only");
}

static bool look_at_direct(struct em_doctor_session *at, const struct em_doctor_session *service)
{
    if (!look_at_server(at))
        return false;
    if (service->database.len)
        ask_identity(at);
    compare(at, service);
    return true;
}

/* A login that works may be one to a set-up that was interrupted. */
static void find_setup(struct em_doctor_session *at, struct em_str *why)
{
    const struct em_config *config = at->config;
    EM_ERR_AUTO err = EM_ERR_INIT;
    bool needed = false;
    if (at->gone || !em_bootstrap_any(config) || config->bootstrap_when != 0 ||
        em_config_skips(config, "bootstrap"))
        return;
    int code = em_bootstrap_check(config, at->url, at->db, at->deadline, &needed, why, &err);
    at->gone = code == EM_EXIT_UNREACHABLE;
}

/* A start looks before its first migration, which the ledger tells, and each time where none is
 * kept. */
static void say_setup(struct em_doctor_session *at, const struct em_str *why, bool has_ledger)
{
    if (!why->len || has_ledger)
        return;
    em_doctor_add(at, "set-up", EM_MARK_WARN, 0, "%s", em_str_c(why));
    em_doctor_row_hint(at->looks, "a start mends it, as [bootstrap] url asks");
}

static void look_at_rest(struct em_doctor_session *at)
{
    em_doctor_privileges(at);
    em_doctor_leftovers(at);
}

/* For whoever asks next. Behind a pooler the setting would stay with the server's connection, and
 * be another client's. */
static struct em_db *hand_over(struct em_doctor_session *at)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_db *db = at->db;
    if (!db || at->gone)
        return NULL;
    if (at->pooling == EM_POOL_NONE &&
        em_db_query(db, at->deadline, NULL, &err, "SET default_transaction_read_only = on", 0,
                    NULL) != 0)
        return NULL;
    at->db = NULL;
    return db;
}

static void close_at(struct em_doctor_session *at)
{
    em_db_close(at->db);
    at->db = NULL;
    em_str_free(&at->database);
    free(at->host);
    free(at->address);
    free(at->port);
}

/* `setup` gets what the service's login doesn't show. */
static void look_at_service(struct em_doctor_session *at, bool direct, struct em_str *setup)
{
    if (!look_at_server(at))
        return;
    find_setup(at, setup);
    em_doctor_role(at);
    if (direct)
        ask_identity(at);
    else
        look_at_rest(at);
}

static void look_at_migrations(struct em_doctor_session *at, struct em_doctor_session *service)
{
    /* A slot less in use. */
    em_db_close(service->db);
    service->db = NULL;
    if (em_loop_stopped() || !look_at_direct(at, service))
        return;
    em_doctor_role(at);
    look_at_rest(at);
}

void em_doctor_database(const struct em_config *config, const struct em_url *url,
                        const struct em_url *direct, const struct em_url *superuser,
                        em_time deadline, struct em_doctor_rows *looks, struct em_db **db)
{
    bool migrates = em_migrate_any(config) && !em_config_skips(config, "migrate");
    struct em_doctor_session service = {.config = config,
                                        .url = url,
                                        .superuser = superuser,
                                        .migrates = migrates && !direct,
                                        .deadline = deadline,
                                        .looks = looks};
    struct em_doctor_session migration = {.config = config,
                                          .url = direct,
                                          .direct = true,
                                          .migrates = migrates,
                                          .deadline = deadline,
                                          .looks = looks};
    EM_STR_AUTO setup = EM_STR_INIT;
    *db = NULL;
    if (!url)
        return;
    /* Two hosts that don't answer have half of the time each. */
    if (direct)
        service.deadline = em_now() + (deadline - em_now()) / 2;
    look_at_service(&service, direct != NULL, &setup);
    if (direct)
        look_at_migrations(&migration, &service);
    *db = hand_over(direct ? &migration : &service);
    say_setup(&service, &setup, service.has_ledger || migration.has_ledger);
    close_at(&service);
    close_at(&migration);
}
