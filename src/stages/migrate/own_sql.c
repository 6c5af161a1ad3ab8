#include "embark/stages/migrate/own_sql.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/sql/lint/down_marks.h"
#include "embark/core/sql/lint/lint.h"
#include "embark/core/sql/lint/transaction.h"
#include "embark/core/sql/variables.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "embark/stages/sql/check.h"
#include "embark/stages/sql/run.h"
#include "own_sql_records.h"

#define LOGIN_LIMIT EM_SEC(15)

static void lint_file(struct em_sql_lint *lint, const char *path)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (em_sql_load(path, &text, &err) != 0) {
        em_errs_take(&lint->errs, &err);
        return;
    }
    if (!em_sql_has_no_down_marks(path, em_str_c(&text), &err)) {
        em_errs_take(&lint->errs, &err);
        return;
    }
    em_sql_check_text(lint, path, em_str_c(&text), text.len);
    if (!em_sql_wants_no_transaction(em_str_c(&text))) {
        struct em_sql_source source = em_sql_source(path, em_str_c(&text), text.len);
        em_sql_lint_transaction(lint, &source);
    }
}

bool em_sql_migrations_lint(const struct em_config *config, struct em_errs *errs,
                            struct em_errs *warnings)
{
    struct em_sql_lint lint;
    EM_LIST_AUTO paths = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    size_t before = errs->n;
    memset(&lint, 0, sizeof lint);
    if (em_sql_migrations_list(config, &paths, &err) != 0)
        em_errs_take(errs, &err);
    for (size_t i = 0; i < paths.n; i++)
        lint_file(&lint, paths.v[i]);
    for (size_t i = 0; i < lint.errs.n; i++)
        em_errs_take(errs, &lint.errs.v[i]);
    for (size_t i = 0; i < lint.warnings.n; i++)
        em_errs_take(warnings, &lint.warnings.v[i]);
    em_sql_lint_free(&lint);
    return errs->n == before;
}

/* ---- The records ------------------------------------------------------------------------------- */

/* One application of the folder. */
struct work {
    const struct em_sql_migrations *what;
    struct em_db *db;
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
static int run_text(struct work *w, const char *path, const struct em_str *text, bool held,
                    bool *ended, struct em_err *err)
{
    struct em_sql_vars vars;
    struct em_sql_options options = {
        .step = "migrate", .until = EM_NEVER, .vars = &vars, .to_log = true, .callers = held};
    struct em_sql_run run;
    memset(&vars, 0, sizeof vars);
    int code = em_sql_run_start(&run, w->db, &options, err);
    if (code == 0)
        code = em_sql_run_text(&run, path, em_str_c(text), text->len, err);
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
static void stopped_half_way(struct work *w, const char *name, const char *hash, const char *why)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    int code = reconnect(w, &ignored);
    /* It may have left a transaction of its own open, and be another role now. */
    if (code == 0)
        command(w, "ROLLBACK", 0, NULL, &ignored);
    if (code == 0)
        command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, &ignored);
    if (code || em_sql_records_note(&w->records, name, hash, "failed", &ignored) != 0)
        em_log(EM_LOG_WARN, "migrate", "that %s failed can't be recorded: %s", name,
               em_str_c(&ignored.text));
    em_log_hint(EM_LOG_ERROR, "migrate", MEND_IT, "%s %s, and has stopped half-way", name, why);
}

/* The transaction is embark's own. What ends it nobody may have seen before: an included file, a
 * variable, \gexec. */
static int in_transaction(struct work *w, const char *path, const char *hash,
                          const struct em_str *text, struct em_err *err)
{
    bool ended = false;
    int code = run_text(w, path, text, true, &ended, err);
    if (ended) {
        stopped_half_way(w, em_base_name(path), hash, "ends the transaction that it is run in");
        w->said = true;
        return code ? code
                    : em_fail(err, EM_EXIT_SQL, "%s ends the transaction that it is run in", path);
    }
    if (code == 0)
        code = command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, err);
    if (code == 0)
        code = em_sql_records_note(&w->records, em_base_name(path), hash, "applied", err);
    return code ? code : command(w, "COMMIT", 0, NULL, err);
}

static int without_transaction(struct work *w, const char *path, const char *hash,
                               const struct em_str *text, struct em_err *err)
{
    const char *name = em_base_name(path);
    bool ended;
    int code = em_sql_records_note(&w->records, name, hash, "running", err);
    if (code)
        return code;
    code = run_text(w, path, text, false, &ended, err);
    if (code == 0 && em_db_transaction(w->db) != EM_DB_IDLE) {
        code = em_fail(err, EM_EXIT_SQL, "%s begins a transaction and does not end it", path);
        em_log_err(EM_LOG_ERROR, "migrate", err);
        w->said = true;
    }
    if (code == EM_EXIT_SQL)
        stopped_half_way(w, name, hash, "runs without a transaction");
    if (code == 0)
        code = command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, err);
    return code ? code : em_sql_records_note(&w->records, name, hash, "applied", err);
}

static int apply_file(struct work *w, const char *path, struct em_err *err)
{
    EM_STR_AUTO text = EM_STR_INIT;
    char hash[EM_HEX_DIGEST];
    em_time start = em_now();
    int code = em_sql_load(path, &text, err);
    if (code == 0)
        code = fresh_session(w, err);
    if (code)
        return code;
    em_hex_sha256(em_str_c(&text), text.len, hash);
    code = em_sql_wants_no_transaction(em_str_c(&text))
               ? without_transaction(w, path, hash, &text, err)
               : in_transaction(w, path, hash, &text, err);
    if (code == 0) {
        EM_STR_AUTO took = EM_STR_INIT;
        em_time_print(&took, em_now() - start);
        em_log(EM_LOG_INFO, "migrate", "applied %s in %s", em_base_name(path), em_str_c(&took));
    }
    return code;
}

static int hash_files(const struct em_list *paths, struct em_filelist *files, struct em_err *err)
{
    int code = 0;
    for (size_t i = 0; i < paths->n && code == 0; i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        code = em_sql_load(paths->v[i], &text, err);
        /* Also where the check step was left out. */
        if (code == 0 && !em_sql_has_no_down_marks(paths->v[i], em_str_c(&text), err))
            code = err->code;
        em_filelist_add(files, em_base_name(paths->v[i]), em_str_c(&text), text.len);
    }
    return code;
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
    EM_LIST_AUTO paths = EM_LIST_INIT;
    EM_FILELIST_AUTO files = EM_FILELIST_INIT;
    EM_APPLIED_AUTO applied = {0};
    int code = em_sql_migrations_list(w->what->config, &paths, err);
    if (code == 0)
        code = hash_files(&paths, &files, err);
    if (code == 0)
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
    say_matches(&applied);
    code = em_sql_records_adopt(&w->records, &files, &applied, err);
    for (size_t i = 0; i < paths.n && code == 0; i++)
        if (em_list_has(&applied.pending, em_base_name(paths.v[i])))
            code = apply_file(w, paths.v[i], err);
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
    return code;
}

int em_sql_migrations_resolve(struct em_db *db, const struct em_config *config, const char *file,
                              const char *place, bool applied, struct em_err *err)
{
    struct em_sql_records records = {.db = db, .config = config, .place = place, .run = ""};
    EM_STR_AUTO begin = EM_STR_INIT;
    char key[24];
    const char *values[] = {key};
    snprintf(key, sizeof key, "%lld", (long long)em_lock_key(config->migrate_lock));
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
        code = em_sql_records_resolve(&records, em_base_name(file), applied, err);
    em_sql_records_free(&records);
    return code ? code : em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, "COMMIT", 0, NULL);
}
