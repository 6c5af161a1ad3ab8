/* Runs SQL files over a connection as psql would (core/sql/splitter.h, core/sql/meta.h;
 * doc/embark-sql.1).
 *
 *     struct em_sql_run run;
 *     int code = em_sql_run_start(&run, db, &options, err);
 *
 *     if (code == 0)
 *         code = em_sql_run_text(&run, "setup.sql", bytes, length, err);
 *     if (code == 0)
 *         code = em_sql_run_end(&run, err);
 *     em_sql_run_free(&run);
 *
 * Statements are sent one by one by the simple query protocol, so that each is a transaction of its
 * own unless the file, the options or the caller says otherwise. What the server says goes to the
 * log with its place in the file:
 *
 *     embark: sql: setup.sql:7:12: ERROR 42703: column "nme" does not exist
 *       hint: Perhaps you meant to reference the column "t.name".
 *     embark: sql: LINE 7: SELECT id, nme FROM t
 *     embark: sql:                    ^
 *     embark: sql: setup.sql:9: NOTICE: table "old" does not exist, skipping
 *
 * Results go to standard output, as psql -At prints them: fields separated by |, NULL empty, no
 * names; \g FILE and \o FILE write them there. A known secret in them is shown as ****.
 *
 * Each variable can be read on the server as current_setting('embark.NAME'): set by set_config()
 * before the first statement, and again before the next one when a file has changed it or a
 * ROLLBACK has undone it (within a transaction only before a statement that mentions embark., as
 * some statements must be the first in theirs).
 */
#ifndef EMBARK_STAGES_SQL_RUN_H
#define EMBARK_STAGES_SQL_RUN_H

#include "embark/core/base/err.h"
#include "embark/core/base/time.h"
#include "embark/core/sql/variables.h"
#include "embark/db/statement.h"

struct em_sql_options {
    const char *step; /* of the log's lines: "sql", "bootstrap" */
    bool go_on;       /* after an error, with the next statement (\set ON_ERROR_STOP changes it) */
    bool one_transaction;
    bool callers; /* the same, but to be ended by the caller, and READ WRITE whatever the role's
                      default is; a statement that ends it is an error, and isn't sent */
    const char *alone;        /* then: how a file is marked that is not to run in one, an advice */
    em_time until;            /* of every statement; EM_NEVER */
    struct em_sql_vars *vars; /* given ones; files add to them. Not NULL. */
    bool to_log;              /* results go there: at a start, standard output is the service's */
    /* How often a statement may yet be tried again that didn't get a lock; NULL: never. In a
     * caller's transaction em_sql_run_text() ends with EM_EXIT_SQL, `blocked` and nothing logged.
     * Else, and only where the statement is one transaction of the server's own, it is sent again
     * once `pause` has returned 0. */
    unsigned *retries;
    int (*pause)(void *ctx, struct em_err *err); /* err: what was refused, with its place */
    void *ctx;
};

/* One session. */
struct em_sql_run {
    struct em_db *db;
    struct em_sql_options options;
    size_t statements; /* that were sent, … */
    size_t done;       /* … and did what they should */
    size_t failures;   /* of statements and of meta-commands */
    bool blocked;      /* the last statement didn't get a lock, and may be tried again */
    /* Internal. */
    struct em_str previous;   /* the last statement, for \g alone */
    struct em_str restricted; /* the key of \restrict */
    size_t depth;             /* of \i */
    bool began;               /* there is one_transaction, or a caller's; … */
    bool ended, warned;       /* … a statement has ended it, and a warning says so */
    bool doubted, reset;      /* a statement may have; its mark is gone */
    struct em_str ended_by;   /* "COMMIT" */
    int output;               /* of \o, or of the \g that is run: results go there; -1: none */
};

/* Sets psql's own variables (DBNAME, USER, HOST, PORT, SERVER_VERSION_NUM…), the embark. ones, and
 * begins the transaction. */
int em_sql_run_start(struct em_sql_run *run, struct em_db *db, const struct em_sql_options *options,
                     struct em_err *err);

/* EM_EXIT_SQL: a statement or meta-command failed, or, with go_on, the file could not be read. All
 * was logged already, err holds the first line of it for whoever wants to keep it. Any other code
 * is that of em_db_run(), err is the caller's to log, and the connection is unusable. With go_on
 * failures are only counted. `name` is how messages call the bytes, and where \ir starts from. */
int em_sql_run_text(struct em_sql_run *run, const char *name, const char *bytes, size_t length,
                    struct em_err *err);
/* The same for a file's contents; EM_EXIT_SQL when it can't be read. */
int em_sql_run_file(struct em_sql_run *run, const char *path, struct em_err *err);

/* Commits what one_transaction began. EM_EXIT_SQL (logged): COMMIT failed, or a transaction that a
 * file began is still open. After a failure it needn't be called: closing the connection rolls
 * back. */
int em_sql_run_end(struct em_sql_run *run, struct em_err *err);
void em_sql_run_free(struct em_sql_run *run);

#endif
