#include "embark/stages/lock/lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "embark/core/base/sha256.h"
#include "embark/core/sql/variables.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/net/turn.h"
#include "embark/stages/wait/database.h"
#include "embark/stages/wait/retry.h"

/* Who has it is asked for when this long ago, since the answer costs as much as the try. */
#define HOLDER_AGAIN EM_SEC(10)
/* A server whose login takes as long has others to serve first. */
#define SLOW_LOGIN EM_SEC(1)

int64_t em_lock_key(const char *name)
{
    EM_STR_AUTO text = EM_STR_INIT;
    unsigned char digest[EM_SHA256_SIZE];
    uint64_t key = 0;
    em_str_printf(&text, "embark:%s", name);
    em_sha256(em_str_c(&text), text.len, digest);
    for (int i = 0; i < 8; i++)
        key = key << 8 | digest[i];
    return (int64_t)key;
}

/* Opens the transaction without the timeouts that would end it under us, and tries. One round trip.
 * A holder whose network is cut, or whose machine is gone, can't say so: the server notices after
 * 40 s rather than two hours, which is later than when the holder, by its heartbeat, has ended its
 * migration. On a standby the lock could be taken, and would exclude nobody: NULL then. */
static void try_sql(const struct em_lock *lock, int server_version, struct em_str *sql)
{
    EM_STR_AUTO application = EM_STR_INIT;
    em_application_name(lock->step, &application);
    /* The server would make the same of it, if the encoding of a statement let it through. */
    for (size_t i = 0; i < application.len; i++)
        if ((unsigned char)application.data[i] < ' ' || (unsigned char)application.data[i] > '~')
            application.data[i] = '?';
    em_str_puts(sql, "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL application_name = ");
    em_sql_quote_literal(sql, em_str_c(&application)); /* a connection that was handed over */
    em_str_puts(sql, ";SET LOCAL statement_timeout = 0;"
                     "SET LOCAL lock_timeout = 0;"
                     "SET LOCAL idle_in_transaction_session_timeout = 0;"
                     "SET LOCAL tcp_keepalives_idle = 20;"
                     "SET LOCAL tcp_keepalives_interval = 5;"
                     "SET LOCAL tcp_keepalives_count = 4;");
    if (server_version >= 120000)
        em_str_puts(sql, "SET LOCAL tcp_user_timeout = 40000;");
    if (server_version >= 140000)
        em_str_puts(sql, "SET LOCAL idle_session_timeout = 0;");
    if (server_version >= 170000)
        em_str_puts(sql, "SET LOCAL transaction_timeout = 0;");
    em_str_printf(sql,
                  "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() "
                  "THEN pg_catalog.pg_try_advisory_xact_lock('%" PRId64 "'::pg_catalog.int8) END",
                  lock->key);
}

/* Who has it: a 64-bit key stands in pg_locks as classid (high half), objid (low half), objsubid 1
 * (manual, 54.12). The functions below that view and pg_stat_activity are asked: the views join
 * names that nobody needs here, and a fresh session pays 4 ms for them instead of 2. */
void em_lock_holder_sql(int64_t key, struct em_str *sql)
{
    uint64_t bits = (uint64_t)key;
    em_str_printf(
        sql,
        "SELECT l.pid,"
        " CASE WHEN a.application_name OPERATOR(pg_catalog.<>) '' THEN a.application_name"
        " ELSE 'an unnamed client' END,"
        " COALESCE(pg_catalog.host(a.client_addr), ''),"
        /* NULL for who may not see it; a clock that was set back shows no age below 0 */
        " CASE WHEN a.xact_start IS NOT NULL THEN GREATEST(0, EXTRACT(epoch FROM"
        " pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)::pg_catalog.int8) END"
        " FROM pg_catalog.pg_lock_status() l"
        " LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) a ON a.pid OPERATOR(pg_catalog.=) l.pid"
        " WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted"
        " AND l.objsubid OPERATOR(pg_catalog.=) 1"
        " AND l.classid OPERATOR(pg_catalog.=) '%" PRIu64 "'::pg_catalog.oid"
        " AND l.objid OPERATOR(pg_catalog.=) '%" PRIu64 "'::pg_catalog.oid"
        " AND l.database OPERATOR(pg_catalog.=) (SELECT s.datid FROM"
        " pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) s)",
        bits >> 32, bits & 0xFFFFFFFFu);
}

static void say_holder(struct em_lock *lock, em_time until, struct em_str *state)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    em_str_printf(state, "the lock \"%s\" is held by ", lock->name);
    em_lock_holder_sql(lock->key, &sql);
    if (em_db_query(lock->db, until, NULL, &ignored, em_str_c(&sql), 0, NULL) != 0 ||
        em_db_rows(lock->db) < 1) {
        em_str_puts(state, "another session");
        return;
    }
    const char *pid = em_db_value(lock->db, 0, 0);
    const char *name = em_db_value(lock->db, 0, 1);
    const char *address = em_db_value(lock->db, 0, 2);
    em_str_printf(state, "%s (pid %s", name ? name : "?", pid ? pid : "?");
    if (address && *address)
        em_str_printf(state, ", %s", address);
    em_str_putc(state, ')');
}

enum tried { TRIED_HAD, TRIED_HELD, TRIED_FAILED, TRIED_UNWANTED };

/* What a try found. The last one is often cut short by the deadline, and says less than the one
 * before it. */
struct found {
    enum tried tried;
    bool standby;
    em_time asked; /* when the holder was; 0: never */
    struct em_str state;
};

/* A failed try: the server's word is the state. */
static enum tried failed(struct found *now, struct em_db_failure *failure, struct em_err *err)
{
    /* PgBouncer's own answer, and no wait mends it. */
    if (strstr(em_str_c(&err->text), "statement pooling")) {
        failure->kind = EM_DB_FATAL;
        err->code = EM_EXIT_REFUSED;
        em_hint(err,
                "the lock needs a transaction, which a pooler in statement mode doesn't allow: set "
                "[database] direct_url to the server itself");
    }
    em_str_puts(&now->state, em_str_c(&err->text));
    return TRIED_FAILED;
}

/* Another has it. */
static void found_held(struct em_lock *lock, em_time by, const struct found *before,
                       struct found *now)
{
    now->asked = em_now();
    if (before->asked && before->tried == TRIED_HELD && now->asked - before->asked < HOLDER_AGAIN) {
        now->asked = before->asked;
        em_str_puts(&now->state, em_str_c(&before->state));
        return;
    }
    if (!before->state.len && em_db_took(lock->db) > SLOW_LOGIN) {
        now->asked = 0;
        em_str_printf(&now->state, "the lock \"%s\" is held by another session", lock->name);
        return;
    }
    say_holder(lock, by, &now->state);
}

/* The connection of a try, unless one was handed over for the first; false: the lock isn't wanted
 * any more. */
static bool open_for_try(struct em_lock *lock, const struct em_url *url,
                         struct em_db_patience *patience, struct em_db_failure *failure,
                         struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    if (lock->db)
        return true;
    em_application_name(lock->step, &application);
    return em_db_open_patiently(EM_DB_OWN, url, em_str_c(&application), patience, &lock->db,
                                failure, err) != 0 ||
           !lock->still_wanted || lock->still_wanted(lock->ctx, lock->db, patience->until);
}

/* The server's word is that it is ours. */
static enum tried was_had(struct em_lock *lock, struct em_db_patience *patience,
                          struct em_db_failure *failure, struct found *now, struct em_err *err)
{
    if (em_lock_prove(lock, patience->until, failure, err) == 0)
        return TRIED_HAD;
    patience->late = em_now() >= patience->until;
    em_lock_drop(lock);
    em_str_puts(&now->state, em_str_c(&err->text));
    return TRIED_FAILED;
}

/* One try. now->state says what was found when it wasn't had. */
static enum tried try_once(struct em_lock *lock, const struct em_url *url,
                           struct em_db_patience *patience, struct em_db_failure *failure,
                           const struct found *before, struct found *now, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_time by = patience->until;
    if (!open_for_try(lock, url, patience, failure, err)) {
        em_lock_drop(lock);
        return TRIED_UNWANTED;
    }
    if (!lock->db)
        return failed(now, failure, err);
    try_sql(lock, em_db_server_version(lock->db), &sql);
    if (em_db_query(lock->db, by, failure, err, em_str_c(&sql), 0, NULL) != 0) {
        patience->late = em_now() >= by;
        em_lock_drop(lock);
        return failed(now, failure, err);
    }
    const char *had = em_db_value(lock->db, 0, 0);
    if (had && strcmp(had, "t") == 0)
        return was_had(lock, patience, failure, now, err);
    now->standby = !had;
    if (had)
        found_held(lock, by, before, now);
    else
        em_str_printf(&now->state, "%s is a standby, and is not migrated", em_db_where(lock->db));
    em_lock_drop(lock);
    return TRIED_HELD;
}

static void keep_found(struct found *kept, struct found *now, em_time took, em_time until)
{
    if (em_retry_was_cut_short(took, until) && kept->state.len && now->tried == TRIED_FAILED) {
        em_str_free(&now->state);
        return;
    }
    em_str_free(&kept->state);
    *kept = *now;
    now->state = (struct em_str)EM_STR_INIT;
}

static int give_up(const struct em_lock *lock, const struct em_config *config,
                   const struct found *found, struct em_err *err)
{
    EM_STR_AUTO limit = EM_STR_INIT;
    bool held = found->tried == TRIED_HELD && !found->standby;
    em_time_print(&limit, config->migrate_lock_timeout);
    em_fail(err, held ? EM_EXIT_LOCK : EM_EXIT_UNREACHABLE, "gave up after %s: %s",
            em_str_c(&limit), em_str_c(&found->state));
    if (found->standby)
        em_hint(err, "url, or direct_url where it is set, must lead to the primary");
    else if (held)
        em_hint(err,
                "if that migration is stuck, end its backend: SELECT pg_terminate_backend(PID); "
                "[migrate] lock_timeout sets how long the lock \"%s\" is waited for",
                lock->name);
    else
        em_hint(err, "[migrate] lock_timeout sets how long the lock \"%s\" is waited for",
                lock->name);
    return err->code;
}

int em_lock_take(struct em_lock *lock, const struct em_config *config, const struct em_url *url,
                 em_time until, struct em_err *err)
{
    struct em_db_failure failure;
    struct em_retry tries;
    struct em_progress progress;
    struct found found = {TRIED_FAILED, false, 0, EM_STR_INIT};
    int code = 0;
    lock->key = em_lock_key(lock->name);
    em_retry_start(&tries, EM_PACE_LOCK, config->database_connect_timeout);
    tries.pace.answered = lock->answered || lock->db;
    em_progress_start(&progress, lock->step, config->migrate_lock_timeout);
    for (;;) {
        struct found now = {TRIED_FAILED, false, 0, EM_STR_INIT};
        if (!lock->db)
            em_retry_take_turn(&tries, url, until);
        /* The login is a part of what a try costs, whoever made it. */
        em_time began = em_now() - (lock->db ? em_db_took(lock->db) : 0);
        struct em_db_patience patience = em_retry_patience(&tries, until);
        failure = (struct em_db_failure){EM_DB_RETRY, ""};
        now.tried = try_once(lock, url, &patience, &failure, &found, &now, err);
        em_turn_end();
        if (now.tried == TRIED_HAD || now.tried == TRIED_UNWANTED)
            break;
        if (em_loop_stopped()) {
            code = em_fail_stopped(err);
            break;
        }
        if (now.tried == TRIED_FAILED && em_retry_is_final(&tries, config, &failure)) {
            code = err->code;
            break;
        }
        enum em_try_outcome tried =
            now.tried == TRIED_HELD ? EM_TRY_ANSWERED : em_try_outcome_of(&failure, &patience);
        keep_found(&found, &now, em_now() - began, until);
        em_progress_log(&progress, em_str_c(&found.state));
        if (!em_retry_wait(&tries, began, tried, patience.heard, until)) {
            code = em_fail_stopped(err);
            break;
        }
        if (em_now() >= until) {
            code = give_up(lock, config, &found, err);
            break;
        }
    }
    lock->answered = tries.pace.answered || lock->db;
    em_str_free(&found.state);
    em_progress_free(&progress);
    return code;
}
