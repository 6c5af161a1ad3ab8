/* PostgreSQL: the only layer that includes libpq-fe.h.
 *
 * Every call takes an absolute deadline and returns at once when a signal asks embark to end (128 +
 * n). Connections are non-blocking, their sockets close-on-exec (libpq sets that), host names are
 * resolved outside of libpq (os/net/net.h) and handed over as hostaddr beside host, so that TLS
 * still checks the name.
 */
#ifndef EMBARK_DB_CONNECTION_H
#define EMBARK_DB_CONNECTION_H

#include "embark/core/postgres/sqlstate.h"
#include "embark/core/url/url.h"
#include "embark/os/loop/loop.h"

struct em_db; /* a connection */

/* [database] user and password: for a URL without its own. */
struct em_db_login {
    const char *user, *password;       /* NULL or "": not given */
    const char *user_at, *password_at; /* where: "embark.ini:4" */
    bool optional; /* a URL with a login of its own keeps it; else both is a mistake */
};

/* The service's or the direct database, from the configuration's value or, where that is NULL, the
 * environment (DATABASE_URL, PG*). `origin` says where the value comes from ("embark.ini:3") for
 * messages. `login` (NULL allowed) comes before PG* variables. The password is added to the log's
 * secrets. What the URL leaves open is filled in from PG* variables and the service file, as libpq
 * would, so that every later use agrees. `raw` (NULL allowed) gets the text as it was given, with a
 * user and password that it lacks put in (url->lent), for a child's environment; "" when there was
 * none. It holds the password, wipe it. A secret's file that everybody may read is added to
 * `warnings` (NULL allowed). EM_EXIT_CONFIG: malformed, or nothing is configured at all (*none is
 * set: the caller decides whether that is an error). */
int em_db_target(struct em_url *url, const char *value, const char *origin,
                 const struct em_db_login *login, bool *none, struct em_str *raw,
                 struct em_errs *warnings, struct em_err *err);
/* Whom em_db_target() looks for targets for: the name of a user of this machine, which is the role
 * where nothing else names one, as libpq will have it in a program that this user runs. "": it has
 * no name; NULL, and until this is called: who runs this process. Copied. */
void em_db_local_user(const char *name);
/* target_session_attrs lets a standby do. */
bool em_db_standby_ok(const struct em_url *url);

struct em_db_failure {
    enum em_db_class kind;
    char sqlstate[6]; /* "" when the server was not reached */
};
/* Whether its SQLSTATE is one of these; `states` ends with NULL. */
bool em_db_failed_with(const struct em_db_failure *failure, const char *const *states);

/* Whose statements a session is for.
 *
 * Whoever owns a database or a role may set what its sessions start with, and may make functions,
 * operators and types that are found before pg_catalog's. So embark's own sessions say in the
 * start-up packet (`options`, behind those of the URL) what they stand on, and name the schema of
 * everything besides: a pooler may refuse `options`, or be told to ignore them. Where it refuses
 * them the login is tried again without, and this process doesn't try there again. */
enum em_db_session {
    /* Embark's own statements: search_path is pg_catalog, pg_temp; row_security is off, so that a
     * policy that would have a say is an error; standard_conforming_strings is on; transactions are
     * READ COMMITTED and not deferrable. */
    EM_DB_OWN,
    /* The same with [bootstrap] url; besides, role is none and no timeout of the server's counts.
     */
    EM_DB_SUPER,
    /* The users' files, which run as they would with psql: nothing is set. What embark itself sends
     * there names every schema. */
    EM_DB_USERS,
};

/* One try: resolve, connect, log in, within `until`. On failure err has code EM_EXIT_UNREACHABLE or
 * EM_EXIT_REFUSED, one line, and failure (may be NULL) its kind. `application` is set as
 * application_name (fallback_application_name when NULL). */
int em_db_open(const struct em_url *url, const char *application, em_time until, struct em_db **db,
               struct em_db_failure *failure, struct em_err *err);
/* em_db_open() is this with EM_DB_OWN. */
int em_db_open_for(enum em_db_session session, const struct em_url *url, const char *application,
                   em_time until, struct em_db **db, struct em_db_failure *failure,
                   struct em_err *err);
/* The login was made with the settings of EM_DB_OWN or EM_DB_SUPER, and nobody refused them. (A
 * pooler that is told to ignore them doesn't.) */
bool em_db_pinned(const struct em_db *db);
/* The search_path that the URL's own options ask for; false: none. */
bool em_db_asked_path(const struct em_db *db, struct em_str *path);
/* How long a login may take of a server that may be busy: giving up on one that has begun to answer
 * makes it do all of its work again. */
struct em_db_patience {
    em_time silent; /* until then it must have said something */
    em_time until;  /* and until then all */
    /* A silent one is listened to until then where no other address is left to be tried: who would
     * only wait until the next try keeps its place in a busy server's queue. 0: it isn't. `silence`
     * (NULL allowed) is called with em_db_where() when that begins. */
    em_time linger;
    void (*silence)(void *ctx, const char *where);
    void *ctx;
    bool heard; /* out: it did say something; a proxy, too, which may have nobody behind it */
    bool late;  /* out: this is what the login failed of */
};
/* em_db_open_for() with both limits. */
int em_db_open_patiently(enum em_db_session session, const struct em_url *url,
                         const char *application, struct em_db_patience *patience,
                         struct em_db **db, struct em_db_failure *failure, struct em_err *err);
em_time em_db_took(const struct em_db *db); /* the login */
void em_db_close(struct em_db *db);         /* NULL is fine */

/* Runs one statement (extended protocol when there are parameters, text format). Rows are read by
 * em_db_value. The result replaces the one before. Failure: EM_EXIT_UNREACHABLE when the connection
 * is gone or the deadline passed (the connection is unusable then), EM_EXIT_REFUSED else, with the
 * server's message and SQLSTATE. */
int em_db_query(struct em_db *db, em_time until, struct em_db_failure *failure, struct em_err *err,
                const char *sql, int parameters, const char *const *values);
int em_db_rows(const struct em_db *db);
const char *em_db_value(const struct em_db *db, int row,
                        int column); /* NULL for SQL NULL; valid until the next query */

const char *em_db_tag(
    const struct em_db *db); /* command tag of the last query: "COMMIT", "INSERT 0 1"… */

/* What stands for `password` in CREATE ROLE … PASSWORD, computed here (PQencryptPasswordConn, with
 * the server's password_encryption), so that the password itself is in no statement and no server's
 * log. Asks the server once. */
int em_db_verifier(struct em_db *db, const char *role, const char *password, em_time until,
                   struct em_str *verifier, struct em_err *err);

/* For the heartbeat. */
int em_db_socket(const struct em_db *db);
int em_db_start(struct em_db *db, const char *sql,
                struct em_err *err); /* sends; em_db_finish collects */
/* Reads what has arrived without blocking: 1 the answer is complete and good (em_db_value reads
 * it), 0 not yet, -1 the connection is lost or the statement failed. */
int em_db_finish(struct em_db *db, struct em_err *err);
/* The process that the login named as the server's, for cancelling. A pooler makes one up. */
int em_db_backend(const struct em_db *db);
/* The folder of the socket that is meant where a URL names no host: libpq's own. */
void em_db_default_folder(struct em_str *out);
int em_db_server_version(const struct em_db *db); /* 150018 */
const char *em_db_where(const struct em_db *db);  /* "db:5432", for messages */
const char *em_db_parameter(const struct em_db *db,
                            const char *name); /* PQparameterStatus; NULL: not reported */

#endif
