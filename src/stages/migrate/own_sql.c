#include "embark/stages/migrate/own_sql.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/sql/lint/lint.h"
#include "embark/core/sql/lint/transaction.h"
#include "embark/core/sql/variables.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/files/own_sql.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "embark/stages/sql/check.h"
#include "embark/stages/sql/run.h"
#include "own_sql_records.h"

#define LOGIN_LIMIT EM_SEC(15)

static void lint_file(struct em_sql_lint *lint, const struct em_sql_tree_file *file)
{
    em_sql_check_text(lint, file->path, em_str_c(&file->run), file->run.len);
    if (!file->alone) {
        struct em_sql_source source =
            em_sql_source(file->path, em_str_c(&file->run), file->run.len);
        em_sql_lint_transaction(lint, &source);
    }
}

static void take_all(struct em_errs *from, struct em_errs *to)
{
    for (size_t i = 0; i < from->n; i++)
        em_errs_take(to, &from->v[i]);
}

bool em_sql_migrations_lint(const struct em_config *config, struct em_errs *errs,
                            struct em_errs *warnings)
{
    struct em_sql_lint lint;
    EM_SQL_TREE_AUTO tree = {0};
    size_t before = errs->n;
    memset(&lint, 0, sizeof lint);
    em_sql_folder_look(config, &tree);
    em_sql_tree_cut(&tree);
    for (size_t i = 0; i < tree.n && !tree.errs.n; i++)
        lint_file(&lint, &tree.v[i]);
    take_all(&tree.errs, errs);
    take_all(&tree.unset, warnings); /* a deployment's values may not be there yet */
    take_all(&lint.errs, errs);
    take_all(&lint.warnings, warnings);
    em_sql_lint_free(&lint);
    return errs->n == before;
}

/* ---- The records ------------------------------------------------------------------------------- */

/* One application of the folder. */
struct work {
    const struct em_sql_migrations *what;
    struct em_db *db;
    struct em_sql_tree tree;
    struct em_sql_records records;
    bool said; /* what failed was logged, with its place, as it happened */
};

static int command(const struct work *w, const char *sql, int count, const char *const *values,
                   struct em_err *err)
{
    return em_db_query(w->db, em_in(EM_RECORD_LIMIT), NULL, err, sql, count, values);
}

/* What a file has set (search_path = '' in a dump) is not for the next one. The role may have
 * default_transaction_read_only set. */
static int fresh_session(const struct work *w, struct em_err *err)
{
    int code = command(w, "DISCARD ALL", 0, NULL, err);
    return code ? code
                : command(w, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", 0, NULL, err);
}

/* ---- One file ---------------------------------------------------------------------------------- */

/* `held`: in a transaction that is begun for it; *ended: it ended that. */
static int run_text(struct work *w, const struct em_sql_tree_file *file, bool held, bool *ended,
                    struct em_err *err)
{
    struct em_sql_vars vars;
    struct em_sql_options options = {
        .step = "migrate", .until = EM_NEVER, .vars = &vars, .to_log = true, .callers = held};
    struct em_sql_run run;
    memset(&vars, 0, sizeof vars);
    int code = em_sql_run_start(&run, w->db, &options, err);
    if (code == 0)
        code = em_sql_run_text(&run, file->path, em_str_c(&file->run), file->run.len, err);
    w->said = code == EM_EXIT_SQL;
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
    if (code || em_sql_records_note(&w->records, file->name, file->hash, "failed", &ignored) != 0)
        em_log(EM_LOG_WARN, "migrate", "that %s failed can't be recorded: %s", file->name,
               em_str_c(&ignored.text));
    em_log_hint(EM_LOG_ERROR, "migrate", MEND_IT, "%s %s, and has stopped half-way", file->name,
                why);
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
        code = em_sql_records_note(&w->records, file->name, file->hash, "applied", err);
    return code ? code : command(w, "COMMIT", 0, NULL, err);
}

static int without_transaction(struct work *w, const struct em_sql_tree_file *file,
                               struct em_err *err)
{
    bool ended;
    int code = em_sql_records_note(&w->records, file->name, file->hash, "running", err);
    if (code)
        return code;
    code = run_text(w, file, false, &ended, err);
    if (code == 0 && em_db_transaction(w->db) != EM_DB_IDLE) {
        code = em_fail(err, EM_EXIT_SQL, "%s begins a transaction and does not end it", file->path);
        em_log_err(EM_LOG_ERROR, "migrate", err);
        w->said = true;
    }
    if (code == EM_EXIT_SQL)
        stopped_half_way(w, file, "runs without a transaction");
    if (code == 0)
        code = command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, err);
    return code ? code : em_sql_records_note(&w->records, file->name, file->hash, "applied", err);
}

static int apply_file(struct work *w, const struct em_sql_tree_file *file, struct em_err *err)
{
    em_time start = em_now();
    int code = fresh_session(w, err);
    if (code)
        return code;
    code = file->alone ? without_transaction(w, file, err) : in_transaction(w, file, err);
    if (code == 0) {
        EM_STR_AUTO took = EM_STR_INIT;
        em_time_print(&took, em_now() - start);
        em_log(EM_LOG_INFO, "migrate", "applied %s in %s", file->name, em_str_c(&took));
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

static int apply_all(struct work *w, struct em_err *err)
{
    EM_FILELIST_AUTO files = EM_FILELIST_INIT;
    EM_APPLIED_AUTO applied = {0};
    /* Also where the check step was left out. */
    int code = em_sql_folder_read(w->what->config, &w->tree, err);
    if (code)
        return code;
    say_format(w);
    list_files(&w->tree, &files);
    code = em_sql_records_read(&w->records, err);
    if (code == 0 && w->records.half_made.len) {
        em_fail(err, EM_EXIT_SQL, "%s, in an earlier run, and outside of a transaction",
                em_str_c(&w->records.half_made));
        em_hint(err, MEND_IT);
        return EM_EXIT_SQL;
    }
    if (code)
        return code;
    em_applied_match(&files, &w->records.applied, &applied);
    find_again(&w->tree, &applied);
    say_matches(&applied);
    code = em_sql_records_adopt(&w->records, &files, &applied, err);
    for (size_t i = 0; i < w->tree.n && code == 0; i++)
        if (em_list_has(&applied.pending, w->tree.v[i].name))
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
    em_db_close(w.db);
    em_sql_records_free(&w.records);
    em_sql_tree_free(&w.tree);
    return code;
}

/* By which the records know it: it needn't be in the folder any more. */
static void record_name(const struct em_config *config, const char *file, struct em_str *name)
{
    EM_SQL_TREE_AUTO tree = {0};
    em_sql_folder_look(config, &tree);
    size_t at = em_sql_tree_find(&tree, file);
    em_str_puts(name, at < tree.n ? tree.v[at].name : em_base_name(file));
}

int em_sql_migrations_resolve(struct em_db *db, const struct em_config *config, const char *file,
                              const char *place, bool applied, struct em_err *err)
{
    struct em_sql_records records = {.db = db, .config = config, .place = place, .run = ""};
    EM_STR_AUTO begin = EM_STR_INIT;
    EM_STR_AUTO name = EM_STR_INIT;
    char key[24];
    const char *values[] = {key};
    snprintf(key, sizeof key, "%lld", (long long)em_lock_key(config->migrate_lock));
    record_name(config, file, &name);
    em_str_puts(&begin, "BEGIN READ WRITE; ");
    em_ledger_add_path(db, NULL, &begin);
    int code = em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, em_str_c(&begin), 0, NULL);
    if (code == 0)
        code = em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err,
                           "SELECT pg_catalog.pg_try_advisory_xact_lock($1::bigint)", 1, values);
    if (code == 0 && strcmp(em_db_value(db, 0, 0), "t") != 0)
        code = em_fail(err, EM_EXIT_LOCK,
                       "a migration runs just now (the lock \"%s\" is held): nothing is changed",
                       config->migrate_lock);
    if (code == 0)
        code = em_sql_records_read(&records, err);
    if (code == 0)
        code = em_sql_records_resolve(&records, em_str_c(&name), applied, err);
    em_sql_records_free(&records);
    return code ? code : em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, "COMMIT", 0, NULL);
}
