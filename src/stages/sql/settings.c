/* psql's variables as settings of the session: current_setting('embark.NAME'). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/lint/lint.h"
#include "embark/os/log/log.h"
#include "file.h"

static bool is_wanted(const struct em_sql_var *var)
{
    return var->changed && em_sql_vars_setting(var->name) && !em_sql_vars_builtin(var->name);
}

static void set_new(struct em_sql_run *run, const char *name, const char *value)
{
    if (!em_sql_vars_get(run->options.vars, name))
        em_sql_vars_set(run->options.vars, name, value);
}

void em_sql_settings_session(struct em_sql_run *run)
{
    char number[16];
    const char *version = em_db_parameter(run->db, "server_version");

    snprintf(number, sizeof(number), "%d", em_db_server_version(run->db));
    set_new(run, "SERVER_VERSION_NUM", number);
    set_new(run, "SERVER_VERSION_NAME", version ? version : "");
    set_new(run, "DBNAME", em_db_name(run->db));
    set_new(run, "USER", em_db_user(run->db));
    set_new(run, "HOST", em_db_host(run->db));
    set_new(run, "PORT", em_db_port(run->db));
    set_new(run, "ENCODING", "UTF8");
    set_new(run, "AUTOCOMMIT", "on");
    set_new(run, "ON_ERROR_STOP", run->options.go_on ? "off" : "on");
}

/* Some statements have to be the first of their transaction (SET TRANSACTION), so within one
 * nothing is put before a statement that doesn't need it. */
static bool may_send(const struct em_sql_run *run, const char *statement)
{
    switch (em_db_transaction(run->db)) {
    case EM_DB_IDLE:
        return true;
    case EM_DB_OPEN:
        return statement && strcasestr(statement, "embark.");
    case EM_DB_ABORTED:
    case EM_DB_UNKNOWN:
    default:
        return false;
    }
}

struct values {
    const char **v; /* name, value, name, value… */
    size_t n;
};

/* As parameters: the values are in no statement's text, so not in pg_stat_activity. */
static void build(struct em_sql_run *run, struct values *values, struct em_list *names,
                  struct em_str *sql)
{
    struct em_sql_vars *vars = run->options.vars;

    values->v = em_alloc((vars->n * 2 + 1) * sizeof(*values->v));
    for (size_t i = 0; i < vars->n; i++) {
        EM_STR_AUTO name = EM_STR_INIT;

        if (!is_wanted(&vars->v[i]))
            continue;
        em_str_printf(&name, "embark.%s", vars->v[i].name);
        em_str_printf(sql, "%s pg_catalog.set_config($%zu, $%zu, false)",
                      values->n ? "," : "SELECT", values->n + 1, values->n + 2);
        em_list_add(names, em_str_c(&name));
        values->v[values->n++] = names->v[names->n - 1];
        values->v[values->n++] = vars->v[i].value;
    }
}

static void mark_sent(struct em_sql_run *run, bool in_transaction)
{
    for (size_t i = 0; i < run->options.vars->n; i++) {
        struct em_sql_var *var = &run->options.vars->v[i];

        if (is_wanted(var))
            var->undoable = in_transaction;
        var->changed = false;
    }
}

int em_sql_settings_send(struct em_sql_run *run, const char *statement, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_LIST_AUTO names = EM_LIST_INIT;
    struct values values = {NULL, 0};
    struct em_db_failure failure;
    int code = 0;

    if (!may_send(run, statement))
        return 0;
    build(run, &values, &names, &sql);
    if (values.n)
        code = em_db_query(run->db, run->options.until, &failure, err, em_str_c(&sql),
                           (int)values.n, values.v);
    free(values.v);
    mark_sent(run, em_db_transaction(run->db) != EM_DB_IDLE);
    if (code == 0 || code > 128 || !failure.sqlstate[0] ||
        em_db_transaction(run->db) == EM_DB_UNKNOWN)
        return code;
    em_context(err, "the variables can't be set as embark.NAME");
    err->code = EM_EXIT_SQL;
    run->failures++;
    em_log_err(EM_LOG_ERROR, run->options.step, err);
    return run->options.go_on ? 0 : EM_EXIT_SQL;
}

void em_sql_settings_after(struct em_sql_run *run, const char *tag)
{
    bool all = em_starts(tag, "DISCARD") || em_starts(tag, "RESET");
    bool back = em_starts(tag, "ROLLBACK");

    for (size_t i = 0; i < run->options.vars->n; i++) {
        struct em_sql_var *var = &run->options.vars->v[i];

        if (all || (back && var->undoable))
            var->changed = true;
    }
}
