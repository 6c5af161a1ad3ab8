/* What a start's migration would do, and what was done: nothing here takes the lock or runs
 * anything. */
#include <string.h>

#include "embark/core/migrations/decision_text.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/core/redact/secrets.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/files/files.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/migrate/own_sql.h"
#include "embark/stages/migrate/pending.h"
#include "embark/stages/migrate/status.h"

/* Names come from files and from tables. */
static void print_name(const char *what, const char *name, struct em_str *out)
{
    em_str_printf(out, "  %s", what);
    em_foreign(out, name);
    em_str_putc(out, '\n');
}

/* "  …: WHY", which may name what is in tables and files. */
static void print_why(const char *what, const char *why, struct em_str *out)
{
    em_str_puts(out, what);
    em_foreign(out, why);
    em_str_putc(out, '\n');
}

static void list_names(struct em_str *out, const char *what, const struct em_list *names)
{
    for (size_t i = 0; i < names->n; i++)
        print_name(what, names->v[i], out);
}

/* A line for what will be said instead of a run. */
static void print_instead(const struct em_config *config, const struct em_migration_status *look,
                          struct em_str *out)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    bool older = look->verdict.decision == EM_IS_OLDER;
    int code = older ? em_decision_older(config, &look->state, &look->verdict, &err)
                     : em_decision_failed(config, &look->state.newest, &err);
    print_why(!code   ? "would run nothing (on_newer_database = continue): "
              : older ? "would refuse to start (81): "
                      : "would not run, and fail (80): ",
              em_str_c(&look->verdict.why), out);
    print_name("", em_str_c(&err.text), out);
}

static void print_run(const struct em_config *config, const struct em_migration_status *look,
                      struct em_str *out)
{
    EM_ERRS_AUTO odd = EM_ERRS_INIT;
    EM_STR_AUTO command = EM_STR_INIT;
    em_str_puts(&command, em_sql_migrations_any(config) ? config->migrate_sql : "command");
    if (config->migrate_command.n)
        em_str_putc(&command, ' ');
    em_command_print(config->migrate_command.v, false, &command);
    print_why("would run: ", em_str_c(&look->verdict.why), out);
    print_why("  ", em_str_c(&command), out);
    em_decision_oddities(&look->state, &look->verdict, &odd);
    for (size_t i = 0; i < odd.n; i++)
        print_name("note: ", em_str_c(&odd.v[i].text), out);
}

static void print_plan(const struct em_config *config, const struct em_migration_status *look,
                       struct em_str *out)
{
    if (look->verdict.decision == EM_RUN)
        print_run(config, look, out);
    else if (look->verdict.decision == EM_SKIP)
        print_why("would run nothing: ", em_str_c(&look->verdict.why), out);
    else
        print_instead(config, look, out);
    list_names(out, "new ", &look->verdict.added);
    list_names(out, "lacking ", &look->verdict.lacking);
    list_names(out, "changed ", &look->verdict.changed);
}

/* By name, as far as the files and the tool's table tell. That they don't is no failure. */
static void print_pending(const struct em_migration_status *outlook, struct em_db *db,
                          struct em_str *out)
{
    EM_PENDING_STATUS_AUTO look = {0};
    em_pending_status(outlook->config, outlook->direct, em_str_c(&outlook->state.place),
                      &outlook->files.list, db, em_in(EM_LEDGER_LIMIT), &look);
    const struct em_pending *p = &look.pending;
    if (!p->kind)
        return;
    if (!look.has_rows) {
        print_why("  pending: not known: ", em_str_c(&look.why), out);
        return;
    }
    if (p->unsure)
        em_str_puts(out, "  pending: not known: the database is at a revision that no file has\n");
    else
        em_str_printf(out, "  %zu of %zu pending (%s)\n", p->pending, p->total, p->kind->tool);
    for (size_t i = 0; i < p->n && !p->unsure; i++)
        if (!p->v[i].off && p->v[i].state == EM_MIGRATION_PENDING)
            print_name("pending ", p->v[i].name, out);
    list_names(out, "failed half way ", &p->failed);
    list_names(out, "in the database only ", &p->unknown);
    list_names(out, "note: ", &p->odd);
    if (p->forked)
        em_str_printf(out, "  note: %zu heads: alembic upgrade head will refuse\n", p->heads.n);
}

int em_migrate_plan(const struct em_config *config, const struct em_url *direct, struct em_str *out,
                    struct em_err *err)
{
    EM_OUTLOOK_AUTO look = {.config = config, .direct = direct};
    struct em_db *db = NULL;
    int code = em_migration_files(config, &look.files, err);
    if (code == 0)
        code = em_migration_status_open(config, direct, &db, NULL, err);
    if (code == 0)
        code = em_migration_status_read(&look, db, em_in(EM_LEDGER_LIMIT), NULL, err);
    if (code == 0) {
        print_plan(config, &look, out);
        print_pending(&look, db, out);
    }
    em_db_close(db);
    return code;
}

int em_migrate_status(const struct em_config *config, const struct em_url *direct,
                      struct em_str *out, struct em_err *err)
{
    enum { SHOWN = 20 };
    struct em_db *db = NULL;
    EM_OUTLOOK_AUTO look = {.config = config, .direct = direct};
    EM_ERR_AUTO unknown = EM_ERR_INIT;
    struct em_ledger ledger = {.config = config, .url = direct};
    if (!em_ledger_wanted(config))
        return em_fail(err, EM_EXIT_CONFIG, "[migrate] ledger = off: there is no record of runs");
    int code = em_migration_status_open(config, direct, &db, NULL, err);
    if (code == 0)
        code = em_ledger_read(db, &ledger, em_in(EM_LEDGER_LIMIT), &look.state, NULL, err);
    if (code == 0)
        code = em_ledger_list(db, &ledger, &look.state, SHOWN, em_in(EM_LEDGER_LIMIT), out, err);
    if (code == 0 && em_migration_files(config, &look.files, &unknown) == 0)
        print_pending(&look, db, out);
    else if (code == 0)
        print_why("  pending: not known: ", em_str_c(&unknown.text), out);
    em_db_close(db);
    return code;
}
