/* The advisory lock that lets one replica migrate at a time (embark(1), "The lock").
 *
 * pg_try_advisory_xact_lock(KEY), tried on a fresh connection each time (a waiter holds neither a
 * connection nor a snapshot between two tries), held in an otherwise idle READ COMMITTED
 * transaction: that excludes others also behind a transaction pooler, doesn't hold up CREATE INDEX
 * CONCURRENTLY, and ends with the connection. The session's timeouts are off for that transaction.
 */
#ifndef EMBARK_STAGES_LOCK_H
#define EMBARK_STAGES_LOCK_H

#include <stdint.h>

#include "embark/core/config.h"
#include "embark/db/db.h"

struct em_lock {
    struct em_db *db; /* may be set before em_lock_take(): what was just looked at over it told that
                         the lock is wanted, and the first try is made on it. Taken over. */
    const char *step; /* for messages, and in application_name: "migrate", "bootstrap" */
    const char *name; /* set both before em_lock_take() */
    int64_t key;
    bool answered;     /* the server has, in a take before this one: it is given more time */
    em_time beat_at;   /* when the next heartbeat is due */
    em_time answer_by; /* when the running one must have been answered; EM_NEVER: none is running */
    const char *beat_sql; /* the heartbeat's query; it must not fail, since an aborted transaction
                             holds no lock. NULL: SELECT 1 */
    /* Before each try, over its connection: looks at the database, and says whether the lock is
     * still wanted, so that hundreds who waited need not have it in turn. NULL: it is. */
    bool (*still_wanted)(void *ctx, struct em_db *db, em_time until);
    void *ctx;
};
#define EM_LOCK_INIT(step_, name_)       \
    {                                    \
        .step = (step_), .name = (name_) \
    }

/* The key of a lock's name: the first eight bytes, big-endian and signed, of SHA-256("embark:"
 * name). In SQL:
 * ('x' || substr(encode(sha256('embark:NAME'), 'hex'), 1, 16))::bit(64)::bigint */
int64_t em_lock_key(const char *name);

/* A query for who has it in the current database: pid, application_name, address ("" for none), and
 * for how many seconds. No row: nobody. */
void em_lock_holder_sql(int64_t key, struct em_str *sql);

/* Polls until it is had, no longer wanted (0 with lock->db NULL), or `until`. EM_EXIT_LOCK: another
 * had it all the time (named in the text); EM_EXIT_UNREACHABLE; EM_EXIT_REFUSED; 128 + n. */
int em_lock_take(struct em_lock *lock, const struct em_config *config, const struct em_url *url,
                 em_time until, struct em_err *err);
/* To be called when the lock's socket is readable and when em_lock_due() has come. -1: the lock is
 * lost, err says how. 1: a heartbeat was answered just now, and lock->db has its rows. */
int em_lock_watch(struct em_lock *lock, struct em_err *err);
em_time em_lock_due(const struct em_lock *lock);
/* Ends the transaction and closes. EM_EXIT_MIGRATION: it had been lost already, so what ran under
 * it may not have been alone. */
int em_lock_release(struct em_lock *lock, struct em_err *err);
/* After an error: closes without asking. */
void em_lock_drop(struct em_lock *lock);

#endif
