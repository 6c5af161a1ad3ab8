/* Who migrates now, and what killed runs have left. */
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/variables.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/lock/backends.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/run_command.h"
#include "session.h"

static void add_age(struct em_str *out, const char *seconds)
{
    if (*seconds)
        em_time_print(out, EM_SEC(strtoll(seconds, NULL, 10)));
    else
        em_str_puts(out, "?");
}

/* True: somebody has it. */
static bool say_holder(struct em_doctor_session *at)
{
    const char *lock = at->config->migrate_lock;
    EM_STR_AUTO age = EM_STR_INIT;
    EM_STR_AUTO limit = EM_STR_INIT;
    if (em_db_rows(at->db) < 1) {
        em_doctor_add(at, "lock", EM_MARK_OK, 0, "\"%s\" is free", lock);
        return false;
    }
    const char *address = em_doctor_value_of(at, 0, 2), *pid = em_doctor_value_of(at, 0, 0);
    add_age(&age, em_doctor_value_of(at, 0, 3));
    em_time_print(&limit, at->config->migrate_lock_timeout);
    em_doctor_add(at, "lock", EM_MARK_WARN, 0, "\"%s\" is held by %s (pid %s%s%s) for %s", lock,
                  em_doctor_value_of(at, 0, 1), pid, *address ? ", " : "", address, em_str_c(&age));
    em_doctor_row_hint(
        at->looks,
        "a start that has to migrate waits for it: %s, as [migrate] lock_timeout says; if "
        "that migration is stuck, end its backend: SELECT pg_terminate_backend(%s)",
        em_str_c(&limit), pid);
    return true;
}

/* Backends with the name of a run of this lock. An idle one is not in the middle of anything. */
static void runs_sql(const struct em_db *db, int64_t key, struct em_str *sql)
{
    EM_STR_AUTO prefix = EM_STR_INIT;
    em_run_prefix(key, &prefix);
    em_str_puts(sql, em_backends_bytes(db));
    em_str_puts(
        sql,
        "SELECT a.pid, " EM_STATEMENT_SQL ","
        /* a clock that was set back shows no age below 0 */
        " CASE WHEN a.query_start IS NOT NULL THEN GREATEST(0, EXTRACT(epoch FROM"
        " pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) "
        "a.query_start)::bigint) END,"
        " COALESCE(a.state, 'at work'), a.wait_event_type OPERATOR(pg_catalog.||) '/' "
        "OPERATOR(pg_catalog.||) a.wait_event"
        " FROM pg_catalog.pg_stat_activity a"
        " WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND " EM_AT_WORK_SQL
        " AND "
        "pg_catalog.starts_with(a.application_name, ");
    em_sql_quote_literal(sql, em_str_c(&prefix));
    em_str_puts(sql, ") ORDER BY a.query_start LIMIT 3");
}

static void say_runs(struct em_doctor_session *at, bool held)
{
    for (int row = 0; row < em_db_rows(at->db); row++) {
        const char *pid = em_doctor_value_of(at, row, 0), *waits = em_doctor_value_of(at, row, 4);
        EM_STR_AUTO age = EM_STR_INIT;
        bool client = strcmp(waits, "Client/ClientRead") == 0;
        add_age(&age, em_doctor_value_of(at, row, 2));
        em_doctor_add(at, held ? "migration" : "leftover", held ? EM_MARK_NONE : EM_MARK_WARN, 0,
                      "%s (pid %s) is %s for %s%s%s: %s",
                      held ? "its backend" : "the backend of a run that was killed", pid,
                      em_doctor_value_of(at, row, 3), em_str_c(&age),
                      client   ? ", and the server waits for the migration's program"
                      : *waits ? ", waits for "
                               : "",
                      client ? "" : waits, em_doctor_value_of(at, row, 1));
        if (!held)
            em_doctor_row_hint(
                at->looks,
                "a start that has to migrate waits for it, and ends it after [service] "
                "grace; by hand: SELECT pg_terminate_backend(%s)",
                pid);
    }
}

/* CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY leave one when they fail, or are killed; while
 * they run it is invalid as well, and they hold this lock on the table, which pg_locks shows
 * everybody. So does a VACUUM, whose pid is then looked at for nothing. */
static const char indexes_sql[] =
    "SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) "
    "pg_catalog.quote_ident(i.relname),"
    " pg_catalog.quote_ident(tn.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) "
    "pg_catalog.quote_ident(t.relname), i.relkind,"
    " (SELECT l.pid FROM pg_catalog.pg_locks l WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' "
    "AND l.granted"
    " AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock' AND l.relation "
    "OPERATOR(pg_catalog.=) x.indrelid AND l.database OPERATOR(pg_catalog.=)"
    " (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) "
    "pg_catalog.current_database())"
    " LIMIT 1), i.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$', pg_catalog.count(*) OVER ()"
    " FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid OPERATOR(pg_catalog.=) "
    "x.indexrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) i.relnamespace"
    " JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) x.indrelid"
    " JOIN pg_catalog.pg_namespace tn ON tn.oid OPERATOR(pg_catalog.=) t.relnamespace"
    " WHERE NOT x.indisvalid AND i.relpersistence OPERATOR(pg_catalog.<>) 't' ORDER BY 1 LIMIT 5";

static void say_index(struct em_doctor_session *at, int row)
{
    const char *index = em_doctor_value_of(at, row, 0), *table = em_doctor_value_of(at, row, 1);
    const char *builder = em_doctor_value_of(at, row, 3);
    bool partitioned = strcmp(em_doctor_value_of(at, row, 2), "I") == 0;
    bool left = strcmp(em_doctor_value_of(at, row, 4), "t") == 0;
    if (*builder) {
        em_doctor_add(at, "index", EM_MARK_NONE, 0,
                      "%s on %s is not valid; pid %s works on the table, and may be building it",
                      index, table, builder);
        return;
    }
    em_doctor_add(at, "index", EM_MARK_WARN, 0, "%s on %s is not valid: %s", index, table,
                  partitioned ? "not every partition has its part of it"
                              : "what was building it failed, or was killed; it is kept up to "
                                "date, and no query uses it");
    if (partitioned)
        em_doctor_row_hint(at->looks,
                           "ALTER INDEX %s ATTACH PARTITION … for those that are missing", index);
    else if (left)
        em_doctor_row_hint(at->looks, "DROP INDEX CONCURRENTLY %s: a REINDEX CONCURRENTLY left it",
                           index);
    else
        em_doctor_row_hint(
            at->looks,
            "DROP INDEX CONCURRENTLY %s and create it again, or REINDEX INDEX CONCURRENTLY "
            "%s: CREATE INDEX … IF NOT EXISTS takes it for a good one",
            index, index);
}

static void look_at_indexes(struct em_doctor_session *at)
{
    if (!em_doctor_query(at, "index", indexes_sql))
        return;
    int rows = em_db_rows(at->db);
    for (int row = 0; row < rows; row++)
        say_index(at, row);
    int all = rows ? atoi(em_doctor_value_of(at, 0, 5)) : 0;
    if (all > rows)
        em_doctor_add(at, "index", EM_MARK_WARN, 0, "… and %d more that are not valid", all - rows);
}

void em_doctor_leftovers(struct em_doctor_session *at)
{
    EM_STR_AUTO holder = EM_STR_INIT;
    EM_STR_AUTO runs = EM_STR_INIT;
    int64_t key = em_lock_key(at->config->migrate_lock);
    em_lock_holder_sql(key, &holder);
    runs_sql(at->db, key, &runs);
    if (at->migrates && !at->standby && at->pooling != EM_POOL_STATEMENT &&
        em_doctor_query(at, "lock", em_str_c(&holder))) {
        bool held = say_holder(at);
        if (em_doctor_query(at, "leftover", em_str_c(&runs)))
            say_runs(at, held);
    }
    look_at_indexes(at);
}
