#include "embark/stages/migrate/migrate.h"
#include "conclude.h"

#include <stdio.h>
#include <string.h>

#include "embark/core/migrations/decision_text.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/net/turn.h"
#include "embark/os/process/spawn.h"
#include "embark/os/process/trim.h"
#include "embark/stages/lock/backends.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/files/files.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/own_sql.h"
#include "embark/stages/migrate/run_command.h"
#include "embark/stages/migrate/sessions/settings.h"
#include "embark/stages/migrate/status.h"

/* One start's migration. */
struct migration {
    const struct em_config *config;
    const struct em_url *direct;
    const char *direct_raw;
    struct em_migration_status look;
    struct em_lock lock;
    struct em_run_id id;
    em_time until; /* of waiting for the lock */
    bool crowded;  /* there was no connection left for the ledger, or for the migration: say it once
                    */
};

bool em_migrate_any(const struct em_config *config)
{
    return config->migrate_command.n > 0 || em_sql_migrations_any(config);
}

/* What doesn't stop a run, but somebody should know. */
static void say_oddities(const struct migration *m)
{
    EM_ERRS_AUTO odd = EM_ERRS_INIT;
    em_decision_oddities(&m->look.state, &m->look.verdict, &odd);
    for (size_t i = 0; i < odd.n; i++)
        em_log_hint(EM_LOG_WARN, "migrate", odd.v[i].hint.len ? em_str_c(&odd.v[i].hint) : NULL,
                    "%s", em_str_c(&odd.v[i].text));
}

/* While another replica migrates: has it done what we would do? */
static bool still_wanted(void *ctx, struct em_db *db, em_time until)
{
    struct migration *m = ctx;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    struct em_ledger ledger = em_migration_status_ledger(&m->look);
    if (em_ledger_unchanged(db, &ledger, until, &m->look.state) ||
        em_migration_status_read(&m->look, db, until, NULL, &ignored) != 0)
        return true;
    return m->look.verdict.decision == EM_RUN;
}

/* The ledger's connection, beside the lock's: it also shows that there is room for the migration's
 * own. It is used at once: a pooler accepts a login, and then has no server connection left to
 * give, since the lock has it. */
static int open_beside(const struct migration *m, struct em_db **db, struct em_db_failure *failure,
                       struct em_err *err)
{
    int code = em_migration_status_open_beside(m->config, m->direct, db, failure, err);
    if (code == 0)
        code = em_db_query(*db, em_in(m->config->database_connect_timeout), failure, err,
                           "SELECT 1", 0, NULL);
    if (code) {
        em_db_close(*db);
        *db = NULL;
    }
    return code;
}

#define TWO_MORE                                                                            \
    "a migration needs two connections beside the lock's: see max_connections, the role's " \
    "CONNECTION LIMIT and, behind a pooler, its pool's size, or set [database] direct_url"

/* Holding the lock while others hold the last slots would keep everybody waiting for ever: it is
 * given back, and taken again later. */
static int too_crowded(struct migration *m, bool *again, struct em_err *err)
{
    em_lock_drop(&m->lock);
    if (em_now() >= m->until) {
        em_context(err, "had the lock \"%s\", but no second connection beside it", m->lock.name);
        em_hint(err, TWO_MORE);
        return err->code;
    }
    if (!m->crowded)
        em_log_hint(EM_LOG_WARN, "migrate", TWO_MORE,
                    "has the lock, but no second connection, so it is given back for now: %s",
                    em_str_c(&err->text));
    m->crowded = *again = true;
    return 0;
}

/* Backends of earlier runs; of one that was not ended, which the ledger tells, also those that wait
 * for their client: it may still be alive, and go on. */
static int outlive(struct migration *m, struct em_db *db, struct em_err *err)
{
    EM_STR_AUTO prefix = EM_STR_INIT;
    EM_STR_AUTO unfinished = EM_STR_INIT;
    const struct em_run_row *newest = &m->look.state.newest;
    em_run_prefix(m->lock.key, &prefix);
    if (newest->outcome && newest->run && strcmp(newest->outcome, "running") == 0)
        em_str_printf(&unfinished, "%s%s ", em_str_c(&prefix), newest->run);
    return em_backends_wait_gone(db, "migrate", em_str_c(&prefix), em_str_c(&unfinished),
                                 m->config->service_grace, err);
}

/* With the lock: leftovers of killed runs, then the state again, then the run's row. */
static int prepare(struct migration *m, struct em_db *db, struct em_err *err)
{
    struct em_ledger ledger = em_migration_status_ledger(&m->look);
    int code = em_ledger_read(db, &ledger, em_in(EM_LEDGER_LIMIT), &m->look.state, NULL, err);
    if (code == 0)
        code = outlive(m, db, err);
    if (code == 0)
        code = em_ledger_mark_interrupted(db, &ledger, &m->look.state, em_in(EM_LEDGER_LIMIT), err);
    if (code == 0)
        code = em_migration_status_read(&m->look, db, em_in(EM_LEDGER_LIMIT), NULL, err);
    if (code || m->look.verdict.decision != EM_RUN)
        return code;
    say_oddities(m);
    code = em_migration_settings_try(m->config, m->direct, db, em_in(EM_LEDGER_LIMIT), err);
    if (code)
        return code;
    snprintf(m->id.run, sizeof m->id.run, "%016llx", (unsigned long long)em_random_seed());
    return em_ledger_begin(db, &ledger, em_in(EM_LEDGER_LIMIT), &m->look.state, &m->id, err);
}

/* prepare() takes its time where a leftover is waited for: nothing goes on without the lock. */
static int prepare_watched(struct migration *m, struct em_db *db, struct em_err *err)
{
    struct em_lock_guard guard;
    em_lock_guard(&guard, &m->lock);
    int code = prepare(m, db, err);
    if (!em_lock_unguard(&guard) && code < 128) {
        em_err_free(err);
        code = em_fail(err, EM_EXIT_MIGRATION,
                       "the lock \"%s\" was lost before the migration began: %s", m->lock.name,
                       em_str_c(&guard.how.text));
        em_hint(err, "nothing was run, since another replica may have the lock now");
    }
    em_err_free(&guard.how);
    return code;
}

static int note_end(struct migration *m, int code, const struct em_migrate_command *command,
                    const struct em_err *failed, struct em_err *err)
{
    struct em_db *db = NULL;
    struct em_db_failure failure;
    struct em_ledger ledger = em_migration_status_ledger(&m->look);
    /* Stopped, or without the lock: the row stays "running", and the next holder says that it was
     * interrupted. */
    if (!m->id.row.len || em_loop_stopped() || (code && !command->failed))
        return 0;
    int noted = em_migration_status_open_beside(m->config, m->direct, &db, &failure, err);
    if (noted == 0)
        noted = em_ledger_end(db, &ledger, &m->id, code ? "failed" : "done",
                              code ? em_str_c(&failed->text) : NULL, em_str_c(&command->output),
                              em_in(EM_LEDGER_LIMIT), err);
    em_db_close(db);
    return noted;
}

/* The command ended well, and somebody else has had the lock before that could be noted. */
static int lost_before_end(struct em_err *note, struct em_err *err)
{
    em_fail(err, EM_EXIT_MIGRATION, "the migration ended, but its end could not be noted: %s",
            em_str_c(&note->text));
    em_hint(err,
            "this replica had lost the lock (its machine was paused, or cut off), so it doesn't "
            "know what the database holds now; the next start looks");
    return EM_EXIT_MIGRATION;
}

static int run_and_note(struct migration *m, struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    EM_ERR_AUTO note = EM_ERR_INIT;
    em_run_application(m->lock.key, m->id.run, &application);
    struct em_sql_migrations sql = {m->config,
                                    m->direct,
                                    em_str_c(&application),
                                    m->id.run,
                                    em_str_c(&m->look.state.place),
                                    em_db_socket(m->lock.db)};
    struct em_migrate_command command = {.config = m->config,
                                         .lock = &m->lock,
                                         .direct = m->direct,
                                         .direct_raw = m->direct_raw,
                                         .application = em_str_c(&application)};
    if (em_sql_migrations_any(m->config)) {
        command.body = em_sql_migrations_apply;
        command.ctx = &sql;
    }
    em_title_long("migrate");
    em_log_hint(EM_LOG_INFO, "migrate",
                m->look.verdict.hint.len ? em_str_c(&m->look.verdict.hint) : NULL,
                "has the lock \"%s\"; %s; runs %s", m->lock.name, em_str_c(&m->look.verdict.why),
                command.body ? m->config->migrate_sql : m->config->migrate_command.v[0]);
    int code = em_migrate_run_command(&command, err);
    em_redact(em_log_secrets(), &command.output);
    int noted = note_end(m, code, &command, err, &note);
    em_str_free(&command.output);
    if (noted == EM_EXIT_MIGRATION && code == 0)
        return lost_before_end(&note, err);
    if (noted)
        em_log(EM_LOG_WARN, "migrate",
               "the run could not be noted in the ledger, so the next start runs it again: %s",
               em_str_c(&note.text));
    return code;
}

/* 0: had and used, or not needed any more. *again: the lock was given back, since there was no
 * connection left beside it. */
static int under_lock(struct migration *m, bool *again, struct em_err *err)
{
    struct em_db *db = NULL;
    struct em_db_failure failure;
    int code = open_beside(m, &db, &failure, err);
    if (code && failure.kind == EM_DB_RETRY && !em_loop_stopped())
        return too_crowded(m, again, err);
    if (code == 0)
        code = prepare_watched(m, db, err);
    em_db_close(db);
    if (code == 0 && m->look.verdict.decision == EM_RUN)
        code = run_and_note(m, err);
    else if (code == 0)
        code = em_migration_conclude(&m->look, err);
    if (code) {
        em_lock_drop(&m->lock);
        return code;
    }
    return em_lock_release(&m->lock, err);
}

/* The first try is made over `first`, which is closed then: nobody holds a connection while waiting
 * for the lock. */
static int with_lock(struct migration *m, struct em_db **first, struct em_err *err)
{
    int code;
    bool again;
    m->until = em_in(m->config->migrate_lock_timeout);
    m->lock = (struct em_lock)EM_LOCK_INIT("migrate", m->config->migrate_lock);
    m->lock.still_wanted = still_wanted;
    m->lock.ctx = m;
    m->lock.db = *first;
    *first = NULL;
    em_title_long("lock");
    do {
        again = false;
        code = em_lock_take(&m->lock, m->config, m->direct, m->until, err);
        if (code == 0 && !m->lock.db)
            return em_migration_conclude(&m->look, err);
        if (code == 0)
            code = under_lock(m, &again, err);
        if (again && em_wait_fd(-1, 0, em_in(EM_MS(500))) == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
    } while (code == 0 && again);
    return code;
}

/* The fast path: one query, no lock. A server that can't be reached just now is the lock's
 * business, which tries again. */
static int look(struct migration *m, struct em_db **db, const struct em_migrate_first *first,
                struct em_err *err)
{
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    int code = 0;
    if (!em_ledger_wanted(m->config) && !m->look.files.complete)
        return 0;
    if (!*db)
        code = em_migration_status_open(m->config, m->direct, db, &failure, err);
    if (code == 0)
        code = em_migration_status_read(
            &m->look, *db, em_in(em_time_min(EM_LEDGER_LIMIT, m->config->migrate_lock_timeout)),
            &failure, err);
    if (code == 0 && first && em_ledger_wanted(m->config) && !m->look.state.has_ledger &&
        !m->look.state.ledger_why.len)
        return first->call(first->ctx, *db, err);
    if (code && em_loop_stopped())
        return em_fail_stopped(err);
    if (code) {
        em_db_close(*db);
        *db = NULL;
    }
    em_err_free(err);
    return 0;
}

static void close_migration(struct migration *m)
{
    em_migration_status_free(&m->look);
    em_run_id_free(&m->id);
}

int em_migrate(const struct em_config *config, const struct em_url *direct, const char *direct_raw,
               struct em_db **kept, const struct em_migrate_first *first, struct em_err *err)
{
    struct migration m = {.config = config,
                          .direct = direct,
                          .direct_raw = direct_raw,
                          .look = {.config = config, .direct = direct}};
    em_release_code_pages(); /* of the login */
    int code = em_migration_files(config, &m.look.files, err);
    if (code == 0)
        em_migration_status_decide(&m.look);
    em_release_code_pages(); /* they are not to add to the question's peak */
    if (code == 0)
        code = look(&m, kept, first, err);
    if (code == 0 && m.look.verdict.decision == EM_RUN) {
        code = with_lock(&m, kept, err);
    } else {
        em_db_close(*kept);
        *kept = NULL;
        em_turn_end();
        code = code ? code : em_migration_conclude(&m.look, err);
    }
    close_migration(&m);
    return code;
}
