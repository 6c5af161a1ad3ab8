/* The advisory lock that lets one replica migrate at a time (embark-migrate(1), "The lock").
 *
 * pg_try_advisory_xact_lock(KEY), tried on a fresh connection each time (a waiter holds neither a
 * connection nor a snapshot between two tries), held in an otherwise idle READ COMMITTED
 * transaction: that excludes others also behind a transaction pooler, doesn't hold up CREATE INDEX
 * CONCURRENTLY, and ends with the connection. The session's timeouts are off for that transaction,
 * and nothing that can fail is sent in it: the heartbeat is SELECT 1.
 *
 * There are servers that answer true and lock nothing, so that the lock is looked for in pg_locks
 * once it is said to be ours.
 */
#ifndef EMBARK_STAGES_LOCK_LOCK_H
#define EMBARK_STAGES_LOCK_LOCK_H

#include <stdint.h>

#include "embark/core/config/config.h"
#include "embark/db/connection.h"
#include "embark/os/loop/loop.h"

struct em_lock {
    struct em_db *db; /* may be set before em_lock_take(): what was just looked at over it told that
                         the lock is wanted, and the first try is made on it. Taken over. */
    const char *step; /* for messages, and in application_name: "migrate", "bootstrap" */
    const char *name; /* set both before em_lock_take() */
    int64_t key;
    bool answered;   /* the server has, in a take before this one: it is given more time */
    em_time beat_at; /* when the next heartbeat is due; EM_NEVER: one is on its way */
    em_time sent_at; /* internal: when the running heartbeat was sent; EM_NEVER: none is running */
    em_time looked_at; /* internal: when that was last looked at */
    em_time silence; /* internal: for how long it has not been answered, without what embark itself
                        was stopped for */
    bool slow;       /* internal: the log says already that no answer comes */
    bool direct;     /* nobody stands between us and the server: its kernel answers for it */
    /* Before each try, over its connection: looks at the database, and says whether the lock is
     * still wanted, so that hundreds who waited need not have it in turn. NULL: it is. */
    bool (*still_wanted)(void *ctx, struct em_db *db, em_time until);
    void *ctx;
};
#define EM_LOCK_INIT(step_, name_)       \
    {                                    \
        .step = (step_), .name = (name_) \
    }

/* So long after a lock was lost what ran under it may go on: a heartbeat's gap, 15 s until it isn't
 * acknowledged, and the second that the migration's processes are given. */
#define EM_LOCK_LOST_GRACE EM_SEC(1)
#define EM_LOCK_LOSS       (EM_SEC(20) + EM_LOCK_LOST_GRACE)

/* The key of a lock's name: the first eight bytes, big-endian and signed, of SHA-256("embark:"
 * name). In SQL:
 * ('x' || substr(encode(sha256('embark:NAME'), 'hex'), 1, 16))::bit(64)::bigint */
int64_t em_lock_key(const char *name);

/* A query for who has it in the current database: pid, application_name, address ("" for none), and
 * for how many seconds. No row: nobody. */
void em_lock_holder_sql(int64_t key, struct em_str *sql);

/* Polls until the lock is acquired, the caller no longer wants it (0, with lock->db NULL), or
 * `until` passes. EM_EXIT_LOCK: another replica held it all the time (the text names it);
 * EM_EXIT_UNREACHABLE; EM_EXIT_REFUSED, also where the server's lock excludes nobody; 128 + n. */
int em_lock_take(struct em_lock *lock, const struct em_config *config, const struct em_url *url,
                 em_time until, struct em_err *err);
/* To be called when the lock's socket is readable and when em_lock_due() has come. -1: the lock is
 * lost, err says how. 1: a heartbeat was answered just now.
 *
 * Lost is a connection that was closed, or whose peer's kernel has acknowledged nothing for 15 s;
 * where somebody stands between (a pooler, a proxy), whose kernel answers for the server, also one
 * that has brought no answer for 60 s. A server that answers late is not a lost lock: the log says
 * so, at info. Time for which embark itself was stopped does not count. */
int em_lock_watch(struct em_lock *lock, struct em_err *err);
em_time em_lock_due(const struct em_lock *lock);
/* Is it still ours? Asks, and waits for the answer until `until`. 0: it was ours when the server
 * answered. EM_EXIT_MIGRATION: it is lost, or there was no answer; 128 + n: a signal asks to end.
 */
int em_lock_check(struct em_lock *lock, em_time until, struct em_err *err);

/* Watches the lock while statements run on other connections (os/loop/loop.h, em_guard): once it is
 * lost, every wait ends at once. `how`, empty until then, says how it was lost; free it. */
struct em_lock_guard {
    struct em_guard guard;
    struct em_lock *lock;
    struct em_err how;
};
void em_lock_guard(struct em_lock_guard *guard, struct em_lock *lock);
/* The end of it. False: the lock is lost. */
bool em_lock_unguard(struct em_lock_guard *guard);

/* Ends the transaction and closes. EM_EXIT_MIGRATION: it had been lost already, so what ran under
 * it may not have been alone. */
int em_lock_release(struct em_lock *lock, struct em_err *err);
/* After an error: closes without asking. */
void em_lock_drop(struct em_lock *lock);

/* Inside of the lock (stages/lock/lock.c): the server said that it is ours; does it stand in
 * pg_locks, under the backend that answers? 0, and the heartbeat begins. EM_EXIT_REFUSED, with
 * failure's kind EM_DB_FATAL: this lock excludes nobody; else em_db_query()'s codes. */
int em_lock_prove(struct em_lock *lock, em_time until, struct em_db_failure *failure,
                  struct em_err *err);

#endif
