/* The lock while we hold it: whether the server has it, whether it is still ours, its release. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "embark/db/alive.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/lock/lock.h"

#define BEAT EM_SEC(5)
/* A heartbeat that is on its way is looked at so often. */
#define LOOK_AGAIN EM_SEC(1)
/* Longer than that between two looks, and embark itself didn't run (SIGSTOP, a frozen cgroup). */
#define LOOK_MOST EM_SEC(2)
#define UNHEARD   EM_SEC(15)
/* Somebody between us and the server keeps our connection, and may have lost the server's: the
 * server gives the lock to another one 40 s after it heard of us last. */
#define UNANSWERED EM_SEC(60)
#define SLOW       EM_SEC(10)
#define RELEASE    EM_SEC(60)

/* ---- Is it one? ----------------------------------------------------------------------------------- */

static void prove_sql(const struct em_lock *lock, struct em_str *sql)
{
    uint64_t bits = (uint64_t)lock->key;
    em_str_printf(sql,
                  "SELECT pg_catalog.pg_backend_pid(), COALESCE(pg_catalog.inet_client_port(), 0),"
                  " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_lock_status() l"
                  " WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
                  " AND l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
                  " AND l.objsubid OPERATOR(pg_catalog.=) 1"
                  " AND l.classid OPERATOR(pg_catalog.=) '%" PRIu64 "'::pg_catalog.oid"
                  " AND l.objid OPERATOR(pg_catalog.=) '%" PRIu64 "'::pg_catalog.oid)",
                  bits >> 32, bits & 0xFFFFFFFFu);
}

/* "PostgreSQL 15.18", "CockroachDB CCL v23.1.0": what version() begins with. */
static void add_server(struct em_lock *lock, em_time until, struct em_str *out)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    const char *version = NULL;
    if (em_db_query(lock->db, until, NULL, &ignored, "ROLLBACK; SELECT pg_catalog.version()", 0,
                    NULL) == 0)
        version = em_db_value(lock->db, 0, 0);
    if (!version)
        version = "a server that doesn't tell its version";
    const char *on = strstr(version, " on "), *more = strstr(version, " (");
    size_t length = strlen(version);
    if (on && (size_t)(on - version) < length)
        length = (size_t)(on - version);
    if (more && (size_t)(more - version) < length)
        length = (size_t)(more - version);
    em_str_printf(out, "%.*s", (int)length, version);
}

static int is_none(struct em_lock *lock, em_time until, struct em_db_failure *failure,
                   const char *found, struct em_err *err)
{
    EM_STR_AUTO server = EM_STR_INIT;
    add_server(lock, until, &server);
    em_fail(err, EM_EXIT_REFUSED,
            "%s (%s) says that the lock \"%s\" is ours, and %s: it would not keep a second "
            "migration away",
            em_db_where(lock->db), em_str_c(&server), lock->name, found);
    em_hint(err,
            "set [database] direct_url to the PostgreSQL server itself, past a pooler that gives "
            "each statement to another backend; CockroachDB and YugabyteDB are no servers whose "
            "advisory locks exclude others");
    failure->kind = EM_DB_FATAL;
    return EM_EXIT_REFUSED;
}

static void had_it(struct em_lock *lock)
{
    int pid = (int)strtol(em_db_value(lock->db, 0, 0), NULL, 10);
    int port = (int)strtol(em_db_value(lock->db, 0, 1), NULL, 10);
    lock->direct = pid == em_db_backend(lock->db) && port == em_db_local_port(lock->db);
    lock->beat_at = em_in(BEAT);
    lock->sent_at = EM_NEVER;
    lock->slow = false;
    em_db_give_up_after(lock->db, UNHEARD);
}

int em_lock_prove(struct em_lock *lock, em_time until, struct em_db_failure *failure,
                  struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    prove_sql(lock, &sql);
    int code = em_db_query(lock->db, until, failure, err, em_str_c(&sql), 0, NULL);
    if (code && failure->kind == EM_DB_RETRY)
        return code;
    if (code) {
        EM_STR_AUTO found = EM_STR_INIT;
        em_str_printf(&found, "pg_locks can't be asked for it (%s)", em_str_c(&err->text));
        return is_none(lock, until, failure, em_str_c(&found), err);
    }
    const char *port = em_db_value(lock->db, 0, 1), *held = em_db_value(lock->db, 0, 2);
    if (!port || !held || strcmp(held, "1") != 0)
        return is_none(lock, until, failure, "it does not stand in pg_locks", err);
    if (!em_db_in_transaction(lock->db))
        return is_none(lock, until, failure, "its transaction has ended already", err);
    had_it(lock);
    return 0;
}

/* ---- Is it still ours? ---------------------------------------------------------------------------- */

em_time em_lock_due(const struct em_lock *lock)
{
    if (lock->sent_at != EM_NEVER)
        return em_time_add(lock->looked_at, LOOK_AGAIN);
    return lock->beat_at;
}

static int beat(struct em_lock *lock, em_time now, struct em_err *err)
{
    lock->beat_at = EM_NEVER;
    lock->sent_at = lock->looked_at = now;
    lock->silence = 0;
    return em_db_start(lock->db, "SELECT 1", err);
}

static void say_slow(struct em_lock *lock, const char *what)
{
    EM_STR_AUTO length = EM_STR_INIT;
    em_time_print(&length, lock->silence / EM_SEC(1) * EM_SEC(1));
    em_log(EM_LOG_INFO, lock->step, "%s %s %s; the lock \"%s\" is held all the same",
           em_db_where(lock->db), what, em_str_c(&length), lock->name);
}

/* A heartbeat was answered. */
static int take_answer(struct em_lock *lock, em_time now, struct em_err *err)
{
    lock->silence += em_time_min(now - lock->looked_at, LOOK_MOST);
    if (lock->slow)
        say_slow(lock, "answers after");
    lock->slow = false;
    lock->beat_at = em_time_add(lock->sent_at, BEAT);
    lock->sent_at = EM_NEVER;
    if (em_db_in_transaction(lock->db))
        return 0;
    return em_fail(err, EM_EXIT_MIGRATION, "%s: its transaction has ended", em_db_where(lock->db));
}

/* The heartbeat is not answered yet: is anybody there? */
static int judge_silence(struct em_lock *lock, em_time now, struct em_err *err)
{
    EM_STR_AUTO limit = EM_STR_INIT;
    lock->silence += em_time_min(now - lock->looked_at, LOOK_MOST);
    lock->looked_at = now;
    if (em_time_min(lock->silence, em_db_unheard(lock->db)) >= UNHEARD) {
        em_time_print(&limit, UNHEARD);
        return em_fail(err, EM_EXIT_MIGRATION,
                       "%s: the heartbeat was not acknowledged within %s, so its network is lost",
                       em_db_where(lock->db), em_str_c(&limit));
    }
    if (!lock->direct && lock->silence >= UNANSWERED) {
        em_time_print(&limit, UNANSWERED);
        return em_fail(err, EM_EXIT_MIGRATION,
                       "%s, which is a pooler or a proxy, did not answer the heartbeat within %s",
                       em_db_where(lock->db), em_str_c(&limit));
    }
    if (lock->silence >= SLOW && !lock->slow) {
        lock->slow = true;
        say_slow(lock, "has not answered the heartbeat for");
    }
    return 0;
}

int em_lock_watch(struct em_lock *lock, struct em_err *err)
{
    /* What has arrived is read before the time is judged: embark may have been stopped. */
    int answered = em_db_finish(lock->db, err);
    em_time now = em_now();
    if (answered < 0)
        return -1;
    if (answered > 0 && take_answer(lock, now, err) != 0)
        return -1;
    if (lock->sent_at != EM_NEVER && judge_silence(lock, now, err) != 0)
        return -1;
    if (now >= lock->beat_at && beat(lock, now, err) != 0)
        return -1;
    return answered;
}

int em_lock_check(struct em_lock *lock, em_time until, struct em_err *err)
{
    /* One that is on its way may have been answered by the server before now. */
    int wanted = lock->sent_at == EM_NEVER ? 1 : 2;
    for (;;) {
        struct pollfd socket = {em_db_socket(lock->db), POLLIN, 0};
        if (lock->sent_at == EM_NEVER)
            lock->beat_at = em_now();
        int answered = em_lock_watch(lock, err);
        if (answered < 0)
            return err->code = EM_EXIT_MIGRATION;
        wanted -= answered;
        if (wanted == 0)
            return 0;
        if (em_now() >= until)
            return em_fail(err, EM_EXIT_MIGRATION, "%s does not answer whether it is still held",
                           em_db_where(lock->db));
        if (em_wait(&socket, 1, em_time_min(until, em_lock_due(lock))) == EM_WAKE_SIGNAL &&
            em_loop_stopped())
            return em_fail_stopped(err);
    }
}

/* ---- Watched by whoever waits --------------------------------------------------------------------- */

static em_time guard_due(void *ctx)
{
    const struct em_lock_guard *guard = ctx;
    return em_lock_due(guard->lock);
}

static bool guard_look(void *ctx)
{
    struct em_lock_guard *guard = ctx;
    return em_lock_watch(guard->lock, &guard->how) >= 0;
}

void em_lock_guard(struct em_lock_guard *guard, struct em_lock *lock)
{
    *guard = (struct em_lock_guard){
        .guard = {em_db_socket(lock->db), guard_due, guard_look, guard, false, NULL}, .lock = lock};
    em_loop_guard(&guard->guard);
}

bool em_lock_unguard(struct em_lock_guard *guard)
{
    em_loop_guard(NULL);
    /* Another connection may have been lost at once with the lock's, and have been seen first. */
    if (!guard->guard.failed)
        guard->guard.failed = !guard_look(guard);
    return !guard->guard.failed;
}

/* ---- Its end -------------------------------------------------------------------------------------- */

int em_lock_release(struct em_lock *lock, struct em_err *err)
{
    em_time by = em_in(RELEASE);
    int answered = 0;
    /* A heartbeat may still be on its way: its answer comes first. */
    while (lock->sent_at != EM_NEVER && answered == 0) {
        answered = em_db_finish(lock->db, err);
        struct pollfd socket = {em_db_socket(lock->db), POLLIN, 0};
        if (answered == 0 && em_wait(&socket, 1, by) == EM_WAKE_TIME) {
            em_fail(err, EM_EXIT_MIGRATION, "%s does not answer", em_db_where(lock->db));
            answered = -1;
        }
    }
    int code = answered < 0 ? EM_EXIT_MIGRATION : 0;
    /* The transaction holds the lock until its end: that it can be ended shows that the lock was
     * held all the time. */
    if (code == 0 && em_db_query(lock->db, by, NULL, err, "COMMIT", 0, NULL) != 0)
        code = EM_EXIT_MIGRATION;
    /* In a transaction that has failed, and so has let go of its locks, COMMIT succeeds as
     * ROLLBACK. */
    if (code == 0 && strcmp(em_db_tag(lock->db), "COMMIT") != 0)
        code = em_fail(err, EM_EXIT_MIGRATION, "its transaction had been aborted");
    em_lock_drop(lock);
    if (code) {
        em_context(err, "the lock was lost");
        err->code = code;
    }
    return code;
}

void em_lock_drop(struct em_lock *lock)
{
    em_db_close(lock->db);
    lock->db = NULL;
}
