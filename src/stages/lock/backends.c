#include "embark/stages/lock/backends.h"

#include <string.h>

#include "embark/core/sql/variables.h"

const char *em_backends_bytes(const struct em_db *db)
{
    const char *encoding = em_db_parameter(db, "server_encoding");
    /* Every byte of LATIN1 is a character of Unicode. */
    if (encoding && strcmp(encoding, "LATIN1") == 0)
        return "";
    return "SET LOCAL client_encoding = 'SQL_ASCII'; ";
}

/* Of "embark:run KEY RUN ". */
static size_t length_of_run(const char *application)
{
    const char *end = application;
    for (int words = 0; words < 3; words++) {
        const char *space = strchr(end, ' ');
        if (!space)
            return strlen(application);
        end = space + 1;
    }
    return (size_t)(end - application);
}

void em_backends_sql(const char *application, const struct em_db *db, struct em_str *sql)
{
    EM_STR_AUTO name = EM_STR_INIT;
    if (em_db_server_version(db) < 120000) {
        em_str_puts(sql, "SELECT 1");
        return;
    }
    em_str_puts(sql, em_backends_bytes(db));
    em_str_puts(
        sql,
        "SELECT a.pid, a.wait_event_type OPERATOR(pg_catalog.||) '/'"
        " OPERATOR(pg_catalog.||) a.wait_event, " EM_STATEMENT_SQL ","
        " (SELECT CASE WHEN b.application_name OPERATOR(pg_catalog.<>) ''"
        " THEN b.application_name ELSE 'an unnamed client' END"
        " OPERATOR(pg_catalog.||) ' (pid ' OPERATOR(pg_catalog.||) b.pid::pg_catalog.text"
        " OPERATOR(pg_catalog.||) ')' OPERATOR(pg_catalog.||) COALESCE(', role '"
        " OPERATOR(pg_catalog.||) b.usename::pg_catalog.text, '')"
        " OPERATOR(pg_catalog.||) COALESCE(', ' OPERATOR(pg_catalog.||) b.state"
        " OPERATOR(pg_catalog.||) ' for ' OPERATOR(pg_catalog.||) pg_catalog.date_part('epoch',"
        " pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) b.state_change)::bigint"
        "::pg_catalog.text OPERATOR(pg_catalog.||) ' s', '')"
        " OPERATOR(pg_catalog.||) COALESCE((SELECT ', holds ' OPERATOR(pg_catalog.||) h.mode"
        " OPERATOR(pg_catalog.||) COALESCE(' on ' OPERATOR(pg_catalog.||)"
        " h.relation::pg_catalog.regclass::pg_catalog.text, '')"
        " FROM pg_catalog.pg_lock_status() w, pg_catalog.pg_lock_status() h"
        " WHERE w.pid OPERATOR(pg_catalog.=) a.pid AND NOT w.granted"
        " AND h.pid OPERATOR(pg_catalog.=) b.pid AND h.granted"
        " AND h.relation OPERATOR(pg_catalog.=) w.relation LIMIT 1), '')"
        " FROM pg_catalog.pg_stat_activity b WHERE b.pid OPERATOR(pg_catalog.=) ANY"
        " (pg_catalog.pg_blocking_pids(a.pid)) LIMIT 1),"
        " (SELECT p.phase OPERATOR(pg_catalog.||) CASE"
        " WHEN p.blocks_total OPERATOR(pg_catalog.>) 0 THEN ' ' OPERATOR(pg_catalog.||)"
        " ((p.blocks_done OPERATOR(pg_catalog.*) 100)"
        " OPERATOR(pg_catalog./) p.blocks_total)::pg_catalog.text OPERATOR(pg_catalog.||) ' %'"
        " ELSE '' END FROM pg_catalog.pg_stat_progress_create_index p"
        " WHERE p.pid OPERATOR(pg_catalog.=) a.pid LIMIT 1)"
        " FROM pg_catalog.pg_stat_activity a"
        " WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
        " AND pg_catalog.starts_with(a.application_name, ");
    /* Without the host's name, of which the server keeps what is ASCII. */
    em_str_puts(&name, application);
    em_str_cut(&name, length_of_run(application));
    em_sql_quote_literal(sql, em_str_c(&name));
    em_str_puts(sql, ") AND " EM_AT_WORK_SQL " ORDER BY a.query_start LIMIT 1");
}

void em_backends_describe(const struct em_db *db, struct em_str *line)
{
    const char *pid = em_db_value(db, 0, 0);
    const char *waits = em_db_value(db, 0, 1);
    const char *query = em_db_value(db, 0, 2);
    const char *blocker = em_db_value(db, 0, 3);
    const char *index = em_db_value(db, 0, 4);
    if (!pid || !query)
        return;
    em_str_printf(line, "; its backend (pid %s) ", pid);
    if (waits && strcmp(waits, "Client/ClientRead") == 0)
        em_str_printf(line, "has done: %s, and the server waits for the migration's program",
                      query);
    else if (waits)
        em_str_printf(line, "waits for %s in: %s", waits, query);
    else
        em_str_printf(line, "works on: %s", query);
    if (index)
        em_str_printf(line, "; %s", index);
    if (blocker)
        em_str_printf(line, "; blocked by %s", blocker);
}
