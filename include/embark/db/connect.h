/* Inside of the db layer: the connection's representation, shared by src/db only. Other layers use
 * embark/db/db.h. */
#ifndef EMBARK_DB_CONNECT_H
#define EMBARK_DB_CONNECT_H

#include <libpq-fe.h>

#include "embark/db/db.h"

struct em_db {
    PGconn *conn;
    PGresult *result;    /* of the last query, or NULL */
    bool running;        /* between em_db_start and the end of its answer */
    struct em_str where; /* "db:5432", for messages */
};

/* Fills err and failure (NULL allowed) from a message that libpq printed with PQERRORS_VERBOSE.
 * Returns the code. */
int em_db_failed(struct em_db *db, struct em_db_failure *failure, struct em_err *err,
                 const char *message);

#endif
