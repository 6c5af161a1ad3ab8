#include "embark/stages/activity.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/backoff.h"
#include "embark/core/sql_vars.h"
#include "embark/os/clock.h"
#include "embark/os/log.h"

#define QUERY_LIMIT EM_SEC(10)

void em_activity_sql(const char *application, int server_version, struct em_str *sql)
{
    if (server_version < 120000) {
        em_str_puts(sql, "SELECT 1");
        return;
    }
    em_str_puts(
        sql,
        "SELECT a.pid, a.wait_event_type OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) "
        "a.wait_event,"
        " " EM_STATEMENT_SQL ","
        " (SELECT COALESCE(CASE WHEN b.application_name OPERATOR(pg_catalog.<>) '' THEN "
        "b.application_name END, 'an unnamed client') OPERATOR(pg_catalog.||) ' (pid ' "
        "OPERATOR(pg_catalog.||) "
        "b.pid OPERATOR(pg_catalog.||) ')'"
        " FROM pg_catalog.pg_stat_activity b WHERE b.pid OPERATOR(pg_catalog.=) ANY "
        "(pg_catalog.pg_blocking_pids(a.pid)) LIMIT 1),"
        " (SELECT p.phase OPERATOR(pg_catalog.||) CASE WHEN p.blocks_total OPERATOR(pg_catalog.>) "
        "0 THEN ' ' OPERATOR(pg_catalog.||) (p.blocks_done OPERATOR(pg_catalog.*) 100 "
        "OPERATOR(pg_catalog./) p.blocks_total) OPERATOR(pg_catalog.||) ' %'"
        " ELSE '' END FROM pg_catalog.pg_stat_progress_create_index p WHERE p.pid "
        "OPERATOR(pg_catalog.=) a.pid LIMIT 1)"
        " FROM pg_catalog.pg_stat_activity a WHERE a.state OPERATOR(pg_catalog.<>) 'idle' AND "
        "a.application_name OPERATOR(pg_catalog.=) ");
    em_sql_quote_literal(sql, application);
    em_str_puts(sql, " ORDER BY a.query_start LIMIT 1");
}

void em_activity_say(const struct em_db *db, struct em_str *line)
{
    const char *pid = em_db_value(db, 0, 0);
    const char *waits = em_db_value(db, 0, 1);
    const char *query = em_db_value(db, 0, 2);
    const char *blocker = em_db_value(db, 0, 3);
    const char *index = em_db_value(db, 0, 4);
    if (!pid || !query)
        return;
    em_str_printf(line, "; its backend (pid %s) ", pid);
    if (waits)
        em_str_printf(line, "waits for %s in: %s", waits, query);
    else
        em_str_printf(line, "works on: %s", query);
    if (index)
        em_str_printf(line, "; %s", index);
    if (blocker)
        em_str_printf(line, "; blocked by %s", blocker);
}

/* An idle backend is not in the middle of anything: a pooler keeps its server connections, with the
 * last client's name. */
static int find_left(struct em_db *db, const char *prefix, bool end, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_str_printf(&sql,
                  "SELECT a.pid, " EM_STATEMENT_SQL "%s FROM "
                  "pg_catalog.pg_stat_activity a"
                  " WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND "
                  "a.state OPERATOR(pg_catalog.<>) 'idle' AND a.pid OPERATOR(pg_catalog.<>) "
                  "pg_catalog.pg_backend_pid()"
                  " AND pg_catalog.starts_with(a.application_name, ",
                  end ? ", pg_catalog.pg_terminate_backend(a.pid)" : "");
    em_sql_quote_literal(&sql, prefix);
    em_str_puts(&sql, ")");
    return em_db_query(db, em_in(QUERY_LIMIT), NULL, err, em_str_c(&sql), 0, NULL);
}

/* 1: none left; 0: still some at `until`; -1: error in err. */
static int wait_for_none(struct em_db *db, const char *prefix, em_time until, struct em_err *err)
{
    struct em_backoff backoff;
    em_backoff_start(&backoff, EM_MS(20), EM_MS(500), em_random_seed());
    for (;;) {
        if (find_left(db, prefix, false, err) != 0)
            return -1;
        if (em_db_rows(db) == 0)
            return 1;
        if (em_now() >= until)
            return 0;
        if (em_wait_fd(-1, 0, em_time_min(until, em_in(em_backoff_next(&backoff)))) ==
            EM_WAKE_SIGNAL) {
            em_fail_stopped(err);
            return -1;
        }
    }
}

/* Ends the idle backends of a run that was not ended. A pooler opens another connection for what
 * was only in its pool. */
static int end_idle(struct em_db *db, const char *step, const char *unfinished, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    if (!*unfinished)
        return 0;
    em_str_puts(
        &sql,
        "SELECT a.pid, pg_catalog.pg_terminate_backend(a.pid) FROM "
        "pg_catalog.pg_stat_activity a WHERE a.datname OPERATOR(pg_catalog.=) "
        "pg_catalog.current_database() AND "
        "a.state OPERATOR(pg_catalog.=) 'idle' AND pg_catalog.starts_with(a.application_name, ");
    em_sql_quote_literal(&sql, unfinished);
    em_str_puts(&sql, ")");
    int code = em_db_query(db, em_in(QUERY_LIMIT), NULL, err, em_str_c(&sql), 0, NULL);
    if (code == 0 && em_db_rows(db) > 0)
        em_log(EM_LOG_WARN, step,
               "an earlier run was not ended, and its client may still be alive: its idle backend "
               "(pid %s) is ended",
               em_db_value(db, 0, 0));
    return code;
}

int em_activity_outlive(struct em_db *db, const char *step, const char *prefix,
                        const char *unfinished, em_time grace, struct em_err *err)
{
    if (end_idle(db, step, unfinished, err) != 0)
        return err->code;
    if (find_left(db, prefix, false, err) != 0)
        return err->code;
    if (em_db_rows(db) == 0)
        return 0;
    EM_STR_AUTO limit = EM_STR_INIT;
    em_time_print(&limit, grace);
    em_log(EM_LOG_WARN, step,
           "an earlier run was killed, but its backend (pid %s) still works on: %s; it is given %s "
           "to end",
           em_db_value(db, 0, 0), em_db_value(db, 0, 1), em_str_c(&limit));
    int gone = wait_for_none(db, prefix, em_in(grace), err);
    if (gone == 0) {
        em_log(EM_LOG_WARN, step, "the earlier run's backend did not end: pg_terminate_backend");
        if (find_left(db, prefix, true, err) != 0)
            return err->code;
        gone = wait_for_none(db, prefix, em_in(grace), err);
    }
    if (gone < 0)
        return err->code;
    if (gone == 1)
        return 0;
    em_fail(err, EM_EXIT_LOCK, "a backend of an earlier run can't be ended");
    em_hint(err,
            "end it as a superuser: SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "application_name LIKE '%s%%'",
            prefix);
    return EM_EXIT_LOCK;
}
