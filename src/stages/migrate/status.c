#include "embark/stages/migrate/status.h"

#include <string.h>

#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/process/trim.h"
#include "embark/stages/migrate/ledger/tables.h"
#include "embark/stages/migrate/own_sql.h"
#include "embark/stages/migrate/pending.h"

/* Of a server that is busy, and has begun to answer: the lock may be held meanwhile, and to give it
 * back for that would be to begin anew. */
#define LONGEST_LOGIN EM_SEC(30)

struct em_ledger em_migration_status_ledger(const struct em_migration_status *look)
{
    return (struct em_ledger){look->config, look->direct, &look->files};
}

static bool goes_on(const struct em_migration_status *look)
{
    return look->config->migrate_on_newer_database == 1;
}

void em_migration_status_decide(struct em_migration_status *look)
{
    struct em_ledger ledger = em_migration_status_ledger(look);
    char identity[EM_HEX_DIGEST];
    EM_STR_AUTO command = EM_STR_INIT;
    em_ledger_identity(&ledger, &look->state, identity);
    em_ledger_command(look->config, &command);
    struct em_planned_run ours = {.files = &look->files.list,
                                  .identity = identity,
                                  .command = em_str_c(&command),
                                  .build = look->config->image_build,
                                  .complete = look->files.complete,
                                  .incomplete_why = em_str_c(&look->files.why),
                                  .incomplete_hint = em_str_c(&look->files.hint),
                                  .has_tool = look->files.tool ||
                                              em_sql_migrations_any(look->config) ||
                                              look->state.newest.tables,
                                  .goes_on = goes_on(look),
                                  .retry_after = look->config->migrate_retry_after};
    em_decision_free(&look->verdict);
    em_decide(&ours, &look->state, &look->verdict);
    if (!em_ledger_wanted(look->config)) {
        em_str_cut(&look->verdict.why, 0);
        em_str_puts(&look->verdict.why, "no ledger is kept ([migrate] ledger = off)");
    }
}

/* The table is the one in which this migration is noted: its tool is known, or its runs were seen
 * to change it. */
static bool is_ours(const struct em_migration_status *look, const struct em_pending_status *pending)
{
    EM_LIST_AUTO names = EM_LIST_INIT;
    const char *seen = look->state.newest.tables;
    em_tables_split(seen ? seen : "", &names);
    return look->files.tool || em_sql_migrations_any(look->config) ||
           em_list_has(&names, em_str_c(&pending->table));
}

/* Installed packages' migrations are one entry: whether one of them is pending can't be told. */
static bool has_packages(const struct em_filelist *files)
{
    for (size_t i = 0; i < files->n; i++)
        if (em_ends(files->v[i].name, "/"))
            return true;
    return false;
}

/* Something is to be run, or would be if the image were not older than the last run's: it isn't
 * older than the database where the tool's own table has nothing of what it lacks, as after a
 * command that went to a revision in between. And where the table has what no file here has, and
 * nothing of ours is pending, the tool would fail, or do nothing for a service that is older than
 * its database: also where no ledger tells that, as on the day on which embark comes into an image.
 */
static void ask_table(struct em_migration_status *look, struct em_db *db, em_time until)
{
    EM_PENDING_STATUS_AUTO pending = {0};
    const struct em_pending *p = &pending.pending;
    bool older = look->verdict.decision == EM_IS_OLDER;
    if ((look->verdict.decision != EM_RUN && !older) || !look->files.complete ||
        !look->files.list.n)
        return;
    em_release_code_pages(); /* files are read next */
    em_pending_status(look->config, look->direct, em_str_c(&look->state.place), &look->files.list,
                      db, until, &pending);
    if (!p->kind || !pending.has_rows || p->odd.n || !p->n)
        return;
    /* What a tool notes of a failure is its own business; embark's own records have each file that
     * was begun. */
    if (p->failed.n && !(older && em_sql_migrations_any(look->config)))
        return;
    /* A table that search_path leads to behind the schema in which the migration acts may be
     * another service's. */
    if (pending.table.len && !pending.named &&
        strcmp(em_str_c(&pending.schema), em_str_c(&look->state.acts_in)) != 0)
        return;
    if (older && pending.table.len && !p->unknown.n && !p->unsure && is_ours(look, &pending))
        em_decide_nothing_left(&look->verdict);
    /* What is pending can't be told where the database is at a revision that no file has; that the
     * image has files which the last run lacked can. */
    else if (!older && !(goes_on(look) && has_packages(&look->files.list)) && p->unknown.n &&
             (p->unsure ? !look->verdict.added.n : !p->pending))
        em_decide_by_table(&p->unknown, p->unsure && p->pending, em_str_c(&pending.table),
                           &look->verdict);
}

int em_migration_status_read(struct em_migration_status *look, struct em_db *db, em_time until,
                             struct em_db_failure *failure, struct em_err *err)
{
    struct em_ledger ledger = em_migration_status_ledger(look);
    int code = em_ledger_read(db, &ledger, until, &look->state, failure, err);
    if (code)
        return code;
    em_migration_status_decide(look);
    if (look->verdict.decision == EM_SKIP)
        return 0;
    em_release_code_pages();
    code = em_ledger_read_rows(db, &ledger, until, &look->state, err);
    if (code)
        return code;
    em_migration_status_decide(look);
    ask_table(look, db, until);
    return 0;
}

int em_migration_status_provable(const struct em_migration_status *look, struct em_err *err)
{
    const struct em_config *config = look->config;
    const struct em_migration_files *files = &look->files;
    bool build = config->image_build && *config->image_build;
    if (!em_ledger_wanted(config))
        return em_fail(err, EM_EXIT_CONFIG,
                       "[migrate] ledger = off: nothing tells what is applied");
    if (!files->complete && !build) {
        em_fail(err, EM_EXIT_CONFIG, "whether everything is applied can't be known: %s",
                em_str_c(&files->why));
        em_hint(err, "%s", em_str_c(&files->hint));
        return err->code;
    }
    if (files->tool && !files->table.len)
        return em_fail(err, EM_EXIT_CONFIG, "whether everything is applied can't be known: %s",
                       files->table_why.len ? em_str_c(&files->table_why)
                                            : "the tool's table isn't known");
    return 0;
}

void em_migration_status_free(struct em_migration_status *look)
{
    em_migration_files_free(&look->files);
    em_ledger_state_free(&look->state);
    em_decision_free(&look->verdict);
}

static int open_ledger(const struct em_config *config, const struct em_url *direct, bool answered,
                       struct em_db **db, struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    em_time first = em_in(config->database_connect_timeout), last = em_in(LONGEST_LOGIN);
    struct em_db_patience patience = {.until = last < first ? first : last};
    patience.silent = answered ? patience.until : first;
    em_application_name("ledger", &application);
    return em_db_open_patiently(EM_DB_OWN, direct, em_str_c(&application), &patience, db, failure,
                                err);
}

int em_migration_status_open(const struct em_config *config, const struct em_url *direct,
                             struct em_db **db, struct em_db_failure *failure, struct em_err *err)
{
    return open_ledger(config, direct, false, db, failure, err);
}

int em_migration_status_open_beside(const struct em_config *config, const struct em_url *direct,
                                    struct em_db **db, struct em_db_failure *failure,
                                    struct em_err *err)
{
    /* A login is other code than what goes before and follows, and there are two connections. */
    em_release_code_pages();
    int code = open_ledger(config, direct, true, db, failure, err);
    em_release_code_pages();
    return code;
}
