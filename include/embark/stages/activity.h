/* What a run's backends do, as pg_stat_activity shows them (manual, 28.2.3). */
#ifndef EMBARK_STAGES_ACTIVITY_H
#define EMBARK_STAGES_ACTIVITY_H

#include "embark/core/config.h"
#include "embark/db/db.h"

/* The beginning of what a backend (`a`, of pg_stat_activity) works on, on one line; what follows
 * the word PASSWORD is left out, since a secret that is cut off isn't known for one any more. The
 * dots tell em_redact() that it was cut. */
#define EM_STATEMENT_SQL                                                                      \
    "pg_catalog.regexp_replace(pg_catalog.btrim(pg_catalog.regexp_replace(pg_catalog.regexp_" \
    "replace(a.query, '\\mpassword\\M.*', 'PASSWORD "                                         \
    "...', 'i'), "                                                                            \
    "'\\s+', ' ', 'g')), '^(.{60}).+$', '\\1...')"

/* A query for what the backends with this application_name do: never fails, whatever the role may
 * see. "SELECT 1" for servers before 12. */
void em_activity_sql(const char *application, int server_version, struct em_str *sql);
/* Adds what its answer (in db) says: ", its backend (pid 7) waits for Lock/relation in: ALTER
 * TABLE… ; blocked by psql (pid 9)". Nothing when there is none. */
void em_activity_say(const struct em_db *db, struct em_str *line);

/* With the lock in hand (`step`, "migrate" or "bootstrap", is for the log): backends that an
 * earlier run of the same lock left in the middle of a statement are waited for, ended after
 * `grace`, and waited for again. 0: none is left. EM_EXIT_LOCK: one doesn't go. `prefix`:
 * em_run_prefix. `unfinished` is the application_name's beginning of a run whose end was not noted,
 * or "": its idle backends, which a surviving client may go on to use, are ended at once. */
int em_activity_outlive(struct em_db *db, const char *step, const char *prefix,
                        const char *unfinished, em_time grace, struct em_err *err);

#endif
