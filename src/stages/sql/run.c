#include "embark/stages/sql/run.h"

#include <string.h>
#include <unistd.h>

#include "embark/core/sql/lint/dump.h"
#include "embark/os/log/log.h"
#include "embark/stages/sql/check.h"
#include "file.h"

/* ---- The session ---- */

/* So that the server ends a long statement soon after embark was killed (PostgreSQL 14; an older
 * one, or one on a system that can't, says no, which doesn't matter). */
static int watch_client(struct em_sql_run *run, struct em_err *err)
{
    struct em_db_failure failure;
    EM_ERR_AUTO refused = EM_ERR_INIT;
    const char *const value = "2s";

    if (em_db_server_version(run->db) < 140000)
        return 0;
    if (em_db_query(run->db, run->options.until, &failure, &refused,
                    "SELECT pg_catalog.set_config('client_connection_check_interval', $1, false)",
                    1, &value) == 0 ||
        failure.sqlstate[0])
        return 0;
    return em_fail(err, refused.code, "%s", em_str_c(&refused.text));
}

static void say_skipped(const struct em_sql_run *run)
{
    const struct em_sql_vars *vars = run->options.vars;

    for (size_t i = 0; i < vars->n; i++)
        if (!em_sql_vars_setting(vars->v[i].name))
            em_log(
                EM_LOG_INFO, run->options.step,
                "the variable %s is not set as embark.%s, as settings' names start with a letter",
                vars->v[i].name, vars->v[i].name);
}

int em_sql_run_start(struct em_sql_run *run, struct em_db *db, const struct em_sql_options *options,
                     struct em_err *err)
{
    int code;

    memset(run, 0, sizeof(*run));
    run->db = db;
    run->options = *options;
    run->output = -1;
    say_skipped(run);
    for (size_t i = 0; i < options->vars->n; i++)
        options->vars->v[i].changed = true;
    em_sql_settings_session(run);
    code = watch_client(run, err);
    if (code == 0)
        code = em_sql_settings_send(run, NULL, err);
    run->began = options->one_transaction || options->callers;
    if (code == 0 && run->began)
        code = em_db_query(db, options->until, NULL, err,
                           options->callers ? "BEGIN READ WRITE" : "BEGIN", 0, NULL);
    if (code == 0 && run->began)
        code = em_sql_hold(run, err);
    return code;
}

void em_sql_run_free(struct em_sql_run *run)
{
    em_str_wipe(&run->previous);
    em_str_free(&run->restricted);
    em_str_free(&run->ended_by);
    if (run->output > STDERR_FILENO)
        close(run->output);
    run->output = -1;
}

/* COMMIT in a transaction that failed is a ROLLBACK, and no error. */
static int commit(struct em_sql_run *run, struct em_err *err)
{
    struct em_db_failure failure;
    int code = em_db_query(run->db, run->options.until, &failure, err, "COMMIT", 0, NULL);

    if (code == 0 && strcmp(em_db_tag(run->db), "ROLLBACK") == 0)
        code = em_fail(err, EM_EXIT_SQL, "the transaction had failed, and was rolled back");
    else if (code && code < 128 && failure.sqlstate[0])
        code = em_fail(err, EM_EXIT_SQL, "COMMIT failed: %s", em_str_c(&err->text));
    if (code == EM_EXIT_SQL)
        em_log_err(EM_LOG_ERROR, run->options.step, err);
    return code;
}

int em_sql_run_end(struct em_sql_run *run, struct em_err *err)
{
    if (em_db_transaction(run->db) == EM_DB_IDLE)
        return 0;
    if (run->began && !run->warned)
        return commit(run, err);
    em_fail(err, EM_EXIT_SQL, "a transaction was begun and not ended: it is rolled back");
    em_hint(err, "write COMMIT at its end, or leave BEGIN out and use -1");
    em_log_err(EM_LOG_ERROR, run->options.step, err);
    return EM_EXIT_SQL;
}

/* ---- One file ---- */

static int take_event(struct em_sql_file *file, enum em_sql_event event, struct em_err *err)
{
    struct em_sql_split *split = &file->split;
    size_t start, length;
    bool closed;

    if (event == EM_SQL_META)
        return em_sql_meta_run(file, err);
    if (em_sql_conds_active(&file->conds))
        return em_sql_execute(file, EM_SQL_SHOW, NULL, 0, err);
    /* In a branch that isn't taken, a COPY's data isn't SQL either. (The text is cut off at the
     * branch's end.) */
    for (; split->copies > 0 && em_sql_split_has_data(split); split->copies--)
        em_sql_split_data(split, &start, &length, &closed);
    split->copies = 0;
    return 0;
}

static int run_events(struct em_sql_file *file, struct em_err *err)
{
    enum em_sql_event event = EM_SQL_META;
    int code = 0;

    while (code == 0 && event != EM_SQL_REST && !file->quit) {
        event = em_sql_split_next(&file->split);
        if (event == EM_SQL_END)
            break;
        code = take_event(file, event, err);
    }
    /* As psql, \q included: a statement without its semicolon is one. */
    if (code == 0 && file->quit && file->split.text.bytes.len)
        code = take_event(file, EM_SQL_REST, err);
    for (size_t i = 0; i < file->conds.n && code == 0 && !file->quit; i++)
        code = em_sql_wrong(file, file->conds.v[i].offset, err, NULL,
                            "this \\if has no \\endif at the file's end");
    return code;
}

int em_sql_run_text(struct em_sql_run *run, const char *name, const char *bytes, size_t length,
                    struct em_err *err)
{
    struct em_sql_file file = {.run = run, .source = em_sql_source(name, bytes, length)};
    EM_STR_AUTO hint = EM_STR_INIT;
    size_t at;
    const char *what = em_sql_no_text(bytes, length, &at, &hint);
    int code;

    if (what)
        return em_sql_wrong(&file, at, err, em_str_c(&hint), "%s", what);
    em_sql_split_start(&file.split, &file.source, run->options.vars);
    code = run_events(&file, err);
    em_sql_split_free(&file.split);
    em_sql_conds_free(&file.conds);
    return code;
}

static int run_loaded(struct em_sql_run *run, int code, const char *name,
                      const struct em_str *bytes, struct em_err *err)
{
    if (code == 0)
        return em_sql_run_text(run, name, em_str_c(bytes), bytes->len, err);
    if (code != EM_EXIT_SQL)
        return code;
    em_log_err(EM_LOG_ERROR, run->options.step, err);
    run->failures++;
    return run->options.go_on ? 0 : code;
}

int em_sql_run_file(struct em_sql_run *run, const char *path, struct em_err *err)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    int code = em_sql_load(path, &bytes, err);

    return run_loaded(run, code, em_sql_name(path), &bytes, err);
}

int em_sql_run_included(struct em_sql_file *file, const char *path, bool relative,
                        struct em_err *err)
{
    EM_STR_AUTO full = EM_STR_INIT;
    EM_STR_AUTO bytes = EM_STR_INIT;
    int code = em_sql_load_included(file->source.name, path, relative, &full, &bytes, err);

    return run_loaded(file->run, code, em_str_c(&full), &bytes, err);
}
