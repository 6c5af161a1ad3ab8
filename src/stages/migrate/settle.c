/* What somebody says by hand about migrations: embark migrate --resolve and --baseline. Nothing of
 * theirs is run here. */
#include <stdio.h>
#include <string.h>

#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/migrate/own_sql.h"
#include "embark/stages/migrate/pending.h"
#include "embark/stages/migrate/status.h"

/* ---- A command's, all of them ------------------------------------------------------------------- */

#define LET_IT_NOTE                                                                          \
    "let the migration's tool note what is applied (alembic stamp, flyway baseline, prisma " \
    "migrate resolve --applied and the like), or run it"

/* What the tool's own table contradicts isn't noted; and what it doesn't tell would never count. */
static int check_table(const struct em_migration_status *look, struct em_db *db, struct em_err *err)
{
    EM_PENDING_STATUS_AUTO pending = {0};
    EM_STR_AUTO names = EM_STR_INIT;
    const struct em_pending *p = &pending.pending;
    em_pending_status(look->config, look->direct, em_str_c(&look->state.place), &look->files.list,
                      db, em_in(EM_LEDGER_LIMIT), &pending);
    if (look->files.tool && p->kind && !(pending.has_rows && pending.table.len)) {
        em_fail(err, EM_EXIT_CONFIG, "what %s has noted is not known: %s", look->files.tool->name,
                pending.why.len ? em_str_c(&pending.why) : "there is no table of it");
        em_hint(err, LET_IT_NOTE);
        return err->code;
    }
    if (!p->kind || !pending.has_rows || p->unsure || !(p->pending + p->failed.n))
        return 0;
    em_pending_names(p, p->failed.n ? EM_MIGRATION_FAILED : EM_MIGRATION_PENDING, 5, &names);
    em_fail(err, EM_EXIT_CONFIG, "not all of them are applied, by %s: %s", em_str_c(&pending.table),
            em_str_c(&names));
    em_hint(err, LET_IT_NOTE);
    return err->code;
}

/* With the lock: a run that was none. */
static int note_all(struct em_migration_status *look, struct em_db *db, struct em_err *err)
{
    struct em_ledger ledger = em_migration_status_ledger(look);
    struct em_run_id id = {.run = ""};
    int code = em_migration_status_read(look, db, em_in(EM_LEDGER_LIMIT), NULL, err);
    if (code == 0)
        code = check_table(look, db, err);
    if (code == 0)
        code = em_ledger_mark_interrupted(db, &ledger, &look->state, em_in(EM_LEDGER_LIMIT), err);
    snprintf(id.run, sizeof id.run, "%016llx", (unsigned long long)em_random_seed());
    if (code == 0)
        code = em_ledger_begin(db, &ledger, em_in(EM_LEDGER_LIMIT), &look->state, &id, err);
    if (code == 0 && !id.row.len)
        code = em_fail(err, EM_EXIT_REFUSED, "nothing could be noted");
    if (code == 0)
        code = em_ledger_end(db, &ledger, &id, "done", "nothing was run: --baseline all says so",
                             NULL, em_in(EM_LEDGER_LIMIT), err);
    em_run_id_free(&id);
    return code;
}

static int settle_command(const struct em_config *config, const struct em_url *direct,
                          struct em_migrate_settle *settle, struct em_err *err)
{
    EM_OUTLOOK_AUTO look = {.config = config, .direct = direct};
    struct em_db *db = NULL;
    struct em_lock lock = EM_LOCK_INIT("migrate", config->migrate_lock);
    if (settle->as != EM_SETTLE_BASELINE || strcmp(settle->file, "all") != 0)
        return em_fail(err, EM_EXIT_CONFIG,
                       "only files of [migrate] sql can be settled one by one; of a command: "
                       "--baseline all");
    int code = em_migration_files(config, &look.files, err);
    if (code == 0)
        code = em_migration_status_provable(&look, err);
    if (code == 0)
        code = em_lock_take(&lock, config, direct, em_in(config->database_connect_timeout), err);
    if (code == 0)
        code = em_migration_status_open_beside(config, direct, &db, NULL, err);
    if (code == 0)
        code = note_all(&look, db, err);
    em_db_close(db);
    settle->count = look.files.list.n;
    if (code == 0)
        return em_lock_release(&lock, err);
    em_lock_drop(&lock);
    return code;
}

/* ---- [migrate] sql's, file by file --------------------------------------------------------------- */

int em_migrate_settle(const struct em_config *config, const struct em_url *direct,
                      struct em_migrate_settle *settle, struct em_err *err)
{
    struct em_db *db = NULL;
    EM_MIGRATION_FILES_AUTO files = {0};
    EM_LEDGER_STATE_AUTO state = {0};
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    struct em_ledger ledger = {.config = config, .url = direct, .files = &files};
    bool applied = settle->as != EM_SETTLE_PENDING;
    if (!em_sql_migrations_any(config))
        return settle_command(config, direct, settle, err);
    /* The folder may be what is wrong. */
    em_migration_files(config, &files, &ignored);
    int code = em_migration_status_open(config, direct, &db, NULL, err);
    if (code == 0)
        code = em_ledger_read(db, &ledger, em_in(EM_LEDGER_LIMIT), &state, NULL, err);
    if (code == 0 && settle->as == EM_SETTLE_BASELINE)
        code = em_sql_migrations_baseline(db, config, settle->file, em_str_c(&state.place),
                                          &settle->count, err);
    else if (code == 0)
        code = em_sql_migrations_resolve(db, config, direct, settle->file, em_str_c(&state.place),
                                         applied, err);
    if (code == 0)
        code = em_ledger_clear_failures(db, &ledger, &state, em_in(EM_LEDGER_LIMIT), err);
    em_db_close(db);
    return code;
}
