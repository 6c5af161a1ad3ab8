/* Whether a pooler stands before the server, and how it shares the server's connections. */
#include <stdlib.h>
#include <string.h>

#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "session.h"

/* Two clients in turn: as often as one of them may meet another client's transaction. */
#define ROUNDS 4
/* In session mode the second client waits while the pool is used up. */
#define PATIENCE EM_MS(500)

#define PID_SQL "SELECT pg_catalog.pg_backend_pid()"

/* A second client, which no message is about. */
static bool open_second(const struct em_doctor_session *at, struct em_doctor_session *second)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    *second = (struct em_doctor_session){
        .config = at->config,
        .url = at->url,
        .deadline = em_time_min(at->deadline, em_in(PATIENCE)),
        .looks = at->looks,
        .quiet = true,
    };
    em_application_name("doctor", &name);
    return em_db_open(at->url, em_str_c(&name), second->deadline, &second->db, NULL, &ignored) == 0;
}

static int pid_of(struct em_doctor_session *at)
{
    return em_doctor_query(at, NULL, PID_SQL) ? atoi(em_doctor_value_of(at, 0, 0)) : 0;
}

/* A transaction in statement mode is what PgBouncer refuses, and ends the client for. */
static bool refuses_transactions(struct em_doctor_session *second)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    bool refused =
        em_db_query(second->db, second->deadline, NULL, &err, "BEGIN READ ONLY", 0, NULL) != 0 &&
        strstr(em_str_c(&err.text), "statement pooling");
    if (!err.code)
        em_db_query(second->db, second->deadline, NULL, &ignored, "ROLLBACK", 0, NULL);
    return refused;
}

/* Where a client meets another server process, or the one that the other client has just used,
 * connections are lent for a transaction at most. */
static enum em_pooling tell_mode(struct em_doctor_session *at, int pid)
{
    struct em_doctor_session second;
    enum em_pooling found = EM_POOL_SESSION;
    if (!open_second(at, &second))
        return EM_POOL_UNKNOWN;
    for (int i = 0; i < ROUNDS && found == EM_POOL_SESSION; i++) {
        int other = pid_of(&second), own = pid_of(at);
        if (!other || !own)
            found = EM_POOL_UNKNOWN;
        else if (own != pid || other == own)
            found = EM_POOL_SHARED;
    }
    if (found == EM_POOL_SHARED && refuses_transactions(&second))
        found = EM_POOL_STATEMENT;
    em_db_close(second.db);
    return found;
}

static const char *const texts[] = {
    [EM_POOL_SESSION] = ", in session mode as it seems, which does for migrations",
    [EM_POOL_SHARED] = ", in transaction mode",
    [EM_POOL_STATEMENT] = ", in statement mode",
    [EM_POOL_UNKNOWN] = "",
};

static void add_row(struct em_doctor_session *at)
{
    const char *mode = texts[at->pooling];
    bool bad = at->pooling == EM_POOL_STATEMENT;
    bool migrates = at->direct || at->migrates;
    enum em_mark mark = migrates && at->pooling != EM_POOL_SESSION ? EM_MARK_WARN : EM_MARK_NONE;
    if (at->direct)
        em_doctor_add(at, "pooler", mark, 0,
                      "direct_url leads to a pooler as well (PgBouncer or the like)%s", mode);
    else
        em_doctor_add(at, "pooler", mark, 0, "a pooler answers (PgBouncer or the like)%s", mode);
    if (mark == EM_MARK_NONE)
        return;
    if (bad)
        em_doctor_row_hint(at->looks,
                           "the lock needs a transaction, which a pooler in statement mode "
                           "doesn't allow: set [database] direct_url to the server itself");
    else
        em_doctor_row_hint(at->looks,
                           "set [database] direct_url to the server itself, for the lock and "
                           "the migrations: tools that set something for their session, or "
                           "lock it, go wrong behind a pooler");
}

void em_doctor_pooler(struct em_doctor_session *at)
{
    int pid = pid_of(at);
    at->pooling = pid ? EM_POOL_NONE : EM_POOL_UNKNOWN;
    if (!pid)
        return;
    /* A server tells its own process at the login, a pooler something made up. */
    if (pid == em_db_backend(at->db)) {
        if (at->migrates)
            em_doctor_add(at, "pooler", EM_MARK_OK, 0, "none: the server itself answers");
        return;
    }
    at->pooling = tell_mode(at, pid);
    add_row(at);
}
