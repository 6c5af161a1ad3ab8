#include "embark/stages/sql_migrations.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/sql_lint.h"
#include "embark/core/sql_vars.h"
#include "embark/os/clock.h"
#include "embark/os/files.h"
#include "embark/os/log.h"
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
    if (paths->n)
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
        em_sql_check_file(&lint, paths.v[i]);
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

static int read_records(struct work *w, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {w->what->config->migrate_lock};
    em_str_printf(&sql,
                  "CREATE TABLE IF NOT EXISTS %s (scope text NOT NULL, name text NOT NULL,"
                  " sha256 text NOT NULL, state text NOT NULL, run text NOT NULL,"
                  " started_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
                  " finished_at timestamptz, PRIMARY KEY (scope, name))",
                  em_str_c(&w->table));
    int code = command(w, em_str_c(&sql), 0, NULL, err);
    if (code)
        return code;
    em_str_cut(&sql, 0);
    em_str_printf(&sql, "SELECT name, state FROM %s WHERE scope = $1", em_str_c(&w->table));
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
    em_str_printf(&sql,
                  "INSERT INTO %s AS f (scope, name, sha256, state, run, finished_at)"
                  " VALUES ($1, $2, $3, $4, $5, CASE WHEN $4 = 'running' THEN NULL ELSE"
                  " clock_timestamp() END) ON CONFLICT (scope, name) DO UPDATE SET sha256 = $3,"
                  " state = $4, run = $5, finished_at = EXCLUDED.finished_at",
                  em_str_c(&w->table));
    return command(w, em_str_c(&sql), 5, values, err);
}

/* ---- One file ---------------------------------------------------------------------------------- */

/* In the first comment, which is all that stands before the first statement. */
static bool wants_no_transaction(const char *text)
{
    const char *p = text + strspn(text, " \t\r\n");
    if (strncmp(p, "--", 2) != 0 && strncmp(p, "/*", 2) != 0)
        return false;
    size_t length =
        p[1] == '-' ? strcspn(p, "\n") : (size_t)(strstr(p, "*/") ? strstr(p, "*/") - p : 0);
    EM_FREE char *comment = em_strndup(p, length);
    return strcasestr(comment, "embark: no transaction") != NULL;
}

static int run_text(struct work *w, const char *path, const struct em_str *text, struct em_err *err)
{
    struct em_sql_vars vars;
    struct em_sql_options options = {"migrate", false, false, EM_NEVER, &vars};
    struct em_sql_run run;
    memset(&vars, 0, sizeof vars);
    int code = em_sql_run_start(&run, w->db, &options, err);
    if (code == 0)
        code = em_sql_run_text(&run, path, em_str_c(text), text->len, err);
    w->said = code == EM_EXIT_SQL;
    em_sql_run_free(&run);
    em_sql_vars_free(&vars);
    return code;
}

static int in_transaction(struct work *w, const char *path, const char *hash,
                          const struct em_str *text, struct em_err *err)
{
    int code = command(w, "BEGIN READ WRITE", 0, NULL, err);
    if (code == 0)
        code = run_text(w, path, text, err);
    if (code)
        return code;
    if (em_db_transaction(w->db) != EM_DB_OPEN) {
        em_fail(err, EM_EXIT_SQL, "%s ends the transaction that it is run in", path);
        em_hint(err, "take its COMMIT or ROLLBACK out, or start it with the comment "
                     "-- embark: no transaction; what it did before is done, and not recorded");
        return EM_EXIT_SQL;
    }
    code = record(w, last_component(path), hash, "applied", err);
    return code ? code : command(w, "COMMIT", 0, NULL, err);
}

static int without_transaction(struct work *w, const char *path, const char *hash,
                               const struct em_str *text, struct em_err *err)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    const char *name = last_component(path);
    int code = record(w, name, hash, "running", err);
    if (code)
        return code;
    code = run_text(w, path, text, err);
    if (code == 0)
        return record(w, name, hash, "applied", err);
    if (code == EM_EXIT_SQL) {
        /* It may have left a transaction of its own open, aborted. */
        command(w, "ROLLBACK", 0, NULL, &ignored);
        record(w, name, hash, "failed", &ignored);
        em_log_hint(EM_LOG_ERROR, "migrate",
                    "mend the database by hand, then: embark migrate --resolve FILE (it is applied "
                    "now), or --resolve FILE --as pending (run it again)",
                    "%s runs without a transaction, and has stopped half-way", name);
    }
    return code;
}

static int apply_file(struct work *w, const char *path, struct em_err *err)
{
    EM_STR_AUTO text = EM_STR_INIT;
    char hash[EM_HEX_DIGEST];
    em_time start = em_now();
    int code = em_sql_load(path, &text, err);
    if (code)
        return code;
    em_hex_sha256(em_str_c(&text), text.len, hash);
    code = wants_no_transaction(em_str_c(&text)) ? without_transaction(w, path, hash, &text, err)
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
        em_fail(err, EM_EXIT_SQL, "%s, in an earlier run, and without a transaction",
                em_str_c(&w->half_made));
        em_hint(err,
                "mend the database by hand, then: embark migrate --resolve FILE (it is applied "
                "now), or --resolve FILE --as pending (run it again)");
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
    int code = em_db_open(w.what->url, w.what->application, em_in(LOGIN_LIMIT), &w.db, NULL, &err);
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

int em_sql_migrations_resolve(struct em_db *db, const struct em_config *config, const char *file,
                              bool applied, struct em_err *err)
{
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {config->migrate_lock, last_component(file)};
    em_sql_migrations_table(config, &table);
    em_str_printf(&sql,
                  applied ? "UPDATE %s SET state = 'applied', finished_at = clock_timestamp()"
                          : "DELETE FROM %s",
                  em_str_c(&table));
    em_str_puts(&sql, " WHERE scope = $1 AND name = $2 AND state <> 'applied'");
    int code = em_db_query(db, em_in(RECORD_LIMIT), NULL, err, em_str_c(&sql), 2, values);
    if (code == 0 &&
        (strcmp(em_db_tag(db), "UPDATE 1") != 0 && strcmp(em_db_tag(db), "DELETE 1") != 0))
        code =
            em_fail(err, EM_EXIT_CONFIG, "%s has not failed half-way: there is nothing to resolve",
                    last_component(file));
    return code;
}
