/* Inside of the db layer: what embark's own sessions start with (enum em_db_session). */
#ifndef EMBARK_DB_PIN_H
#define EMBARK_DB_PIN_H

#include "embark/db/connection.h"

/* `options` of a login at `where` ("db:5432"): the URL's, and the session's settings behind them.
 * False: the URL's alone, `out` is "": the session is one of the users', the place refused
 * `options` before, or those of the URL are meant for something else than a server. */
bool em_db_pin(const struct em_url *url, enum em_db_session session, const char *where,
               struct em_str *out);

/* A login with such options failed: because of them? They are left out at this place from here on
 * then. `message` is libpq's. */
bool em_db_pin_refused(const struct em_db_failure *failure, const char *where, const char *message);

#endif
