/* What killed runs have left at work on the server (stages/lock/backends.h). */
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/backoff.h"
#include "embark/core/sql/variables.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/lock/backends.h"
#include "embark/stages/lock/lock.h"

#define QUERY_LIMIT EM_SEC(10)
/* A backend that ends by itself within this time is not logged. */
#define SETTLE EM_MS(250)
/* One that was told to end rolls back first. */
#define ENDING EM_SEC(5)

enum { COL_PID, COL_STATEMENT, COL_WORKS, COL_ROLE, COL_UNFINISHED };

/* A backend that is over its time. */
struct late {
    char pid[16];
    bool works;
    struct em_str role;
};

/* One look after another until nobody is left. */
struct leftovers {
    struct em_db *db;
    const char *step, *prefix, *unfinished;
    em_time grace, began;
    em_time works_until, idle_until; /* so long they have to end by themselves */
    em_time gone_by;                 /* EM_NEVER: none was told to end */
    em_time alone_at; /* when the processes of a run that was not ended are gone, too */
    bool said_works, said_idle, denied;
};

/* Those at work, and all of a run that was not ended. An idle one of another run is not in the
 * middle of anything: a pooler keeps its server connections, with the last client's name. */
static int find(const struct leftovers *l, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO unfinished = EM_STR_INIT;
    em_str_puts(&unfinished, "pg_catalog.starts_with(a.application_name, ");
    em_sql_quote_literal(&unfinished, l->unfinished);
    em_str_puts(&unfinished, ")");
    if (!*l->unfinished) {
        em_str_cut(&unfinished, 0);
        em_str_puts(&unfinished, "false");
    }
    em_str_puts(&sql, em_backends_bytes(l->db));
    em_str_printf(&sql,
                  "SELECT a.pid, " EM_STATEMENT_SQL ", " EM_AT_WORK_SQL ","
                  " pg_catalog.pg_get_userbyid(a.usesysid), %s"
                  " FROM pg_catalog.pg_stat_activity a"
                  " WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
                  " AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"
                  " AND (%s OR " EM_AT_WORK_SQL ") AND pg_catalog.starts_with(a.application_name, ",
                  em_str_c(&unfinished), em_str_c(&unfinished));
    em_sql_quote_literal(&sql, l->prefix);
    em_str_puts(&sql, ") ORDER BY a.pid");
    return em_db_query(l->db, em_in(QUERY_LIMIT), NULL, err, em_str_c(&sql), 0, NULL);
}

static bool is(const struct leftovers *l, int row, int column)
{
    const char *value = em_db_value(l->db, row, column);
    return value && strcmp(value, "t") == 0;
}

static const char *text(const struct leftovers *l, int row, int column)
{
    const char *value = em_db_value(l->db, row, column);
    return value ? value : "?";
}

/* Says what is waited for, and how long: once of each kind. */
static void say(struct leftovers *l)
{
    for (int row = 0; row < em_db_rows(l->db); row++) {
        EM_STR_AUTO limit = EM_STR_INIT;
        bool works = is(l, row, COL_WORKS);
        if (is(l, row, COL_UNFINISHED) && (works || !l->denied))
            l->alone_at = em_in(EM_LOCK_LOST_GRACE);
        em_time_print(&limit, works ? l->grace : EM_LOCK_LOSS);
        if (works && !l->said_works)
            em_log(EM_LOG_WARN, l->step,
                   "an earlier run was killed, but its backend (pid %s) still works on: %s; it is "
                   "given %s to end",
                   text(l, row, COL_PID), text(l, row, COL_STATEMENT), em_str_c(&limit));
        if (!works && !l->said_idle)
            em_log(EM_LOG_WARN, l->step,
                   "an earlier run was not ended, and its client may still be alive: its idle "
                   "backend (pid %s) is given %s to go",
                   text(l, row, COL_PID), em_str_c(&limit));
        l->said_works |= works;
        l->said_idle |= !works;
    }
}

/* The backends that are over their time; freed by the caller. */
static size_t find_late(const struct leftovers *l, struct late **late)
{
    size_t n = 0;
    int rows = em_db_rows(l->db);
    em_time now = em_now();
    *late = em_alloc((size_t)(rows + 1) * sizeof **late);
    for (int row = 0; row < rows; row++) {
        struct late *one = &(*late)[n];
        one->works = is(l, row, COL_WORKS);
        if (now < (one->works ? l->works_until : l->idle_until))
            continue;
        em_str_cut(&one->role, 0);
        em_str_puts(&one->role, text(l, row, COL_ROLE));
        strncpy(one->pid, text(l, row, COL_PID), sizeof one->pid - 1);
        n++;
    }
    return n;
}

static void free_late(struct late *late, size_t n)
{
    for (size_t i = 0; i < n; i++)
        em_str_free(&late[i].role);
    free(late);
}

/* Told to end; *denied: ours is not a role that may do that. */
static int end_one(struct leftovers *l, const struct late *late, bool *denied, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    struct em_db_failure failure;
    em_str_printf(&sql,
                  "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a"
                  " WHERE a.pid OPERATOR(pg_catalog.=) %s"
                  " AND pg_catalog.starts_with(a.application_name, ",
                  late->pid);
    em_sql_quote_literal(&sql, l->prefix);
    em_str_puts(&sql, ")");
    int code = em_db_query(l->db, em_in(QUERY_LIMIT), &failure, err, em_str_c(&sql), 0, NULL);
    *denied = code && strcmp(failure.sqlstate, "42501") == 0;
    if (*denied)
        em_err_free(err);
    return *denied ? 0 : code;
}

static int cannot(const struct late *late, const char *why, struct em_err *err)
{
    em_fail(err, EM_EXIT_LOCK, "a backend of an earlier run (pid %s, of the role %s) %s", late->pid,
            em_str_c(&late->role), why);
    em_hint(err,
            "a second migration doesn't begin beside it; end it as a superuser or as that role: "
            "SELECT pg_terminate_backend(%s)",
            late->pid);
    return EM_EXIT_LOCK;
}

/* An idle one that may not be ended is left: its processes had their time. */
static int end_late(struct leftovers *l, const struct late *late, size_t n, struct em_err *err)
{
    for (size_t i = 0; i < n; i++) {
        bool denied = false;
        if (l->gone_by == EM_NEVER)
            em_log(EM_LOG_WARN, l->step,
                   "the earlier run's backend did not end: pg_terminate_backend");
        else if (late[i].works && em_now() >= l->gone_by)
            return cannot(&late[i], "does not end, though it was told to", err);
        if (l->gone_by == EM_NEVER)
            l->gone_by = em_in(l->grace > ENDING ? l->grace : ENDING);
        int code = end_one(l, &late[i], &denied, err);
        if (code)
            return code;
        if (denied && late[i].works)
            return cannot(&late[i], "is at work, and can't be ended by ours", err);
        if (denied && !l->denied)
            em_log_hint(EM_LOG_WARN, l->step, "SELECT pg_terminate_backend(PID), as that role",
                        "an earlier run's idle backend (pid %s, of the role %s) can't be ended by "
                        "ours, and is left",
                        late[i].pid, em_str_c(&late[i].role));
        l->denied |= denied;
    }
    return 0;
}

/* A look. *left: how many still have to go. */
static int look(struct leftovers *l, size_t *left, struct em_err *err)
{
    struct late *late;
    size_t idle = 0;
    int code = find(l, err);
    if (code)
        return code;
    *left = (size_t)em_db_rows(l->db);
    if (*left == 0 || em_now() - l->began < SETTLE)
        return 0;
    say(l);
    size_t n = find_late(l, &late);
    code = end_late(l, late, n, err);
    for (size_t i = 0; i < n; i++)
        idle += !late[i].works;
    if (l->denied || em_now() >= l->gone_by)
        *left -= idle;
    free_late(late, n);
    return code;
}

int em_backends_wait_gone(struct em_db *db, const char *step, const char *prefix,
                          const char *unfinished, em_time grace, struct em_err *err)
{
    struct em_backoff backoff;
    struct leftovers l = {.db = db, .step = step, .prefix = prefix, .unfinished = unfinished};
    l.grace = grace;
    l.began = em_now();
    l.works_until = em_in(grace);
    l.idle_until = em_in(EM_LOCK_LOSS);
    l.gone_by = EM_NEVER;
    em_backoff_start(&backoff, EM_MS(20), EM_MS(500), em_random_seed());
    for (;;) {
        size_t left = 0;
        int code = look(&l, &left, err);
        if (code)
            return code;
        if (left == 0 && em_now() >= l.alone_at)
            return 0;
        em_time again = em_in(em_backoff_next(&backoff));
        if (left == 0)
            again = l.alone_at;
        if (em_wait_fd(-1, 0, again) == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
    }
}
