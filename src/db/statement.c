#include "embark/db/statement.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "connection_internal.h"

enum { COPY_CHUNK = 64 * 1024 };

/* One em_db_run(). */
struct run {
    struct em_db *db;
    em_time until;
    const char *sql;
    const struct em_db_reader *reader;
    struct em_err *err;
    bool failed; /* the server refused a statement */
};

/* What has been handed on is no longer in memory. */
static void handed_on(struct run *run)
{
    run->db->peer.left = EM_PEER_ANSWER;
}

/* ---- Messages ---- */

/* A position counts characters from 1, in the client's encoding. */
static size_t byte_of(const PGconn *conn, const char *text, const char *position)
{
    long left = position ? strtol(position, NULL, 10) : 0;
    size_t length = strlen(text), at = 0;

    if (left <= 0)
        return EM_DB_NOWHERE;
    while (--left > 0 && at < length)
        at += (size_t)PQmblen(text + at, PQclientEncoding(conn));
    return at < length ? at : length;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? text : "";
}

static void read_message(const struct run *run, const PGresult *result, struct em_db_message *m)
{
    const PGconn *conn = run->db->conn;

    *m = (struct em_db_message){
        .severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED),
        .sqlstate = field(result, PG_DIAG_SQLSTATE),
        .text = field(result, PG_DIAG_MESSAGE_PRIMARY),
        .detail = field(result, PG_DIAG_MESSAGE_DETAIL),
        .hint = field(result, PG_DIAG_MESSAGE_HINT),
        .context = field(result, PG_DIAG_CONTEXT),
        .query = field(result, PG_DIAG_INTERNAL_QUERY),
    };
    if (!*m->severity) /* a pooler's, or of a server before 9.6 */
        m->severity = field(result, PG_DIAG_SEVERITY);
    m->at = byte_of(conn, run->sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    m->query_at = byte_of(conn, m->query, PQresultErrorField(result, PG_DIAG_INTERNAL_POSITION));
}

static void on_notice(void *ctx, const PGresult *result)
{
    struct run *run = ctx;
    struct em_db_message message;

    handed_on(run);
    if (!run->reader->notice)
        return;
    read_message(run, result, &message);
    run->reader->notice(run->reader->ctx, &message);
}

static void say_failed(struct run *run, const PGresult *result)
{
    struct em_db_message message;

    read_message(run, result, &message);
    if (!*message.text) /* libpq's own, not the server's */
        message.text = PQresultErrorMessage(result);
    run->failed = true;
    if (run->reader->failed)
        run->reader->failed(run->reader->ctx, &message);
}

/* ---- Waiting ---- */

/* Until something has arrived. */
static int read_more(struct run *run)
{
    PGconn *conn = run->db->conn;

    if (!em_peer_await(&run->db->peer, PQsocket(conn), POLLIN))
        return em_db_gave_up(run->db, NULL, run->err);
    if (!PQconsumeInput(conn))
        return em_db_lost(run->db, NULL, run->err);
    em_db_drop_notifications(run->db);
    return 0;
}

static int flush(struct run *run)
{
    int flushed = em_db_flush(run->db, run->until);

    if (flushed < 0)
        return em_db_lost(run->db, NULL, run->err);
    return flushed ? em_db_gave_up(run->db, NULL, run->err) : 0;
}

static int stopped(struct run *run)
{
    return em_fail(run->err, EM_EXIT_SYSTEM, "what the statement gives can't be written");
}

/* ---- COPY ---- */

/* libpq takes what its buffer holds; 0: it is full. */
static int put(struct run *run, const char *bytes, size_t length)
{
    int done;

    while ((done = PQputCopyData(run->db->conn, bytes, (int)length)) == 0) {
        int code = flush(run);

        if (code)
            return code;
    }
    return done < 0 ? em_db_lost(run->db, NULL, run->err) : 0;
}

static int copy_in(struct run *run, bool binary)
{
    const char *bytes = NULL, *why = "there is no data for it";
    size_t length = 0;
    int code = 0, done;

    if (run->reader->copy_in) {
        why = NULL;
        run->reader->copy_in(run->reader->ctx, binary, &bytes, &length, &why);
    }
    for (size_t at = 0; !why && !code && at < length;) {
        size_t n = length - at < COPY_CHUNK ? length - at : COPY_CHUNK;

        code = put(run, bytes + at, n);
        at += n;
        /* So that libpq's buffer doesn't grow to the size of the data. */
        if (!code)
            code = flush(run);
    }
    while (!code && (done = PQputCopyEnd(run->db->conn, why)) <= 0)
        code = done < 0 ? em_db_lost(run->db, NULL, run->err) : flush(run);
    return code ? code : flush(run);
}

static int copy_out(struct run *run)
{
    for (;;) {
        char *bytes = NULL;
        int n = PQgetCopyData(run->db->conn, &bytes, 1), code = 0;
        bool taken = true;

        if (n > 0)
            handed_on(run);
        if (n > 0 && run->reader->copy_out)
            taken = run->reader->copy_out(run->reader->ctx, bytes, (size_t)n);
        PQfreemem(bytes);
        if (n == 0)
            code = read_more(run);
        else if (n < 0)
            return 0; /* its result, good or bad, comes next */
        if (!taken)
            return stopped(run);
        if (code)
            return code;
    }
}

/* ---- Results ---- */

/* The server ends the session (FATAL), or is gone. */
static bool is_end(const struct run *run, const PGresult *result)
{
    const char *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return PQstatus(run->db->conn) == CONNECTION_BAD || strcmp(severity, "FATAL") == 0 ||
           strcmp(severity, "PANIC") == 0;
}

static int take_row(struct run *run, PGresult *result)
{
    const struct em_db_reader *reader = run->reader;

    PQclear(run->db->result);
    run->db->result = result;
    if (reader->row && !reader->row(reader->ctx, run->db, PQnfields(result)))
        return stopped(run);
    return 0;
}

static int take_result(struct run *run, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    bool binary = PQbinaryTuples(result);
    int code = 0;

    if (status == PGRES_SINGLE_TUPLE)
        return take_row(run, result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (run->reader->done)
            run->reader->done(run->reader->ctx, PQcmdStatus(result));
    } else if (status == PGRES_COPY_IN) {
        code = copy_in(run, binary);
    } else if (status == PGRES_COPY_OUT) {
        code = copy_out(run);
    } else if (status == PGRES_COPY_BOTH) {
        code = em_fail(run->err, EM_EXIT_SQL, "a replication command, which isn't supported");
    } else if (status != PGRES_EMPTY_QUERY && is_end(run, result)) {
        em_db_failed(run->db, NULL, run->err, PQresultErrorMessage(result));
        code = run->err->code = EM_EXIT_UNREACHABLE;
    } else if (status != PGRES_EMPTY_QUERY) {
        say_failed(run, result);
    }
    PQclear(result);
    return code;
}

static int collect(struct run *run)
{
    for (;;) {
        PGresult *result;
        int code = 0;

        while (!code && PQisBusy(run->db->conn))
            code = read_more(run);
        if (code)
            return code;
        result = PQgetResult(run->db->conn);
        if (!result)
            return run->failed ? EM_EXIT_SQL : 0;
        handed_on(run);
        code = take_result(run, result);
        if (code)
            return code;
    }
}

int em_db_run(struct em_db *db, em_time until, const char *sql, const struct em_db_reader *reader,
              struct em_err *err)
{
    struct run run = {db, until, sql, reader, err, false};
    struct em_peer *peer = em_peer_enter(&db->peer, until);
    PQnoticeReceiver before;
    int code;

    handed_on(&run);
    if (!PQsendQuery(db->conn, sql)) {
        em_peer_leave(peer);
        return em_db_lost(db, NULL, err);
    }
    PQsetSingleRowMode(db->conn);
    before = PQsetNoticeReceiver(db->conn, on_notice, &run);
    code = flush(&run);
    if (code == 0)
        code = collect(&run);
    PQsetNoticeReceiver(db->conn, before, NULL);
    em_db_drop_notifications(db);
    em_peer_leave(peer);
    PQclear(db->result);
    db->result = NULL;
    return code;
}

/* ---- About the connection ---- */

const char *em_db_column(const struct em_db *db, int column)
{
    const char *name = PQfname(db->result, column);

    return name ? name : "";
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

const char *em_db_name(const struct em_db *db)
{
    return or_empty(PQdb(db->conn));
}

const char *em_db_user(const struct em_db *db)
{
    return or_empty(PQuser(db->conn));
}

const char *em_db_host(const struct em_db *db)
{
    return or_empty(PQhost(db->conn));
}

const char *em_db_port(const struct em_db *db)
{
    return or_empty(PQport(db->conn));
}

enum em_db_transaction em_db_transaction(const struct em_db *db)
{
    switch (PQtransactionStatus(db->conn)) {
    case PQTRANS_IDLE:
        return EM_DB_IDLE;
    case PQTRANS_INTRANS:
        return EM_DB_OPEN;
    case PQTRANS_INERROR:
        return EM_DB_ABORTED;
    default:
        return EM_DB_UNKNOWN;
    }
}
