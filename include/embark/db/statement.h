/* Statements of a SQL file: sent as psql sends them, with all that the server says about them.
 *
 * The simple query protocol, one message for what psql would send in one. Rows, notices, errors and
 * COPY's data are handed to the caller as they come; nothing is gathered, so a result may be of any
 * size.
 */
#ifndef EMBARK_DB_STATEMENT_H
#define EMBARK_DB_STATEMENT_H

#include <stdint.h>

#include "embark/db/connection.h"

/* An error or a notice. Texts are untrusted bytes, "" where the server gave none, and valid during
 * the call only. */
struct em_db_message {
    const char *severity; /* ERROR, FATAL, NOTICE, WARNING…, not translated */
    const char *sqlstate;
    const char *text, *detail, *hint, *context;
    size_t at;         /* byte of the statement that it is about; EM_DB_NOWHERE */
    const char *query; /* a statement that the server itself ran (of a function), … */
    size_t query_at;   /* … and the byte of it */
};
#define EM_DB_NOWHERE SIZE_MAX

/* What is done with what comes. Each may be NULL: nothing. Those that return bool: false gives the
 * connection up (standard output is closed, say), em_db_run() returns EM_EXIT_SYSTEM then. */
struct em_db_reader {
    void *ctx;
    void (*notice)(void *ctx, const struct em_db_message *message);
    void (*failed)(void *ctx, const struct em_db_message *message);
    bool (*row)(void *ctx, const struct em_db *db, int columns); /* values: em_db_value(db, 0, i) */
    void (*done)(void *ctx,
                 const char *tag); /* of each statement in it: "INSERT 0 1", "SELECT 3" */
    bool (*copy_out)(void *ctx, const char *bytes, size_t length);
    /* The whole data of a COPY … FROM STDIN. *why set: there is none for this reason, COPY fails.
     */
    void (*copy_in)(void *ctx, bool binary, const char **bytes, size_t *length, const char **why);
};

/* 0; EM_EXIT_SQL: the server refused a statement (reader->failed was told), the connection is fine.
 * EM_EXIT_UNREACHABLE: connection lost, deadline passed; 128 + n: the connection is unusable then,
 * and err says why. */
int em_db_run(struct em_db *db, em_time until, const char *sql, const struct em_db_reader *reader,
              struct em_err *err);

const char *em_db_column(const struct em_db *db,
                         int column); /* a column's name, of the current row */

/* Of the login: "" where there is none. */
const char *em_db_name(const struct em_db *db); /* of the database */
const char *em_db_user(const struct em_db *db);
const char *em_db_host(const struct em_db *db); /* a name, an address or a socket's folder */
const char *em_db_port(const struct em_db *db);

enum em_db_transaction {
    EM_DB_IDLE,    /* in none */
    EM_DB_OPEN,    /* in one */
    EM_DB_ABORTED, /* in one that failed: only ROLLBACK does */
    EM_DB_UNKNOWN, /* the connection is lost */
};
enum em_db_transaction em_db_transaction(const struct em_db *db);

#endif
