/* One login: every address of every host, one at a time, each with its share of the time.
 *
 * libpq could be given all addresses at once, but its asynchronous interface has no time limit for
 * one address (PQconnectPoll ignores connect_timeout), so that a black hole in front of a good
 * address would use up everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "connection_internal.h"
#include "embark/os/loop/clock.h"
#include "embark/os/net/net.h"
#include "order.h"
#include "pin.h"

/* One place to log in at. */
struct place {
    const char *host; /* as given: a name (for TLS), a directory, an abstract socket; "" is libpq's
                         default */
    const char *address; /* numeric, or NULL */
    const char *port;
};

/* Keyword and value arrays for PQconnectStartParams: those of the URL, with what is particular to
 * this try in front. */
struct params {
    const char **keys, **values;
    size_t n;
};

static void param(struct params *p, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->keys[i], key) == 0)
            return;
    p->keys[p->n] = key;
    p->values[p->n++] = value;
}

static void build_params(struct params *p, const struct em_url *url, const struct place *place,
                         const char *application, const char *attrs, const char *options)
{
    p->keys = em_alloc((url->keys.n + 16) * sizeof *p->keys);
    p->values = em_alloc((url->keys.n + 16) * sizeof *p->values);
    p->n = 0;
    param(p, "host", place->host);
    param(p, "hostaddr", place->address);
    param(p, "port", place->port);
    param(p, "application_name", application);
    param(p, "target_session_attrs", attrs);
    param(p, "options", options);
    for (size_t i = 0; i < url->keys.n; i++) {
        /* These are spoken for by `place`, even where it has none. */
        bool placed = !strcmp(url->keys.v[i], "host") || !strcmp(url->keys.v[i], "hostaddr") ||
                      !strcmp(url->keys.v[i], "port") ||
                      !strcmp(url->keys.v[i], "load_balance_hosts");
        if (!placed)
            param(p, url->keys.v[i], url->values.v[i]);
    }
    param(p, "client_encoding", "UTF8"); /* of messages, which are shown */
    /* A peer that vanished is noticed after about 25 s, not after the kernel's two hours. */
    param(p, "keepalives", "1");
    param(p, "keepalives_idle", "10");
    param(p, "keepalives_interval", "5");
    param(p, "keepalives_count", "3");
}

/* What a server says unasked. A FATAL one is its farewell (57P01: an administrator's command),
 * which libpq hands over as a notice when no query is running; what is said of the lost connection
 * afterwards would only be that it was closed. */
static void on_notice(void *ctx, const char *message)
{
    struct em_db *db = ctx;
    char sqlstate[6];
    if (em_sqlstate_find(message, sqlstate) && strncmp(sqlstate, "57P", 3) == 0) {
        em_str_cut(&db->farewell, 0);
        em_str_puts(&db->farewell, message);
    }
}

static const char *last_line_user(const struct em_url *url)
{
    const char *user = em_url_get(url, "user");
    return user ? user : "(no user)";
}

/* The message of a failed login, in embark's words where the cause is plain. */
static int explain(struct em_db *db, const struct em_url *url, struct em_db_failure *failure,
                   struct em_err *err)
{
    const char *message = PQerrorMessage(db->conn);
    int code = em_db_failed(db, failure, err, message);
    if (!failure->sqlstate[0] && strstr(message, "Connection refused"))
        return em_fail(err, code, "%s refuses connections", em_str_c(&db->where));
    if (failure->kind == EM_DB_AUTH) {
        EM_STR_AUTO brief = EM_STR_INIT;
        em_sqlstate_brief(message, &brief);
        em_fail(err, code, "%s refuses the login of %s: %s (%s)", em_str_c(&db->where),
                last_line_user(url), em_str_c(&brief), failure->sqlstate);
        em_hint(err, "is the password right, and does the role exist? (the server gives the same "
                     "answer for both); "
                     "see pg_hba.conf for a 28000");
        if (url->encoded && strcmp(failure->sqlstate, "28P01") == 0)
            em_hint(err, "is the password percent-encoded? the URL's holds a %%, and it was "
                         "decoded: a %% that "
                         "is meant as it stands is written %%25; does the role exist? (the server "
                         "gives the same answer)");
    }
    if (failure->kind == EM_DB_FATAL && !failure->sqlstate[0]) {
        if (strstr(message, "does not support SSL"))
            em_hint(err, "switch TLS on at the server (ssl = on), or set sslmode=prefer if the "
                         "network between is trusted");
        else if (strstr(message, "root certificate file"))
            em_hint(err, "sslrootcert=system takes the authorities that the image trusts "
                         "(ca-certificates); sslrootcert=/FILE a file, which is "
                         "~/.postgresql/root.crt where none is named");
        else if (strstr(message, "certificate"))
            em_hint(err, "embark doctor shows the server's certificate: for whom, by whom, and "
                         "until when");
    }
    return code;
}

/* Polls the login to its end. */
static int poll_login(struct em_db *db, const struct em_url *url, struct em_db_patience *patience,
                      struct em_db_failure *failure, struct em_err *err)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    *failure = (struct em_db_failure){EM_DB_RETRY, ""};
    if (!db->conn)
        return em_fail(err, EM_EXIT_SYSTEM, "libpq has no memory for a connection");
    if (PQstatus(db->conn) == CONNECTION_BAD)
        return explain(db, url, failure, err);
    PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
    PQsetNoticeProcessor(db->conn, on_notice, db);
    while (next == PGRES_POLLING_WRITING || next == PGRES_POLLING_READING) {
        short events = next == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
        if (!em_peer_await(&db->peer, PQsocket(db->conn), events)) {
            if (em_loop_stopped())
                return em_fail_stopped(err);
            if (!patience->heard && db->peer.until < patience->linger) {
                db->peer.until = patience->linger;
                if (patience->silence)
                    patience->silence(patience->ctx, em_str_c(&db->where));
                continue;
            }
            patience->late = true;
            return em_fail(err, EM_EXIT_UNREACHABLE, "%s does not answer", em_str_c(&db->where));
        }
        if (events == POLLIN) {
            patience->heard = true;
            db->peer.until = patience->until;
        }
        next = PQconnectPoll(db->conn);
    }
    if (next != PGRES_POLLING_OK) {
        patience->late |= db->peer.late;
        return em_peer_bounded(&db->peer, em_str_c(&db->where), err)
                   ? err->code
                   : explain(db, url, failure, err);
    }
    /* From here on libpq waits for nothing by itself. During the login it would take what can't be
     * sent at once for an error. */
    PQsetnonblocking(db->conn, 1);
    return 0;
}

static int log_in(struct em_db *db, const struct em_url *url, struct em_db_patience *patience,
                  struct em_db_failure *failure, struct em_err *err)
{
    struct em_peer *before =
        em_peer_enter(&db->peer, em_time_min(patience->silent, patience->until));
    db->peer.left = EM_PEER_LOGIN;
    int code = poll_login(db, url, patience, failure, err);
    em_peer_leave(before);
    return code;
}

static void say_where(struct em_db *db, const struct place *place)
{
    EM_STR_AUTO folder = EM_STR_INIT;
    const char *name = *place->host ? place->host : place->address;
    if (!name) {
        em_db_default_folder(&folder);
        name = em_str_c(&folder);
    }
    em_place_print(name, place->port, &db->where);
}

struct attempt {
    const struct em_url *url;
    enum em_db_session session;
    const char *application, *attrs;
    struct em_db_patience *patience;
    struct em_db_failure *failure;
    bool random; /* load_balance_hosts=random, of hosts and of each one's addresses */
};

/* What is left until `end`, shared out among so many. */
static em_time share(em_time end, size_t among)
{
    em_time now = em_now();
    return end == EM_NEVER ? EM_NEVER : now + (end - now) / (em_time)among;
}

/* *again: it failed, and is worth another try without the settings of embark's own sessions. */
static int try_login(const struct attempt *a, const struct place *place,
                     struct em_db_patience *patience, struct em_db **out, bool *again,
                     struct em_err *err)
{
    EM_STR_AUTO options = EM_STR_INIT;
    struct params p;
    struct em_db *db = em_alloc(sizeof *db);
    say_where(db, place);
    db->asked = em_url_search_path(a->url, &db->path);
    db->pinned = em_db_pin(a->url, a->session, em_str_c(&db->where), &options);
    build_params(&p, a->url, place, a->application, a->attrs, em_str_c(&options));
    db->conn = PQconnectStartParams(p.keys, p.values, 0);
    int code = log_in(db, a->url, patience, a->failure, err);
    free(p.keys);
    free(p.values);
    *again = code && db->pinned && db->conn &&
             em_db_pin_refused(a->failure, em_str_c(&db->where), PQerrorMessage(db->conn));
    if (code)
        em_db_close(db);
    else
        *out = db;
    return code;
}

static int try_place(const struct attempt *a, const struct place *place,
                     struct em_db_patience *patience, struct em_db **out, struct em_err *err)
{
    bool again = false;
    int code = try_login(a, place, patience, out, &again, err);
    if (!again)
        return code;
    em_err_free(err);
    return try_login(a, place, patience, out, &again, err);
}

/* One of `among` addresses, with its share of the time. */
static int try_share(const struct attempt *a, const struct place *place,
                     const struct em_db_patience *all, size_t among, struct em_db **out,
                     struct em_err *err)
{
    struct em_db_patience own = *all;
    own.silent = share(all->silent, among);
    own.until = share(all->until, among);
    own.linger = among == 1 ? all->linger : 0;
    int code = try_place(a, place, &own, out, err);
    a->patience->heard = a->patience->heard || own.heard;
    a->patience->late = own.late;
    return code;
}

static bool needs_resolving(const char *host, const char *address)
{
    return *host && *host != '/' && *host != '@' && !*address;
}

/* The i'th host, one of `left`, with all its addresses. Its time is shared out so that each address
 * gets some. */
static int try_host(const struct attempt *a, size_t i, size_t left, struct em_db **out,
                    struct em_err *err)
{
    EM_PLACE_AUTO at = EM_PLACE_INIT;
    EM_LIST_AUTO addresses = EM_LIST_INIT;
    em_url_place(a->url, i, &at);
    struct place place = {at.host, *at.address ? at.address : NULL, *at.port ? at.port : "5432"};
    struct em_db_patience ours = *a->patience;
    ours.silent = share(ours.silent, left);
    ours.until = share(ours.until, left);
    ours.linger = left == 1 ? ours.linger : 0;
    if (!needs_resolving(at.host, at.address))
        return try_share(a, &place, &ours, 1, out, err);
    a->patience->late = false;
    int code = em_resolve(at.host, em_time_min(ours.silent, ours.until), &addresses, err);
    EM_FREE size_t *order = em_db_order(addresses.n, a->random);
    for (size_t n = 0; n < addresses.n; n++) {
        place.address = addresses.v[order[n]];
        code = try_share(a, &place, &ours, addresses.n - n, out, err);
        if (code == 0 || a->failure->kind != EM_DB_RETRY || em_loop_stopped())
            return code;
    }
    return code;
}

static int try_hosts(const struct attempt *a, struct em_db **out, struct em_err *err)
{
    size_t hosts = em_url_places(a->url);
    EM_FREE size_t *order = em_db_order(hosts, a->random);
    int code = 0;
    for (size_t i = 0; i < hosts; i++) {
        *a->failure = (struct em_db_failure){EM_DB_RETRY, ""};
        code = try_host(a, order[i], hosts - i, out, err);
        /* As libpq: a server that answered, and said no, ends the search. */
        if (code == 0 || a->failure->kind != EM_DB_RETRY || em_loop_stopped())
            return code;
    }
    return code;
}

bool em_db_pinned(const struct em_db *db)
{
    return db->pinned;
}

bool em_db_asked_path(const struct em_db *db, struct em_str *path)
{
    if (db->asked)
        em_str_puts(path, em_str_c(&db->path));
    return db->asked;
}

static int open_any(enum em_db_session session, const struct em_url *url, const char *application,
                    struct em_db_patience *patience, struct em_db **db,
                    struct em_db_failure *failure, struct em_err *err)
{
    struct em_db_failure local = {EM_DB_RETRY, ""};
    struct attempt attempt = {
        url, session, application, NULL, patience, failure ? failure : &local, false};
    const char *attrs = em_url_get(url, "target_session_attrs");
    const char *balance = em_url_get(url, "load_balance_hosts");
    attempt.random = balance && strcmp(balance, "random") == 0;
    *db = NULL;
    /* Several hosts, and no word on which: the primary among them is meant, and a standby is passed
     * over. */
    if (!attrs && em_url_places(url) > 1)
        attempt.attrs = "primary";
    if (!attrs || strcmp(attrs, "prefer-standby") != 0)
        return try_hosts(&attempt, db, err);
    /* Two rounds, as libpq does when it has all hosts at once. */
    patience->linger = 0;
    attempt.attrs = "standby";
    if (try_hosts(&attempt, db, err) == 0 || em_loop_stopped())
        return *db ? 0 : em_fail_stopped(err);
    attempt.attrs = "any";
    return try_hosts(&attempt, db, err);
}

int em_db_open_patiently(enum em_db_session session, const struct em_url *url,
                         const char *application, struct em_db_patience *patience,
                         struct em_db **db, struct em_db_failure *failure, struct em_err *err)
{
    em_time began = em_now();
    int code = open_any(session, url, application, patience, db, failure, err);
    if (*db)
        (*db)->took = em_now() - began;
    return code;
}

em_time em_db_took(const struct em_db *db)
{
    return db->took;
}

int em_db_open_for(enum em_db_session session, const struct em_url *url, const char *application,
                   em_time until, struct em_db **db, struct em_db_failure *failure,
                   struct em_err *err)
{
    struct em_db_patience patience = {.silent = until, .until = until};
    return em_db_open_patiently(session, url, application, &patience, db, failure, err);
}

int em_db_open(const struct em_url *url, const char *application, em_time until, struct em_db **db,
               struct em_db_failure *failure, struct em_err *err)
{
    return em_db_open_for(EM_DB_OWN, url, application, until, db, failure, err);
}
