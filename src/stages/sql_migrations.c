#include "embark/stages/sql_migrations.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/sql_lint.h"
#include "embark/core/sql_transaction.h"
#include "embark/core/sql_vars.h"
#include "embark/os/clock.h"
#include "embark/os/files.h"
#include "embark/os/log.h"
#include "embark/stages/lock.h"
#include "embark/stages/sql_check.h"
#include "embark/stages/sql_run.h"

#define RECORD_LIMIT EM_SEC(30)
#define LOGIN_LIMIT  EM_SEC(15)

bool em_sql_migrations_any(const struct em_config *config)
{
    return config->migrate_sql && *config->migrate_sql;
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Leading zeros don't count: 7_a.sql and 007_b.sql are the same number. */
static unsigned long long number_of(const char *path)
{
    return strtoull(last_component(path), NULL, 10);
}

static int by_number(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    unsigned long long x = number_of(*left), y = number_of(*right);
    return x < y ? -1 : x > y ? 1 : strcmp(*left, *right);
}

static int check_numbers(const struct em_list *paths, struct em_err *err)
{
    for (size_t i = 0; i < paths->n; i++) {
        if (!isdigit((unsigned char)last_component(paths->v[i])[0]))
            return em_fail(err, EM_EXIT_CONFIG,
                           "%s: a migration's name starts with its number: NNN_name.sql",
                           paths->v[i]);
        if (i && number_of(paths->v[i]) == number_of(paths->v[i - 1]))
            return em_fail(err, EM_EXIT_CONFIG, "%s and %s have the same number", paths->v[i - 1],
                           paths->v[i]);
    }
    return 0;
}

int em_sql_migrations_list(const struct em_config *config, struct em_list *paths,
                           struct em_err *err)
{
    DIR *dir = opendir(config->migrate_sql);
    if (!dir) {
        em_fail_errno(err, EM_EXIT_CONFIG, "[migrate] sql = %s", config->migrate_sql);
        em_hint(err, "the migrations may not have been copied into the image");
        return EM_EXIT_CONFIG;
    }
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        EM_STR_AUTO path = EM_STR_INIT;
        if (entry->d_name[0] == '.' || !em_ends(entry->d_name, ".sql"))
            continue;
        em_str_printf(&path, "%s/%s", config->migrate_sql, entry->d_name);
        em_list_add(paths, em_str_c(&path));
    }
    closedir(dir);
    if (!paths->n) {
        em_fail(err, EM_EXIT_CONFIG, "[migrate] sql = %s holds no .sql file", config->migrate_sql);
        em_hint(err, "the migrations may not have been copied into the image");
        return EM_EXIT_CONFIG;
    }
    qsort(paths->v, paths->n, sizeof *paths->v, by_number);
    return check_numbers(paths, err);
}

void em_sql_migrations_table(const struct em_config *config, struct em_str *out)
{
    const char *dot = strchr(config->migrate_ledger, '.');
    EM_STR_AUTO name = EM_STR_INIT;
    if (dot) {
        EM_FREE char *schema =
            em_strndup(config->migrate_ledger, (size_t)(dot - config->migrate_ledger));
        em_sql_quote_ident(out, schema);
        em_str_putc(out, '.');
    }
    em_str_printf(&name, "%s_files", dot ? dot + 1 : config->migrate_ledger);
    em_sql_quote_ident(out, em_str_c(&name));
}

static void lint_file(struct em_sql_lint *lint, const char *path)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (em_sql_load(path, &text, &err) != 0) {
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
    struct em_str table;
    struct em_list done;     /* names that are applied */
    bool said;               /* what failed was logged, with its place, as it happened */
    struct em_str half_made; /* a file that failed, or was interrupted, half-way; its state */
};

static int command(const struct work *w, const char *sql, int count, const char *const *values,
                   struct em_err *err)
{
    return em_db_query(w->db, em_in(RECORD_LIMIT), NULL, err, sql, count, values);
}

/* What a file has set (search_path = '' in a dump) is not for the next one. The role may have
 * default_transaction_read_only set. */
static int fresh_session(const struct work *w, struct em_err *err)
{
    int code = command(w, "DISCARD ALL", 0, NULL, err);
    return code ? code
                : command(w, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", 0, NULL, err);
}

/* The table's name with its schema, which it is called by from here on: a file may change
 * search_path. *there: whether there is one. */
static int find_table(struct work *w, bool *there, struct em_err *err)
{
    const char *values[] = {em_str_c(&w->table)};
    int code =
        command(w,
                "SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' "
                "OPERATOR(pg_catalog.||)"
                " pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c"
                " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)",
                1, values, err);
    *there = code == 0 && em_db_rows(w->db) > 0;
    if (*there) {
        em_str_cut(&w->table, 0);
        em_str_puts(&w->table, em_db_value(w->db, 0, 0));
    }
    return code;
}

/* IF NOT EXISTS alone would ask for the right to create tables where there is one already. The lock
 * is held, but only for this scope. */
static int make_table(struct work *w, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    bool there;
    int code = find_table(w, &there, err);
    if (code || there)
        return code;
    em_str_printf(
        &sql,
        "CREATE TABLE IF NOT EXISTS %s (scope pg_catalog.text NOT NULL, name pg_catalog.text NOT "
        "NULL,"
        " sha256 pg_catalog.text NOT NULL, state pg_catalog.text NOT NULL, run pg_catalog.text NOT "
        "NULL,"
        " started_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
        " finished_at pg_catalog.timestamptz, PRIMARY KEY (scope, name))",
        em_str_c(&w->table));
    code = command(w, em_str_c(&sql), 0, NULL, err);
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    int found = find_table(w, &there, &ignored);
    if (found == 0 && there) {
        em_err_free(err);
        return 0;
    }
    if (code == EM_EXIT_REFUSED) {
        em_context(err, "the table of applied files can't be made");
        em_hint(err, "GRANT CREATE ON SCHEMA … to the migration's role, or make it the database's "
                     "owner ([bootstrap] url does), or name a table that it may "
                     "create in [migrate] ledger (schema.table)");
    }
    return code;
}

static int read_records(struct work *w, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {w->what->config->migrate_lock};
    int code = make_table(w, err);
    if (code)
        return code;
    em_str_printf(&sql, "SELECT name, state FROM %s WHERE scope OPERATOR(pg_catalog.=) $1",
                  em_str_c(&w->table));
    code = command(w, em_str_c(&sql), 1, values, err);
    for (int row = 0; code == 0 && row < em_db_rows(w->db); row++) {
        const char *name = em_db_value(w->db, row, 0), *state = em_db_value(w->db, row, 1);
        if (strcmp(state, "applied") == 0)
            em_list_add(&w->done, name);
        else if (!w->half_made.len)
            em_str_printf(&w->half_made, "%s %s half-way", name,
                          strcmp(state, "failed") == 0 ? "failed" : "was interrupted");
    }
    return code;
}

/* "running", "applied" or "failed". */
static int record(const struct work *w, const char *name, const char *hash, const char *state,
                  struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {w->what->config->migrate_lock, name, hash, state, w->what->run};
    em_str_printf(
        &sql,
        "INSERT INTO %s AS f (scope, name, sha256, state, run, finished_at)"
        " VALUES ($1, $2, $3, $4, $5, CASE WHEN $4 OPERATOR(pg_catalog.=) 'running' THEN NULL ELSE"
        " pg_catalog.clock_timestamp() END) ON CONFLICT (scope, name) DO UPDATE SET sha256 = $3,"
        " state = $4, run = $5, finished_at = EXCLUDED.finished_at",
        em_str_c(&w->table));
    return command(w, em_str_c(&sql), 5, values, err);
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
    return em_db_open_for(EM_DB_USERS, w->what->url, w->what->application, em_in(LOGIN_LIMIT),
                          &w->db, NULL, err);
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
    if (code || record(w, name, hash, "failed", &ignored) != 0)
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
        stopped_half_way(w, last_component(path), hash, "ends the transaction that it is run in");
        w->said = true;
        return code ? code
                    : em_fail(err, EM_EXIT_SQL, "%s ends the transaction that it is run in", path);
    }
    if (code == 0)
        code = command(w, "SET SESSION AUTHORIZATION DEFAULT", 0, NULL, err);
    if (code == 0)
        code = record(w, last_component(path), hash, "applied", err);
    return code ? code : command(w, "COMMIT", 0, NULL, err);
}

static int without_transaction(struct work *w, const char *path, const char *hash,
                               const struct em_str *text, struct em_err *err)
{
    const char *name = last_component(path);
    bool ended;
    int code = record(w, name, hash, "running", err);
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
    return code ? code : record(w, name, hash, "applied", err);
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
        em_log(EM_LOG_INFO, "migrate", "applied %s in %s", last_component(path), em_str_c(&took));
    }
    return code;
}

static int apply_all(struct work *w, struct em_err *err)
{
    EM_LIST_AUTO paths = EM_LIST_INIT;
    int code = em_sql_migrations_list(w->what->config, &paths, err);
    if (code == 0)
        code = read_records(w, err);
    if (code == 0 && w->half_made.len) {
        em_fail(err, EM_EXIT_SQL, "%s, in an earlier run, and outside of a transaction",
                em_str_c(&w->half_made));
        em_hint(err, MEND_IT);
        return EM_EXIT_SQL;
    }
    for (size_t i = 0; i < paths.n && code == 0; i++)
        if (!em_list_has(&w->done, last_component(paths.v[i])))
            code = apply_file(w, paths.v[i], err);
    return code;
}

int em_sql_migrations_apply(void *sql_migrations)
{
    struct work w = {.what = sql_migrations};
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (w.what->close_fd >= 0)
        close(w.what->close_fd);
    em_sql_migrations_table(w.what->config, &w.table);
    int code = em_db_open_for(EM_DB_USERS, w.what->url, w.what->application, em_in(LOGIN_LIMIT),
                              &w.db, NULL, &err);
    if (code == 0)
        code = fresh_session(&w, &err);
    if (code == 0)
        code = apply_all(&w, &err);
    if (code && !w.said)
        em_log_err(EM_LOG_ERROR, "migrate", &err);
    em_db_close(w.db);
    em_list_free(&w.done);
    em_str_free(&w.half_made);
    em_str_free(&w.table);
    return code;
}

/* In a transaction, with the lock. */
static int set_state(struct em_db *db, const struct em_config *config, const char *name,
                     bool applied, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {config->migrate_lock, name};
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    em_str_puts(&sql, applied ? "UPDATE " : "DELETE FROM ");
    em_sql_migrations_table(config, &sql);
    em_str_printf(&sql,
                  "%s WHERE scope OPERATOR(pg_catalog.=) $1 AND name OPERATOR(pg_catalog.=) $2 AND "
                  "state OPERATOR(pg_catalog.<>) 'applied'",
                  applied ? " SET state = 'applied', finished_at = pg_catalog.clock_timestamp()"
                          : "");
    int code = em_db_query(db, em_in(RECORD_LIMIT), &failure, err, em_str_c(&sql), 2, values);
    bool one = code == 0 && em_ends(em_db_tag(db), " 1");
    if (one || (code && strcmp(failure.sqlstate, "42P01") != 0))
        return code;
    return em_fail(err, EM_EXIT_CONFIG, "%s has not failed half-way: there is nothing to resolve",
                   name);
}

int em_sql_migrations_resolve(struct em_db *db, const struct em_config *config, const char *file,
                              bool applied, struct em_err *err)
{
    char key[24];
    const char *values[] = {key};
    snprintf(key, sizeof key, "%lld", (long long)em_lock_key(config->migrate_lock));
    int code = em_db_query(db, em_in(RECORD_LIMIT), NULL, err, "BEGIN READ WRITE", 0, NULL);
    if (code == 0)
        code = em_db_query(db, em_in(RECORD_LIMIT), NULL, err,
                           "SELECT pg_catalog.pg_try_advisory_xact_lock($1::bigint)", 1, values);
    if (code == 0 && strcmp(em_db_value(db, 0, 0), "t") != 0)
        code = em_fail(err, EM_EXIT_LOCK,
                       "a migration runs just now (the lock \"%s\" is held): nothing is changed",
                       config->migrate_lock);
    if (code == 0)
        code = set_state(db, config, last_component(file), applied, err);
    return code ? code : em_db_query(db, em_in(RECORD_LIMIT), NULL, err, "COMMIT", 0, NULL);
}
