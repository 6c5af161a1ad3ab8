#include "migrations.h"

#include <string.h>

#include "embark/core/config/config.h"
#include "embark/core/migrations/decision_text.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/stages/doctor/doctor.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/files/files.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/migrate/own_sql.h"

/* Of a failed run's output, its end; of a command, its beginning. */
enum { LINES_SHOWN = 5, COMMAND_SHOWN = 200 };

/* ---- The ledger's last run ----------------------------------------------------------------------- */

/* ", with the image's files": whether they are the same, by their digests. */
static void add_relation(const struct em_filelist *ours, const char *files, struct em_str *out)
{
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    EM_LIST_AUTO lacking = EM_LIST_INIT;
    EM_LIST_AUTO added = EM_LIST_INIT;
    EM_LIST_AUTO changed = EM_LIST_INIT;
    if (!ours->n || !em_filelist_parse(&theirs, files ? files : ""))
        return;
    if (em_filelist_compare(ours, &theirs, &lacking, &added, &changed, NULL) == EM_SAME) {
        em_str_puts(out, ", with the image's files");
        return;
    }
    const char *sign = ", with other files: ";
    if (added.n)
        em_str_printf(out, "%sthe image has %zu more", sign, added.n);
    sign = added.n ? ", " : sign;
    if (lacking.n)
        em_str_printf(out, "%sthe image lacks %zu", sign, lacking.n);
    sign = lacking.n ? ", " : sign;
    if (changed.n)
        em_str_printf(out, "%s%zu with other contents", sign, changed.n);
}

/* How long ago a run was, and its files, are asked for where there is something to be run; here
 * people want to know it in any case. */
static int read_runs(struct em_migration_status *look, struct em_db *db, em_time deadline,
                     struct em_err *err)
{
    struct em_ledger ledger = em_migration_status_ledger(look);
    int code = em_migration_status_read(look, db, deadline, NULL, err);
    if (code || look->verdict.decision != EM_SKIP)
        return code;
    return em_ledger_read_rows(db, &ledger, deadline, &look->state, err);
}

static bool is_running(const struct em_run_row *run)
{
    return run->outcome && strcmp(run->outcome, "running") == 0;
}

static bool is_empty(const struct em_migrations_view *v, const char *sql)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    return em_db_query(v->db, v->deadline, NULL, &err, sql, 0, NULL) == 0 && em_db_rows(v->db) == 0;
}

/* Whether the run whose row says that it is running was killed: an end is noted while the lock is
 * still held, so that one whose row says so after the lock was seen free notes none any more. */
static bool is_killed(const struct em_migrations_view *v)
{
    EM_OUTLOOK_AUTO again = {.config = v->config, .direct = v->look->direct};
    EM_STR_AUTO holder = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    const struct em_run_row *now = &again.state.newest, *seen = &v->look->state.newest;
    em_lock_holder_sql(em_lock_key(v->config->migrate_lock), &holder);
    /* A standby knows of no lock, and what is not known is not free. */
    return is_running(seen) && is_empty(v, "SELECT 1 WHERE pg_catalog.pg_is_in_recovery()") &&
           is_empty(v, em_str_c(&holder)) && read_runs(&again, v->db, v->deadline, &err) == 0 &&
           is_running(now) && now->run && seen->run && strcmp(now->run, seen->run) == 0;
}

static void add_run(const struct em_migrations_view *v, const char *key,
                    const struct em_run_row *run)
{
    bool done = strcmp(run->outcome, "done") == 0, going = is_running(run) && !v->killed;
    EM_STR_AUTO text = EM_STR_INIT;
    em_str_puts(&text, going             ? "running for "
                       : is_running(run) ? "killed: it began "
                                         : run->outcome);
    if (!is_running(run))
        em_str_putc(&text, ' ');
    em_time_print(&text, run->age);
    em_str_puts(&text, going ? " (" : " ago (");
    em_decision_run(run, &text);
    em_str_putc(&text, ')');
    if (run->files)
        add_relation(&v->look->files.list, run->files, &text);
    if (is_running(run) && !going)
        em_str_puts(&text, "; its end is not noted, and nobody has the lock");
    if (run->error)
        em_str_printf(&text, ": %s", run->error);
    em_doctor_row_add(v->looks, "migrations", key, done ? EM_MARK_OK : EM_MARK_WARN, 0, "%s",
                      em_str_c(&text));
    if (is_running(run))
        em_doctor_row_hint(v->looks, going ? "a start waits for it"
                                           : "nothing to do: the next start runs it again");
}

/* The last lines of what a failed run put out. */
static void add_output(const struct em_migrations_view *v, const char *output)
{
    EM_LIST_AUTO lines = EM_LIST_INIT;
    for (const char *line = output; *line;) {
        size_t length = strcspn(line, "\n");
        if (length)
            em_list_take(&lines, em_strndup(line, length));
        line += length + (line[length] == '\n');
    }
    for (size_t i = lines.n > LINES_SHOWN ? lines.n - LINES_SHOWN : 0; i < lines.n; i++)
        em_doctor_row_add(v->looks, "migrations", "its output", EM_MARK_NONE, 0, "%s", lines.v[i]);
}

static void add_ledger(const struct em_migrations_view *v)
{
    const struct em_ledger_state *state = &v->look->state;
    const struct em_run_row *newest = &state->newest, *good = &state->good;
    if (!em_ledger_wanted(v->config)) {
        em_doctor_row_add(v->looks, "migrations", "last run", EM_MARK_NONE, 0,
                          "not recorded ([migrate] ledger = off)");
    } else if (!newest->outcome) {
        em_doctor_row_add(v->looks, "migrations", "last run", EM_MARK_NONE, 0,
                          "none yet under the lock \"%s\"%s", v->config->migrate_lock,
                          state->has_ledger       ? ""
                          : state->ledger_why.len ? ": the ledger isn't used"
                                                  : ": there is no ledger");
        if (state->ledger_why.len)
            em_doctor_row_add(v->looks, "migrations", "ledger", EM_MARK_WARN, 0, "%s",
                              em_str_c(&state->ledger_why));
    } else {
        add_run(v, "last run", newest);
        if (strcmp(newest->outcome, "failed") == 0 && newest->output)
            add_output(v, newest->output);
        if (good->outcome && good->id && strcmp(good->id, newest->id) != 0)
            add_run(v, "last good", good);
    }
}

/* ---- What a start would do ----------------------------------------------------------------------- */

static void add_what_runs(const struct em_migrations_view *v)
{
    EM_STR_AUTO command = EM_STR_INIT;
    if (em_sql_migrations_any(v->config))
        em_str_puts(&command, v->config->migrate_sql);
    em_command_print(v->config->migrate_command.v, false, &command);
    em_redact(em_log_secrets(), &command); /* before it is cut */
    if (command.len > COMMAND_SHOWN) {
        em_str_cut(&command, COMMAND_SHOWN);
        em_str_puts(&command, "…");
    }
    em_doctor_row_add(
        v->looks, "migrations", "next start", EM_MARK_NONE, 0, "%s %s: %s",
        is_running(&v->look->state.newest) && !v->killed
            ? "takes the lock when the run that goes on gives it back, looks again, and may run"
            : "takes the lock and runs",
        em_str_c(&command), em_str_c(&v->look->verdict.why));
    if (v->look->verdict.hint.len)
        em_doctor_row_hint(v->looks, "%s", em_str_c(&v->look->verdict.hint));
}

/* Where the command would be run, whether the lock that it needs is one: there are servers that say
 * yes to everybody. One of a name that nobody else has, for a moment. */
static void try_lock(const struct em_migrations_view *v)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (em_db_query(v->db, v->deadline, NULL, &err, "SELECT pg_catalog.pg_is_in_recovery()", 0,
                    NULL) != 0 ||
        strcmp(em_db_value(v->db, 0, 0), "f") != 0)
        return; /* which is told of elsewhere */
    em_str_printf(&name, "doctor %016llx", (unsigned long long)em_random_seed());
    struct em_lock lock = EM_LOCK_INIT("doctor", em_str_c(&name));
    em_time until = em_time_min(v->deadline, em_in(v->config->database_connect_timeout));
    int code = em_lock_take(&lock, v->config, v->look->direct, until, &err);
    if (code == EM_EXIT_REFUSED)
        em_doctor_row_add_err(v->looks, "migrations", "lock", EM_MARK_BAD, &err);
    if (code == 0 && lock.db) {
        EM_ERR_AUTO ignored = EM_ERR_INIT;
        em_lock_release(&lock, &ignored);
    }
}

static void add_next(const struct em_migrations_view *v)
{
    const struct em_decision *verdict = &v->look->verdict;
    const struct em_ledger_state *state = &v->look->state;
    EM_ERRS_AUTO odd = EM_ERRS_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    int code = verdict->decision == EM_IS_OLDER ? em_decision_older(v->config, state, verdict, &err)
               : verdict->decision == EM_FAILED
                   ? em_decision_failed(v->config, &state->newest, &err)
                   : 0;
    if (verdict->decision == EM_RUN)
        add_what_runs(v);
    else if (verdict->decision == EM_SKIP)
        em_doctor_row_add(v->looks, "migrations", "next start", EM_MARK_OK, 0,
                          "one query, and runs nothing: %s", em_str_c(&verdict->why));
    else
        em_doctor_row_add_err(v->looks, "migrations", "next start",
                              code ? EM_MARK_BAD : EM_MARK_WARN, &err);
    if (verdict->decision != EM_RUN)
        return;
    try_lock(v);
    em_decision_oddities(state, verdict, &odd);
    for (size_t i = 0; i < odd.n; i++)
        em_doctor_row_add_err(v->looks, "migrations", "next start", EM_MARK_WARN, &odd.v[i]);
}

void em_doctor_migrations(const struct em_config *config, const struct em_url *direct,
                          struct em_db *db, em_time deadline, struct em_doctor_rows *looks)
{
    EM_OUTLOOK_AUTO look = {.config = config, .direct = direct};
    EM_PENDING_STATUS_AUTO pending = {0};
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_migrations_view v = {config, &look, &pending, db != NULL, false,
                                   false,  db,    deadline, looks};
    if (!em_migrate_any(config)) {
        em_doctor_row_add(looks, "migrations", "command", EM_MARK_NONE, 0,
                          "none: neither [migrate] command nor sql is set");
        return;
    }
    if (em_migration_files(config, &look.files, &err) != 0) {
        em_doctor_row_add_err(looks, "migrations", "files", EM_MARK_BAD, &err);
        return;
    }
    if (db && read_runs(&look, db, deadline, &err) != 0)
        em_doctor_row_add_err(looks, "migrations", "last run", EM_MARK_BAD, &err);
    v.judged = db && !err.code;
    em_pending_status(config, direct, em_str_c(&look.state.place), &look.files.list, db, deadline,
                      &pending);
    em_doctor_pending(&v);
    v.killed = v.judged && is_killed(&v);
    if (v.judged) {
        add_ledger(&v);
        add_next(&v);
    }
}
