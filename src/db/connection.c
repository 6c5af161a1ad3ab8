#include "embark/db/connection.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection_internal.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"

int em_db_failed(struct em_db *db, struct em_db_failure *failure, struct em_err *err,
                 const char *message)
{
    struct em_db_failure local = {EM_DB_RETRY, ""};
    if (!failure)
        failure = &local;
    EM_STR_AUTO brief = EM_STR_INIT;
    em_sqlstate_find(message, failure->sqlstate);
    failure->kind = em_sqlstate_class(failure->sqlstate, message);
    em_sqlstate_brief(message, &brief);
    /* A login or a statement that the server answered with no is refused; what its class (08, 53,
     * 57P) or the lack of one says may go away by itself is not reachable. */
    bool answered = failure->sqlstate[0] && strncmp(failure->sqlstate, "08", 2) != 0 &&
                    strncmp(failure->sqlstate, "53", 2) != 0 &&
                    strncmp(failure->sqlstate, "57P", 3) != 0;
    int code = failure->kind == EM_DB_RETRY && !answered ? EM_EXIT_UNREACHABLE : EM_EXIT_REFUSED;
    if (failure->sqlstate[0])
        return em_fail(err, code, "%s: %s (%s)", em_str_c(&db->where), em_str_c(&brief),
                       failure->sqlstate);
    return em_fail(err, code, "%s: %s", em_str_c(&db->where), em_str_c(&brief));
}

int em_db_gave_up(struct em_db *db, struct em_db_failure *failure, struct em_err *err)
{
    if (failure)
        *failure = (struct em_db_failure){EM_DB_RETRY, ""};
    if (em_loop_stopped())
        return em_fail_stopped(err);
    return em_fail(err, EM_EXIT_UNREACHABLE, "%s does not answer", em_str_c(&db->where));
}

bool em_db_failed_with(const struct em_db_failure *failure, const char *const *states)
{
    for (; *states; states++)
        if (strcmp(failure->sqlstate, *states) == 0)
            return true;
    return false;
}

int em_db_lost(struct em_db *db, struct em_db_failure *failure, struct em_err *err)
{
    if (!db->farewell.len && em_peer_bounded(&db->peer, em_str_c(&db->where), err)) {
        if (failure)
            *failure = (struct em_db_failure){EM_DB_RETRY, ""};
        return err->code;
    }
    return em_db_failed(db, failure, err,
                        db->farewell.len ? em_str_c(&db->farewell) : PQerrorMessage(db->conn));
}

static void drop_result(struct em_db *db)
{
    PQclear(db->result);
    db->result = NULL;
}

int em_db_flush(struct em_db *db, em_time until)
{
    for (;;) {
        int left = PQflush(db->conn);
        if (left <= 0)
            return left;
        db->peer.until = until;
        if (!em_peer_await(&db->peer, PQsocket(db->conn), POLLIN | POLLOUT))
            return 1;
        if (!PQconsumeInput(db->conn))
            return -1;
    }
}

void em_db_drop_notifications(struct em_db *db)
{
    PGnotify *notify;
    while ((notify = PQnotifies(db->conn)) != NULL)
        PQfreemem(notify);
}

/* libpq gives this result again and again until the data are sent or read. No statement of embark's
 * own is a COPY. */
static bool is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

static int say_copy(struct em_db *db, struct em_db_failure *failure, struct em_err *err)
{
    return em_db_failed(db, failure, err, "the server answers with a COPY that was not asked for");
}

/* Collects all results of what was sent; keeps the last good one or the first bad one. */
static int collect(struct em_db *db, struct em_db_failure *failure, struct em_err *err)
{
    int code = 0;
    for (;;) {
        while (PQisBusy(db->conn)) {
            if (!em_peer_await(&db->peer, PQsocket(db->conn), POLLIN))
                return em_db_gave_up(db, failure, err);
            if (!PQconsumeInput(db->conn))
                return em_db_lost(db, failure, err);
            em_db_drop_notifications(db);
        }
        PGresult *next = PQgetResult(db->conn);
        if (!next)
            return code;
        ExecStatusType status = PQresultStatus(next);
        if (is_copy(next)) {
            PQclear(next);
            return say_copy(db, failure, err);
        }
        bool good =
            status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
        if (!good && !code)
            code = em_db_failed(db, failure, err, PQresultErrorMessage(next));
        if (code && good) {
            PQclear(next);
            continue;
        }
        drop_result(db);
        db->result = next;
        if (PQstatus(db->conn) == CONNECTION_BAD)
            return code ? code : em_db_lost(db, failure, err);
    }
}

static int query(struct em_db *db, em_time until, struct em_db_failure *failure, struct em_err *err,
                 const char *sql, int parameters, const char *const *values)
{
    int sent = parameters
                   ? PQsendQueryParams(db->conn, sql, parameters, NULL, values, NULL, NULL, 0)
                   : PQsendQuery(db->conn, sql);
    if (!sent)
        return em_db_lost(db, failure, err);
    int flushed = em_db_flush(db, until);
    if (flushed < 0)
        return em_db_lost(db, failure, err);
    if (flushed > 0)
        return em_db_gave_up(db, failure, err);
    return collect(db, failure, err);
}

int em_db_query(struct em_db *db, em_time until, struct em_db_failure *failure, struct em_err *err,
                const char *sql, int parameters, const char *const *values)
{
    struct em_peer *before = em_peer_enter(&db->peer, until);
    db->peer.left = EM_PEER_ANSWER;
    int code = query(db, until, failure, err, sql, parameters, values);
    em_peer_leave(before);
    return code;
}

int em_db_rows(const struct em_db *db)
{
    return PQntuples(db->result); /* 0 for NULL */
}

const char *em_db_value(const struct em_db *db, int row, int column)
{
    if (row >= PQntuples(db->result) || column >= PQnfields(db->result) ||
        PQgetisnull(db->result, row, column))
        return NULL;
    return PQgetvalue(db->result, row, column);
}

const char *em_db_tag(const struct em_db *db)
{
    return db->result ? PQcmdStatus(db->result) : "";
}

int em_db_verifier(struct em_db *db, const char *role, const char *password, em_time until,
                   struct em_str *verifier, struct em_err *err)
{
    int code = em_db_query(db, until, NULL, err, "SHOW password_encryption", 0, NULL);
    const char *kind = code ? NULL : em_db_value(db, 0, 0);
    if (code)
        return code;
    /* PQencryptPasswordConn would ask the server itself, and block. "on" is md5's old name. */
    char *made = PQencryptPasswordConn(db->conn, password, role,
                                       kind && !strcmp(kind, "scram-sha-256") ? kind : "md5");
    if (!made)
        return em_db_lost(db, NULL, err);
    em_str_puts(verifier, made);
    PQfreemem(made);
    return 0;
}

int em_db_socket(const struct em_db *db)
{
    return PQsocket(db->conn);
}

int em_db_start(struct em_db *db, const char *sql, struct em_err *err)
{
    struct em_peer *before = em_peer_enter(&db->peer, EM_NEVER);
    db->peer.left = EM_PEER_ANSWER;
    bool sent = PQsendQuery(db->conn, sql) && PQflush(db->conn) >= 0;
    em_peer_leave(before);
    if (!sent)
        return em_db_lost(db, NULL, err);
    db->running = true;
    return 0;
}

static int finish(struct em_db *db, struct em_err *err)
{
    if (!PQconsumeInput(db->conn) || PQflush(db->conn) < 0) {
        /* The server's farewell may have come with the end of the connection in one read: asking
         * for a result makes libpq look at what it holds. */
        PGresult *last = PQgetResult(db->conn);
        if (PQresultStatus(last) == PGRES_FATAL_ERROR && !db->farewell.len)
            em_db_failed(db, NULL, err, PQresultErrorMessage(last));
        else
            em_db_lost(db, NULL, err);
        PQclear(last);
        return -1;
    }
    if (!db->running) {
        /* Nothing was asked: this was a notice or the server's farewell; libpq parses it only when
         * a result is wanted. */
        PGresult *unasked = PQisBusy(db->conn) ? NULL : PQgetResult(db->conn);
        bool bad = unasked && PQresultStatus(unasked) == PGRES_FATAL_ERROR;
        PQclear(unasked);
        if (bad || PQstatus(db->conn) == CONNECTION_BAD) {
            em_db_lost(db, NULL, err);
            return -1;
        }
        return 0;
    }
    while (!PQisBusy(db->conn)) {
        PGresult *next = PQgetResult(db->conn);
        if (!next) {
            db->running = false;
            return 1;
        }
        ExecStatusType status = PQresultStatus(next);
        if (is_copy(next)) {
            PQclear(next);
            say_copy(db, NULL, err);
            return -1;
        }
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            em_db_failed(db, NULL, err, PQresultErrorMessage(next));
            PQclear(next);
            return -1;
        }
        drop_result(db);
        db->result = next;
    }
    return 0;
}

int em_db_finish(struct em_db *db, struct em_err *err)
{
    /* Nothing in it waits: descriptors are looked at by who calls this. */
    struct em_peer *before = em_peer_enter(&db->peer, EM_NEVER);
    int answered = finish(db, err);
    em_db_drop_notifications(db);
    em_peer_leave(before);
    return answered;
}

int em_db_backend(const struct em_db *db)
{
    return PQbackendPID(db->conn);
}

void em_db_default_folder(struct em_str *out)
{
    /* It is filled in before sslmode is looked at, which ends this before a socket is opened. */
    const char *const keys[] = {"sslmode", NULL}, *const values[] = {"?", NULL};
    PGconn *conn = PQconnectStartParams(keys, values, 0);
    const char *folder = conn ? PQhost(conn) : NULL;
    em_str_puts(out, folder && *folder ? folder : "/var/run/postgresql");
    PQfinish(conn);
}

int em_db_server_version(const struct em_db *db)
{
    return PQserverVersion(db->conn);
}

const char *em_db_where(const struct em_db *db)
{
    return em_str_c(&db->where);
}

const char *em_db_parameter(const struct em_db *db, const char *name)
{
    return PQparameterStatus(db->conn, name);
}

void em_db_close(struct em_db *db)
{
    if (!db)
        return;
    /* libpq says goodbye; what can't be sent at once isn't. */
    struct em_peer *before = em_peer_enter(&db->peer, em_now());
    db->peer.late = true;
    drop_result(db);
    PQfinish(db->conn);
    em_peer_leave(before);
    em_str_free(&db->where);
    em_str_free(&db->path);
    em_str_free(&db->farewell);
    free(db);
}
