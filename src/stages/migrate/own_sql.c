#include "embark/stages/migrate/own_sql.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/base/backoff.h"
#include "embark/core/sql/lint/lint.h"
#include "embark/core/sql/variables.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/files/own_sql.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "embark/stages/migrate/sessions/settings.h"
#include "embark/stages/migrate/sessions/waits.h"
#include "embark/stages/sql/check.h"
#include "embark/stages/sql/run.h"
#include "own_sql_elsewhere.h"
#include "own_sql_records.h"
#include "tool_history.h"

#define LOGIN_LIMIT EM_SEC(15)

static void lint_file(struct em_sql_lint *lint, enum em_sql_format format,
                      const struct em_sql_tree_file *file)
{
    em_sql_lint_next(lint, file->alone ? NULL : em_sql_format_alone(format));
    if (lint->blocking)
        em_sql_blocking_file(lint->blocking, file->alone);
    em_sql_check_text(lint, file->path, em_str_c(&file->run), file->run.len);
}

static void take_all(struct em_errs *from, struct em_errs *to)
{
    for (size_t i = 0; i < from->n; i++)
        em_errs_take(to, &from->v[i]);
}

bool em_sql_migrations_lint(const struct em_config *config, bool all, struct em_errs *errs,
                            struct em_errs *warnings)
{
    struct em_sql_lint lint;
    struct em_sql_blocking blocking = {0};
    EM_SQL_TREE_AUTO tree = {0};
    size_t before = errs->n;
    memset(&lint, 0, sizeof lint);
    lint.blocking = all ? &blocking : NULL;
    em_sql_folder_look(config, &tree);
    em_sql_tree_cut(&tree);
    for (size_t i = 0; i < tree.n && !tree.errs.n; i++)
        lint_file(&lint, tree.format, &tree.v[i]);
    take_all(&tree.errs, errs);
    take_all(&tree.unset, warnings); /* a deployment's values may not be there yet */
    take_all(&lint.errs, errs);
    take_all(&lint.warnings, warnings);
    em_sql_lint_free(&lint);
    em_sql_blocking_free(&blocking);
    return errs->n == before;
}

/* ---- The records ------------------------------------------------------------------------------- */

/* One application of the folder. */
struct work {
    const struct em_sql_migrations *what;
    struct em_db *db;
    struct em_sql_tree tree;
    struct em_sql_records records;
    struct em_tool_history past;             /* what the files' tool has noted */
    const struct em_sql_tree_file *baseline; /* that is applied instead of all before it; NULL */
    em_time started;                         /* of the file that is applied */
    struct em_waits waits;
    struct em_backoff gaps; /* between two tries for a lock */
    unsigned retries;       /* that are left to the file */
    bool blocked;           /* it didn't get a lock, and may be tried again */
    bool said;              /* what failed was logged, with its place, as it happened */
};

static int command(const struct work *w, const char *sql, int count, const char *const *values,
                   struct em_err *err)
{
    return em_db_query(w->db, em_in(EM_RECORD_LIMIT), NULL, err, sql, count, values);
}

/* Prisma acts in the schema that its URL names. */
static const char *schema_of(const struct work *w)
{
    return w->tree.format == EM_SQL_PRISMA ? w->what->url->schema : NULL;
}

/* What a file has set (search_path = '' in a dump) is not for the next one. The role may have
 * default_transaction_read_only set. */
static int fresh_session(const struct work *w, struct em_err *err)
{
    const char *schema[] = {schema_of(w)};
    int code = command(w, "DISCARD ALL", 0, NULL, err);
    if (code == 0)
        code = command(w, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", 0, NULL, err);
    if (code || !schema[0])
        return code;
    return command(w,
                   "SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident($1), false)",
                   1, schema, err);
}

/* ---- One file ---------------------------------------------------------------------------------- */

static int settings(const struct work *w, enum em_setting_how how, struct em_err *err)
{
    return em_migration_settings_send(w->what->config, how, w->db, em_in(EM_RECORD_LIMIT), err);
}

/* What the statement has waited for was asked while it did. The parent keeps the migration lock and
 * the one deadline. */
static int pause_for_lock(void *ctx, struct em_err *err)
{
    struct work *w = ctx;
    EM_STR_AUTO length = EM_STR_INIT;
    em_time gap = em_backoff_next(&w->gaps), until = em_in(gap);
    w->retries--;
    em_time_print(&length, gap);
    em_log(EM_LOG_INFO, "migrate", "%s%s%s; tried again in %s, and %u times more",
           em_str_c(&err->text), w->waits.seen.len ? "; blocked by " : "", em_str_c(&w->waits.seen),
           em_str_c(&length), w->retries);
    em_str_cut(&w->waits.seen, 0);
    while (em_now() < until)
        if (em_wait_fd(-1, 0, until) == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
    em_err_free(err);
    return 0;
}

/* `held`: in a transaction that is begun for it; *ended: it ended that. */
static int run_text(struct work *w, const struct em_sql_tree_file *file, bool held, bool *ended,
                    struct em_err *err)
{
    struct em_sql_vars vars;
    struct em_sql_options options = {.step = "migrate",
                                     .until = EM_NEVER,
                                     .vars = &vars,
                                     .to_log = true,
                                     .callers = held,
                                     .alone = em_sql_format_alone(w->tree.format),
                                     .retries = &w->retries,
                                     .pause = pause_for_lock,
                                     .ctx = w};
    struct em_sql_run run;
    memset(&vars, 0, sizeof vars);
    int code = em_sql_run_start(&run, w->db, &options, err);
    if (code == 0)
        code = settings(w, held ? EM_SET_LOCAL : EM_SET_SESSION, err);
    if (code == 0)
        code = em_sql_run_text(&run, file->path, em_str_c(&file->run), file->run.len, err);
    w->blocked = held && run.blocked && code == EM_EXIT_SQL;
    w->said = code == EM_EXIT_SQL && !w->blocked;
    *ended = run.ended;
    em_sql_run_free(&run);
    em_sql_vars_free(&vars);
    return code;
}

#define MEND_IT                                                                               \
    "mend the database by hand, then: embark migrate --resolve FILE (it is applied now), or " \
    "--resolve FILE --as pending (run it again)"

/* The connection may be what broke. */
static int reconnect(struct work *w, struct em_err *err)
{
    if (em_db_transaction(w->db) != EM_DB_UNKNOWN)
        return 0;
    em_db_close(w->db);
    int code = em_db_open_for(EM_DB_USERS, w->what->url, w->what->application, em_in(LOGIN_LIMIT),
                              &w->db, NULL, err);
    w->records.db = w->db;
    return code;
}

static int note(const struct work *w, const struct em_sql_tree_file *file, const char *state,
                struct em_err *err)
{
    return em_sql_records_note(&w->records, file->name, file->hash, state, NULL, err);
}

/* It is not known what it did. */
static void stopped_half_way(struct work *w, const struct em_sql_tree_file *file, const char *why)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    int code = reconnect(w, &ignored);
    /* It may have left a transaction of its own open, and be another role now. */
    if (code == 0)
        command(w, "ROLLBACK", 0, NULL, &ignored);
    if (code == 0)
        command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, &ignored);
    if (code || note(w, file, "failed", &ignored) != 0)
        em_log(EM_LOG_WARN, "migrate", "that %s failed can't be recorded: %s", file->name,
               em_str_c(&ignored.text));
    em_log_hint(EM_LOG_ERROR, "migrate", MEND_IT, "%s %s, and has stopped half-way", file->name,
                why);
}

/* What a baseline stands for. */
static int note_covered(const struct work *w, const struct em_sql_tree_file *baseline,
                        struct em_err *err)
{
    int code = 0;
    for (size_t i = 0; i < w->tree.n && code == 0; i++) {
        const struct em_sql_tree_file *file = &w->tree.v[i];
        if (file != baseline && file->part != EM_SQL_REPEATED &&
            em_sql_compare_ids(w->tree.format, file->id, baseline->id) <= 0)
            code = em_sql_records_note(&w->records, file->name, file->hash, "applied",
                                       baseline->name, err);
    }
    return code;
}

static int note_applied(const struct work *w, const struct em_sql_tree_file *file,
                        struct em_err *err)
{
    int code = note(w, file, "applied", err);
    if (code == 0 && file == w->baseline)
        code = note_covered(w, file, err);
    if (code == 0 && w->what->config->migrate_keep_tool_table)
        code = em_tool_history_note(&w->past, w->db, &w->tree, file, em_now() - w->started, err);
    return code;
}

/* The transaction is embark's own. What ends it nobody may have seen before: an included file, a
 * variable, \gexec. */
static int in_transaction(struct work *w, const struct em_sql_tree_file *file, struct em_err *err)
{
    bool ended = false;
    int code = run_text(w, file, true, &ended, err);
    if (ended) {
        stopped_half_way(w, file, "ends the transaction that it is run in");
        w->said = true;
        return code ? code
                    : em_fail(err, EM_EXIT_SQL, "%s ends the transaction that it is run in",
                              file->path);
    }
    if (code == 0)
        code = command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, err);
    if (code == 0)
        code = note_applied(w, file, err);
    return code ? code : command(w, "COMMIT", 0, NULL, err);
}

static int without_transaction(struct work *w, const struct em_sql_tree_file *file,
                               struct em_err *err)
{
    bool ended;
    int code = note(w, file, "running", err);
    if (code)
        return code;
    code = run_text(w, file, false, &ended, err);
    if (code == 0 && em_db_transaction(w->db) != EM_DB_IDLE) {
        code = em_fail(err, EM_EXIT_SQL, "%s begins a transaction and does not end it", file->path);
        em_log_err(EM_LOG_ERROR, "migrate", err);
        w->said = true;
    }
    if (code == EM_EXIT_SQL && strcasestr(em_str_c(&file->run), "concurrently"))
        em_log(EM_LOG_WARN, "migrate",
               "an index that CONCURRENTLY has not finished is left INVALID: DROP INDEX it first");
    if (code == EM_EXIT_SQL)
        stopped_half_way(w, file, "runs without a transaction");
    if (code == 0)
        code = command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, err);
    if (code == 0)
        code = settings(w, EM_SET_BACK, err);
    return code ? code : note_applied(w, file, err);
}

/* What the first file would make is there (duplicate_table, _object, _schema, _function). */
static void hint_baseline(const struct work *w, const struct em_err *err)
{
    static const char *const states[] = {"42P07", "42710", "42P06", "42723"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!w->records.any && strstr(em_str_c(&err->text), states[i]))
            em_log_hint(
                EM_LOG_WARN, "migrate",
                "if it was made in another way, say so once: embark migrate --baseline FILE "
                "(the last file that is applied)",
                "nothing was recorded as applied in this database, and it is not empty");
}

static int try_in_transaction(struct work *w, const struct em_sql_tree_file *file,
                              struct em_err *err)
{
    int code;
    while ((code = in_transaction(w, file, err)) != 0 && w->blocked) {
        EM_ERR_AUTO failed = EM_ERR_INIT; /* no lock is held during the gap */
        code = command(w, "ROLLBACK", 0, NULL, &failed);
        if (code == 0)
            code = pause_for_lock(w, err);
        else
            em_fail(err, code, "%s", em_str_c(&failed.text));
        if (code == 0)
            code = fresh_session(w, err);
        if (code)
            break;
    }
    return code;
}

static int apply_file(struct work *w, const struct em_sql_tree_file *file, struct em_err *err)
{
    int code = fresh_session(w, err);
    w->started = em_now();
    w->retries = em_migration_retries(w->what->config);
    em_backoff_start(&w->gaps, EM_MS(500), EM_SEC(30), em_random_seed());
    if (code)
        return code;
    code = file->alone ? without_transaction(w, file, err) : try_in_transaction(w, file, err);
    if (code && w->waits.seen.len && strstr(em_str_c(&err->text), "55P03"))
        em_log(EM_LOG_ERROR, "migrate", "blocked by %s", em_str_c(&w->waits.seen));
    if (code)
        hint_baseline(w, err);
    w->records.any |= code == 0;
    if (code == 0) {
        EM_STR_AUTO took = EM_STR_INIT;
        em_time_print(&took, em_now() - w->started);
        em_log(EM_LOG_INFO, "migrate", "applied %s in %s%s", file->name, em_str_c(&took),
               file->alone ? ", with no transaction" : "");
    }
    return code;
}

static void list_files(const struct em_sql_tree *tree, struct em_filelist *files)
{
    for (size_t i = 0; i < tree->n; i++)
        em_filelist_add_hash(files, tree->v[i].name, tree->v[i].hash);
}

static void say_format(const struct work *w)
{
    if (w->tree.format != EM_SQL_OWN)
        em_log(EM_LOG_INFO, "migrate", "%s holds the files of %s (%s)", w->tree.folder,
               em_sql_format_tool(w->tree.format),
               w->tree.told ? "as [migrate] format says" : "as they tell themselves");
}

/* What is repeated is pending again when it has changed. */
static void find_again(const struct em_sql_tree *tree, struct em_applied *applied)
{
    EM_LIST_AUTO once = EM_LIST_INIT;
    for (size_t i = 0; i < applied->changed.n; i++) {
        size_t at = em_sql_tree_find(tree, applied->changed.v[i]);
        bool again = at < tree->n && tree->v[at].part == EM_SQL_REPEATED;
        em_list_add(again ? &applied->pending : &once, applied->changed.v[i]);
    }
    em_list_free(&applied->changed);
    applied->changed = once;
    once = (struct em_list)EM_LIST_INIT;
}

static void say_matches(const struct em_applied *applied)
{
    for (size_t i = 0; i < applied->was.n; i++)
        em_log(EM_LOG_INFO, "migrate", "%s is applied already, as %s: it was renamed",
               applied->now.v[i], applied->was.v[i]);
    for (size_t i = 0; i < applied->changed.n; i++)
        em_log_hint(EM_LOG_WARN, "migrate",
                    "a new migration is what changes a database; this one is not applied again",
                    "%s has changed since it was applied", applied->changed.v[i]);
}

/* A name that tells no tool is asked about only as long as embark has no records of its own. */
static bool may_have_history(const struct work *w)
{
    return w->tree.format != EM_SQL_OWN || (!w->tree.told && !w->records.any);
}

/* What was applied before embark came, or beside it. */
static int take_over(struct work *w, struct em_err *err)
{
    bool keep = w->what->config->migrate_keep_tool_table;
    int code = 0;
    w->past.schema = schema_of(w);
    if (may_have_history(w))
        code = em_tool_history_read(w->db, em_in(EM_RECORD_LIMIT), &w->tree, &w->past, err);
    if (code == 0 && may_have_history(w))
        code = em_tool_history_take_over(&w->past, &w->tree, &w->records, err);
    if (code == 0 && keep && w->tree.format == EM_SQL_OWN) {
        em_fail(err, EM_EXIT_CONFIG, "[migrate] keep_tool_table: %s's files are no other tool's",
                em_sql_format_tool(w->tree.format));
        return EM_EXIT_CONFIG;
    }
    if (code == 0 && keep && w->tree.format == EM_SQL_PAIRS) {
        em_fail(err, EM_EXIT_CONFIG,
                "[migrate] keep_tool_table: whose the files are can't be told");
        em_hint(err, "set [migrate] format = golang-migrate, or = sqlx");
        return EM_EXIT_CONFIG;
    }
    return code || !keep ? code : em_tool_history_keep(&w->past, &w->tree, &w->records, err);
}

/* The last one, in a database where nothing is applied; then all that it stands for is. */
static void choose_baseline(struct work *w)
{
    if (w->records.any || w->past.history.n)
        return;
    for (size_t i = 0; i < w->tree.n; i++)
        if (w->tree.v[i].part == EM_SQL_BASELINE)
            w->baseline = &w->tree.v[i];
    if (w->baseline)
        em_log(EM_LOG_INFO, "migrate", "nothing is applied: %s stands for all up to it",
               w->baseline->name);
}

static bool is_wanted(const struct work *w, const struct em_sql_tree_file *file,
                      const struct em_applied *applied)
{
    if (!em_list_has(&applied->pending, file->name))
        return false;
    if (file->part == EM_SQL_BASELINE)
        return file == w->baseline;
    return !w->baseline || file->part == EM_SQL_REPEATED ||
           em_sql_compare_ids(w->tree.format, file->id, w->baseline->id) > 0;
}

static int read_all(struct work *w, struct em_err *err)
{
    /* Also where the check step was left out. */
    int code = em_sql_folder_read(w->what->config, &w->tree, err);
    if (code)
        return code;
    say_format(w);
    code = em_sql_records_read(&w->records, err);
    if (code == 0 && w->records.half_made.len) {
        em_fail(err, EM_EXIT_SQL, "%s, in an earlier run, and outside of a transaction",
                em_str_c(&w->records.half_made));
        em_hint(err, MEND_IT);
        return EM_EXIT_SQL;
    }
    if (code == 0)
        code = em_sql_elsewhere_take_over(&w->records, &w->tree, err);
    return code ? code : take_over(w, err);
}

/* Also where the check step was left out: nothing is sent of a set in which one file can't work. */
static int look_at(struct work *w, const struct em_applied *applied, struct em_err *err)
{
    struct em_sql_lint lint;
    int code = 0;
    memset(&lint, 0, sizeof lint);
    for (size_t i = 0; i < w->tree.n; i++)
        if (is_wanted(w, &w->tree.v[i], applied))
            lint_file(&lint, w->tree.format, &w->tree.v[i]);
    for (size_t i = 0; i < lint.errs.n; i++)
        em_log_err(EM_LOG_ERROR, "migrate", &lint.errs.v[i]);
    if (lint.errs.n)
        code = em_fail(err, EM_EXIT_SQL, "%s", em_str_c(&lint.errs.v[0].text));
    w->said |= lint.errs.n > 0;
    em_sql_lint_free(&lint);
    return code;
}

static int apply_all(struct work *w, struct em_err *err)
{
    EM_FILELIST_AUTO files = EM_FILELIST_INIT;
    EM_APPLIED_AUTO applied = {0};
    int code = read_all(w, err);
    if (code)
        return code;
    list_files(&w->tree, &files);
    choose_baseline(w);
    em_applied_match(&files, &w->records.applied, &w->records.former, &applied);
    find_again(&w->tree, &applied);
    say_matches(&applied);
    code = em_sql_records_adopt(&w->records, &files, &applied, err);
    if (w->what->config->migrate_set.n || em_migration_retries(w->what->config))
        em_waits_start(&w->waits, w->what->url, w->what->application);
    if (code == 0)
        code = look_at(w, &applied, err);
    for (size_t i = 0; i < w->tree.n && code == 0; i++)
        if (is_wanted(w, &w->tree.v[i], &applied))
            code = apply_file(w, &w->tree.v[i], err);
    return code;
}

int em_sql_migrations_apply(void *sql_migrations)
{
    struct work w = {.what = sql_migrations};
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (w.what->close_fd >= 0)
        close(w.what->close_fd);
    int code = em_db_open_for(EM_DB_USERS, w.what->url, w.what->application, em_in(LOGIN_LIMIT),
                              &w.db, NULL, &err);
    w.records = (struct em_sql_records){
        .db = w.db, .config = w.what->config, .place = w.what->place, .run = w.what->run};
    if (code == 0)
        code = fresh_session(&w, &err);
    if (code == 0)
        code = apply_all(&w, &err);
    if (code && !w.said)
        em_log_err(EM_LOG_ERROR, "migrate", &err);
    em_waits_end(&w.waits);
    em_db_close(w.db);
    em_tool_history_free(&w.past);
    em_sql_records_free(&w.records);
    em_sql_tree_free(&w.tree);
    return code;
}
