/* What a run's backends do, as pg_stat_activity shows them (manual, 28.2.3).
 *
 * A role that ours may not see shows neither state nor statement there; everybody sees its name,
 * its pid, its database, application_name, backend_xid and backend_xmin, and in pg_locks what it
 * holds.
 */
#ifndef EMBARK_STAGES_LOCK_BACKENDS_H
#define EMBARK_STAGES_LOCK_BACKENDS_H

#include "embark/core/config/config.h"
#include "embark/db/connection.h"

/* The beginning of what a backend (`a`, of pg_stat_activity) works on, on one line; what follows
 * the word PASSWORD is left out, since a secret that is cut off isn't known for one any more. The
 * dots tell em_redact() that it was cut. Of a role that ours may not see: whose it is. */
#define EM_STATEMENT_SQL                                                                        \
    "CASE WHEN a.state IS NULL THEN 'a statement of the role '"                                 \
    " OPERATOR(pg_catalog.||) pg_catalog.pg_get_userbyid(a.usesysid)::pg_catalog.text"          \
    " OPERATOR(pg_catalog.||) ', which the server doesn''t show to ours'"                       \
    " ELSE pg_catalog.regexp_replace(pg_catalog.btrim(pg_catalog.regexp_replace("               \
    "pg_catalog.regexp_replace(a.query, '\\mpassword\\M.*', 'PASSWORD ...', 'i'), '\\s+', ' '," \
    " 'g')), '^(.{60}).+$', '\\1...') END"

/* Whether a backend (`a`) is in the middle of something. Where its state isn't shown: every
 * transaction holds its virtualxid's lock, and a command of several transactions (CREATE INDEX
 * CONCURRENTLY) its table's between them; an advisory lock is held by who is idle, too. */
#define EM_AT_WORK_SQL                                                                  \
    "CASE WHEN a.state OPERATOR(pg_catalog.<>) 'disabled'"                              \
    " THEN a.state OPERATOR(pg_catalog.<>) 'idle'"                                      \
    " ELSE a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL OR EXISTS (SELECT 1" \
    " FROM pg_catalog.pg_lock_status() w WHERE w.pid OPERATOR(pg_catalog.=) a.pid"      \
    " AND w.locktype OPERATOR(pg_catalog.<>) 'advisory') END"

/* To be put before a question of pg_stat_activity, in the same message: its answer comes in bytes
 * that no encoding refuses (a database in SQL_ASCII holds any, and others have characters that
 * Unicode lacks). What is shown of them is escaped by the log. */
const char *em_backends_bytes(const struct em_db *db);

/* A question, over `db`, for what the backends with this application_name do: never fails, whatever
 * the role may see. "SELECT 1" for servers before 12. */
void em_backends_sql(const char *application, const struct em_db *db, struct em_str *sql);
/* Adds what its answer (in db) says: ", its backend (pid 7) waits for Lock/relation in: ALTER
 * TABLE… ; blocked by psql (pid 9)". Nothing when there is none. */
void em_backends_describe(const struct em_db *db, struct em_str *line);

/* With the lock in hand (`step`, "migrate" or "bootstrap", is for the log): backends that an
 * earlier run of the same lock left in the middle of a statement are waited for, ended after
 * `grace`, and waited for again. `prefix`: em_run_prefix. `unfinished` is the application_name's
 * beginning of a run whose end was not noted, or "": its holder may be alive and not know yet that
 * the lock is lost, so that also its idle backends are waited for, for as long as that may take
 * (EM_LOCK_LOSS), and then ended; and once they are gone, its processes get the second that they
 * are given to end. 0: none is left but an idle one of a role that ours may not end, which was
 * said. EM_EXIT_LOCK: one that is at work doesn't go. */
int em_backends_wait_gone(struct em_db *db, const char *step, const char *prefix,
                          const char *unfinished, em_time grace, struct em_err *err);

#endif
