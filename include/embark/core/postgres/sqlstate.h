/* What an SQLSTATE, or the lack of one, means for somebody who waits (PostgreSQL manual, Appendix
 * A).
 *
 * As embark-wait(1) says: refusals, DNS failures, timeouts, resets, 57P01 to 57P03, classes 53
 * and 08, and a standby where a primary is needed are retried; 28P01 and 28000 (after auth_grace),
 * 3D000, 42501, 55000, bad parameters, a missing password, TLS refused or a bad certificate fail at
 * once.
 *
 * A failed login's message is a row of attempts, one for each address, and two for one address
 * where sslmode is prefer or allow:
 *
 *     connection to server at "db" (10.0.0.2), port 5432 failed: FATAL:  57P03: the database …
 *     LOCATION:  ProcessStartupPacket, postmaster.c:2415
 *     connection to server at "db" (10.0.0.3), port 5432 failed: Connection refused
 *             Is the server running on that host and accepting TCP/IP connections?
 *
 * The last attempt decides, since libpq goes on to the next address only after what may go away by
 * itself. One exception: under sslmode=prefer a login that was refused with TLS is tried again
 * without it, and where pg_hba.conf asks for TLS, "no pg_hba.conf entry … no encryption" (28000)
 * comes second and says nothing: then the first decides.
 */
#ifndef EMBARK_CORE_POSTGRES_SQLSTATE_H
#define EMBARK_CORE_POSTGRES_SQLSTATE_H

#include "embark/core/base/str.h"

enum em_db_class {
    EM_DB_RETRY, /* may go away by itself: try again until the deadline */
    EM_DB_AUTH, /* 28P01, 28000: fails, after auth_grace (the role may be created a moment later) */
    EM_DB_FATAL, /* will not go away by waiting */
};

/* Finds "FATAL:  28P01: ", "ERROR:  …" in a message printed with PQERRORS_VERBOSE, in any language
 * (lc_messages of the server translates the severity, not the form), and copies the five characters
 * to sqlstate;
 * "" if the deciding attempt has none. True if found. `message` may be NULL. */
bool em_sqlstate_find(const char *message, char sqlstate[6]);

/* Classifies by SQLSTATE or, where there is none ("" or NULL), by libpq's own English message
 * (embark sets no locale, so libpq isn't translated). What isn't known is retried. PgBouncer says
 * 08P01 for everything, a wrong password and an unknown database too: in that class the text
 * decides. */
enum em_db_class em_sqlstate_class(const char *sqlstate, const char *message);

/* Adds a libpq or server message to `out` as one line: the SQLSTATE, "FATAL:", LOCATION, CONTEXT
 * and LINE, libpq's "connection to server at … failed:" prefix, its advice and newlines taken out,
 * DETAIL and HINT put in parentheses; password authentication failed for user "app" stays. Of
 * several addresses that failed in the same way there is one text, of others each with its address
 * in front. Server messages are untrusted bytes. */
void em_sqlstate_brief(const char *message, struct em_str *out);

#endif
