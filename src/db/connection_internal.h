/* Inside of the db layer: the connection's representation, shared by src/db only. Other layers use
 * embark/db/connection.h. */
#ifndef EMBARK_DB_CONNECTION_INTERNAL_H
#define EMBARK_DB_CONNECTION_INTERNAL_H

#include <libpq-fe.h>

#include "embark/db/connection.h"
#include "embark/db/peer.h"

struct em_db {
    PGconn *conn;
    PGresult *result;       /* of the last query, or NULL */
    struct em_str farewell; /* the server's last words, "" if it said none */
    bool pinned;            /* em_db_pinned() */
    bool asked;             /* em_db_asked_path(): there is one */
    struct em_str path;
    em_time took;        /* em_db_took() */
    bool running;        /* between em_db_start and the end of its answer */
    struct em_str where; /* "db:5432", for messages */
    struct em_peer peer;
};

/* Fills err and failure (NULL allowed) from a message that libpq printed with PQERRORS_VERBOSE.
 * Returns the code. */
int em_db_failed(struct em_db *db, struct em_db_failure *failure, struct em_err *err,
                 const char *message);
/* The connection broke: libpq's own message, or which of embark's bounds it met. */
int em_db_lost(struct em_db *db, struct em_db_failure *failure, struct em_err *err);
/* The deadline passed, or a signal asks to end, while an answer was waited for. */
int em_db_gave_up(struct em_db *db, struct em_db_failure *failure, struct em_err *err);
/* Sends what libpq has buffered; reads meanwhile, so that a server that is itself blocked on its
 * answers goes on (manual, 34.4). 0, -1 lost, 1 gave up. */
int em_db_flush(struct em_db *db, em_time until);
/* Nobody listens for notifications; they would pile up. */
void em_db_drop_notifications(struct em_db *db);

#endif
