#include "embark/stages/ledger.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql_vars.h"
#include "embark/core/tool.h"
#include "embark/os/clock.h"
#include "embark/os/host.h"
#include "embark/os/log.h"
#include "embark/stages/sql_migrations.h"

/* Of the table's columns. A later embark adds what it lacks by ALTER TABLE … ADD COLUMN IF NOT
 * EXISTS and raises this; an older one goes on with the columns that it knows. */
#define LEDGER_VERSION "1"

bool em_ledger_wanted(const struct em_config *config)
{
    return strcmp(config->migrate_ledger, "off") != 0;
}

/* The table's name as an SQL identifier: "name" or "schema"."name". */
static void quote_table(const struct em_config *config, struct em_str *out)
{
    em_str_putc(out, '"');
    for (const char *p = config->migrate_ledger; *p; p++) {
        if (*p == '.')
            em_str_puts(out, "\".\"");
        else if (*p == '"')
            em_str_puts(out, "\"\"");
        else
            em_str_putc(out, *p);
    }
    em_str_putc(out, '"');
}

/* One value for the contents of every known tool's table in the database, NULL where there is none.
 * The tables differ in columns, so each row is taken as text; query_to_xml() is what runs a query
 * whose text is made at run time in the middle of another. The session's time zone and styles would
 * change the text, so they are set first, for this statement's transaction only: s.fixed is used in
 * the query's text, so it is computed before. Other sessions' temporary tables can't be read. */
static void add_digest_sql(const struct em_config *config, struct em_str *sql)
{
    em_str_puts(sql,
                "(SELECT encode(sha256(convert_to(string_agg(t.line, E'\\n' ORDER BY t.line "
                "COLLATE \"C\"), 'UTF8')), 'hex')"
                " FROM (SELECT n.nspname || '.' || c.relname || ' ' || query_to_xml(format("
                "'SELECT string_agg((embark_row.*)::text, E''\\n'' ORDER BY (embark_row.*)::text "
                "COLLATE \"C\") FROM %I.%I AS embark_row',"
                " n.nspname, c.relname) || s.fixed, true, false, '')::text AS line"
                " FROM (SELECT left(set_config('TimeZone', 'UTC', true) || set_config('DateStyle', "
                "'ISO', true) || set_config('IntervalStyle', 'postgres', true) || "
                "set_config('bytea_output', 'hex', true), 0)"
                " AS fixed OFFSET 0) s,"
                " pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND "
                "has_table_privilege(c.oid, 'SELECT') AND "
                "has_schema_privilege(n.oid, 'USAGE')"
                " AND c.relname IN (");
    for (size_t i = 0; em_tool_tables[i]; i++)
        em_str_printf(sql, "%s'%s'", i ? ", " : "", em_tool_tables[i]);
    if (em_sql_migrations_any(config)) {
        const char *dot = strchr(config->migrate_ledger, '.');
        EM_STR_AUTO name = EM_STR_INIT;
        em_str_printf(&name, "%s_files", dot ? dot + 1 : config->migrate_ledger);
        em_str_puts(sql, ", ");
        em_sql_quote_literal(sql, em_str_c(&name));
    }
    em_str_puts(sql, ")) t)");
}

/* Whether the table is there and ours to read, without an error that would abort a transaction. */
static int look(struct em_db *db, const char *table, em_time until, bool *readable,
                struct em_db_failure *failure, struct em_err *err)
{
    const char *values[] = {table};
    int code = em_db_query(
        db, until, failure, err,
        "SELECT to_regclass($1) IS NOT NULL AND has_table_privilege(to_regclass($1), 'SELECT')", 1,
        values);
    const char *found = code ? NULL : em_db_value(db, 0, 0);
    *readable = found && strcmp(found, "t") == 0;
    return code;
}

/* A question of a replica that may have to wait for another one's migration, which may have locked
 * the ledger or its tool's table. The server ends it, at half of the time: it doesn't notice that
 * we have given up, and each try would leave a backend that waits for the lock. What is sent in
 * one message is one transaction, so that the timeout is for this question only. */
static int ask(struct em_db *db, em_time until, struct em_db_failure *failure, const char *question,
               struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_time ms = (until - em_now()) / 2 / EM_MS(1);
    em_str_printf(&sql, "SET LOCAL statement_timeout = %d; %s",
                  ms < 1         ? 1
                  : ms > INT_MAX ? INT_MAX
                                 : (int)ms,
                  question);
    return em_db_query(db, until, failure, err, em_str_c(&sql), 0, NULL);
}

static char *copy(const struct em_db *db, int row, int column)
{
    const char *value = em_db_value(db, row, column);
    return value ? em_strdup(value) : NULL;
}

enum {
    COL_ID,
    COL_RUN,
    COL_OUTCOME,
    COL_HOST,
    COL_BUILD,
    COL_STARTED,
    COL_FILES,
    COL_DIGEST,
    COL_ERROR,
    COL_OUTPUT,
    COL_AGE,
    COL_NOW
};

/* In that order, but for the last. */
#define RUN_COLUMNS                                                                              \
    "r.id, r.run, r.outcome, r.host, r.build, to_char(r.started_at AT TIME ZONE 'UTC',"          \
    " 'YYYY-MM-DD HH24:MI:SS \"UTC\"'), r.files, r.tool_digest, r.error, r.output,"              \
    " (extract(epoch FROM clock_timestamp() - coalesce(r.finished_at, r.started_at)) * 1000000)" \
    "::bigint"

static void take_row(const struct em_db *db, int row, struct em_run_row *into)
{
    const char *age = em_db_value(db, row, COL_AGE);
    into->id = copy(db, row, COL_ID);
    into->run = copy(db, row, COL_RUN);
    into->outcome = copy(db, row, COL_OUTCOME);
    into->host = copy(db, row, COL_HOST);
    into->build = copy(db, row, COL_BUILD);
    into->started = copy(db, row, COL_STARTED);
    into->files = copy(db, row, COL_FILES);
    into->digest = copy(db, row, COL_DIGEST);
    into->error = copy(db, row, COL_ERROR);
    into->output = copy(db, row, COL_OUTPUT);
    into->age = age ? (em_time)strtoll(age, NULL, 10) : 0;
}

/* An error that names the table: "column … does not exist" alone tells nobody whose. */
static int named(int code, const struct em_config *config, const struct em_db_failure *failure,
                 struct em_err *err)
{
    if (!code)
        return 0;
    em_context(err, "the ledger %s", config->migrate_ledger);
    if (strcmp(failure->sqlstate, "42703") == 0)
        em_hint(err, "is that another program's table? [migrate] ledger names another one");
    return code;
}

/* Up to two rows: the newest run, and the newest good one (the same twice, where it is the same).
 * The digest stands in each of them, and alone in a row of its own when there is no run yet. */
static void read_sql(const struct em_config *config, const char *table, struct em_str *sql)
{
    EM_STR_AUTO scope = EM_STR_INIT;
    em_str_puts(sql, "WITH d AS MATERIALIZED (SELECT ");
    add_digest_sql(config, sql);
    em_sql_quote_literal(&scope, config->migrate_lock);
    em_str_printf(
        sql,
        " AS digest), runs AS ("
        "(SELECT * FROM %s WHERE scope = %s ORDER BY id DESC LIMIT 1) UNION ALL "
        "(SELECT * FROM %s WHERE scope = %s AND outcome = 'done' ORDER BY id DESC LIMIT 1))"
        " SELECT " RUN_COLUMNS
        ", d.digest FROM d LEFT JOIN runs r ON true ORDER BY r.id DESC NULLS LAST",
        table, em_str_c(&scope), table, em_str_c(&scope));
}

int em_ledger_read(struct em_db *db, const struct em_config *config, em_time until,
                   struct em_state *state, struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    struct em_db_failure local = {EM_DB_RETRY, ""};
    em_state_free(state);
    if (!em_ledger_wanted(config))
        return 0;
    failure = failure ? failure : &local;
    quote_table(config, &table);
    read_sql(config, em_str_c(&table), &sql);
    int code = ask(db, until, failure, em_str_c(&sql), err);
    if (code &&
        (strcmp(failure->sqlstate, "42P01") == 0 || strcmp(failure->sqlstate, "42501") == 0)) {
        em_err_free(err); /* a ledger that isn't there yet is no failure */
        return 0;
    }
    if (code)
        return named(code, config, failure, err);
    state->has_ledger = true;
    if (em_db_value(db, 0, COL_NOW))
        em_str_puts(&state->digest, em_db_value(db, 0, COL_NOW));
    for (int row = 0; row < em_db_rows(db); row++) {
        const char *outcome = em_db_value(db, row, COL_OUTCOME);
        if (row == 0 && outcome)
            take_row(db, row, &state->newest);
        if (outcome && !strcmp(outcome, "done") && !state->good.outcome)
            take_row(db, row, &state->good);
    }
    return 0;
}

enum em_ledger_news em_ledger_news(struct em_db *db, const struct em_config *config, em_time until,
                                   struct em_state *state)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO scope = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    const struct em_run_row *seen = &state->newest;
    if (!state->has_ledger)
        return EM_NEWS_UNKNOWN;
    quote_table(config, &table);
    em_sql_quote_literal(&scope, config->migrate_lock);
    em_str_printf(
        &sql, "SELECT " RUN_COLUMNS " FROM %s AS r WHERE r.scope = %s ORDER BY r.id DESC LIMIT 1",
        em_str_c(&table), em_str_c(&scope));
    if (ask(db, until, NULL, em_str_c(&sql), &ignored) != 0 || em_db_rows(db) != 1)
        return EM_NEWS_UNKNOWN;
    const char *id = em_db_value(db, 0, COL_ID), *outcome = em_db_value(db, 0, COL_OUTCOME);
    if (!id || !outcome)
        return EM_NEWS_UNKNOWN;
    if (seen->id && seen->outcome && !strcmp(id, seen->id) && !strcmp(outcome, seen->outcome))
        return EM_NEWS_NONE;
    if (strcmp(outcome, "done") != 0)
        return EM_NEWS_UNKNOWN;
    em_state_free(state);
    take_row(db, 0, &state->newest);
    take_row(db, 0, &state->good);
    state->has_ledger = true;
    em_str_puts(&state->digest, state->good.digest ? state->good.digest : "");
    return EM_NEWS_DONE;
}

/* The role may not do what the ledger needs: said, and no failure. */
static bool is_forbidden(const struct em_db_failure *failure, struct em_err *err)
{
    if (strcmp(failure->sqlstate, "42501") != 0 && strcmp(failure->sqlstate, "3F000") != 0)
        return false;
    em_log_hint(
        EM_LOG_WARN, "migrate",
        "GRANT CREATE ON SCHEMA … to the migration's role (or SELECT, INSERT, UPDATE on the "
        "table), or name a table that it may create in [migrate] ledger (schema.table), or "
        "set ledger = off",
        "the ledger can't be kept, so the migration runs at every start: %s", em_str_c(&err->text));
    em_err_free(err);
    return true;
}

/* A statement that writes, in a transaction that says so: the role may have
 * default_transaction_read_only set. What it returns in its first row and column is added to
 * `first` (NULL allowed). */
static int write_query(struct em_db *db, em_time until, struct em_db_failure *failure,
                       const char *sql, int count, const char *const *values, struct em_str *first,
                       struct em_err *err)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    int code = em_db_query(db, until, failure, err, "BEGIN READ WRITE", 0, NULL);
    if (code)
        return code;
    code = em_db_query(db, until, failure, err, sql, count, values);
    if (code == 0 && first && em_db_value(db, 0, 0))
        em_str_puts(first, em_db_value(db, 0, 0));
    if (code == 0)
        return em_db_query(db, until, failure, err, "COMMIT", 0, NULL);
    em_db_query(db, until, NULL, &ignored, "ROLLBACK", 0, NULL);
    return code;
}

/* Created under races with other scopes' replicas: CREATE TABLE IF NOT EXISTS is not atomic, and
 * the loser gets 23505 on pg_type_typname_nsp_index or pg_class_relname_nsp_index, or 42P07: it is
 * there then. */
static int create(struct em_db *db, const char *table, em_time until, bool *allowed,
                  struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    *allowed = true;
    em_str_printf(&sql,
                  "CREATE TABLE IF NOT EXISTS %s ("
                  "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                  "scope text NOT NULL,"
                  "run text NOT NULL,"
                  "started_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
                  "finished_at timestamptz,"
                  "outcome text NOT NULL,"
                  "host text NOT NULL,"
                  "build text,"
                  "command text NOT NULL,"
                  "files_sha256 text NOT NULL,"
                  "files text NOT NULL,"
                  "tool_digest text,"
                  "error text,"
                  "output text,"
                  "ledger_version integer NOT NULL DEFAULT " LEDGER_VERSION ")",
                  table);
    int code = write_query(db, until, &failure, em_str_c(&sql), 0, NULL, NULL, err);
    if (code && (!strcmp(failure.sqlstate, "23505") || !strcmp(failure.sqlstate, "42P07")))
        return 0;
    if (code && is_forbidden(&failure, err)) {
        *allowed = false;
        return 0;
    }
    return code;
}

/* What a row holds of the replica, in the order of the statement's parameters. */
struct texts {
    struct em_str host, command, build, list;
};

static void ascii(struct em_str *text)
{
    struct em_str out = EM_STR_INIT;
    for (const char *p = em_str_c(text); *p; p++)
        if ((unsigned char)*p < 0x80)
            em_str_putc(&out, *p);
        else
            em_str_printf(&out, "\\x%02x", (unsigned char)*p);
    em_str_free(text);
    *text = out;
}

static void describe(const struct em_config *config, const struct em_filelist *files, bool in_ascii,
                     struct texts *t)
{
    em_host_name(&t->host);
    for (size_t i = 0; i < config->migrate_command.n; i++)
        em_str_printf(&t->command, "%s%s", i ? " " : "", config->migrate_command.v[i]);
    if (em_sql_migrations_any(config))
        em_str_printf(&t->command, "sql %s", config->migrate_sql);
    em_redact(em_log_secrets(), &t->command);
    em_str_puts(&t->build, config->image_build ? config->image_build : "");
    em_filelist_print(files, in_ascii, &t->list);
    if (in_ascii) {
        ascii(&t->host);
        ascii(&t->command);
        ascii(&t->build);
    }
}

static int insert_texts(struct em_db *db, const struct em_config *config, const char *table,
                        const struct em_filelist *files, bool in_ascii, em_time until,
                        struct em_run_id *id, struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    struct texts t = {EM_STR_INIT, EM_STR_INIT, EM_STR_INIT, EM_STR_INIT};
    char digest[EM_HEX_DIGEST];
    describe(config, files, in_ascii, &t);
    em_filelist_digest(files, digest);
    const char *values[] = {
        config->migrate_lock, id->run, em_str_c(&t.host), t.build.len ? em_str_c(&t.build) : NULL,
        em_str_c(&t.command), digest,  em_str_c(&t.list)};
    em_str_printf(&sql,
                  "INSERT INTO %s (scope, run, outcome, host, build, command, files_sha256, files)"
                  " VALUES ($1, $2, 'running', $3, $4, $5, $6, $7) RETURNING id",
                  table);
    int code = write_query(db, until, failure, em_str_c(&sql), 7, values, &id->row, err);
    em_str_free(&t.host);
    em_str_free(&t.command);
    em_str_free(&t.build);
    em_str_free(&t.list);
    return code;
}

static int insert(struct em_db *db, const struct em_config *config, const char *table,
                  const struct em_filelist *files, em_time until, struct em_run_id *id,
                  struct em_err *err)
{
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    int code = insert_texts(db, config, table, files, false, until, id, &failure, err);
    /* 22xxx: a name that the database's encoding lacks, or that isn't UTF-8. */
    if (code && strncmp(failure.sqlstate, "22", 2) == 0) {
        em_err_free(err);
        code = insert_texts(db, config, table, files, true, until, id, &failure, err);
    }
    return code && is_forbidden(&failure, err) ? 0 : named(code, config, &failure, err);
}

int em_ledger_begin(struct em_db *db, const struct em_config *config,
                    const struct em_filelist *files, em_time until, struct em_run_id *id,
                    struct em_err *err)
{
    EM_STR_AUTO table = EM_STR_INIT;
    bool readable, allowed = true;
    if (!em_ledger_wanted(config))
        return 0;
    quote_table(config, &table);
    int code = look(db, em_str_c(&table), until, &readable, NULL, err);
    if (code == 0 && !readable)
        code = create(db, em_str_c(&table), until, &allowed, err);
    if (code || !allowed)
        return code;
    return insert(db, config, em_str_c(&table), files, until, id, err);
}

/* Whatever bytes a tool wrote, as lines of text that a database in UTF-8 takes. */
static void add_text(struct em_str *out, const char *text)
{
    while (text && *text) {
        size_t length = strcspn(text, "\n");
        em_escape(out, text, length);
        if (text[length] == '\n')
            em_str_putc(out, text[length++]);
        text += length;
    }
}

int em_ledger_end(struct em_db *db, const struct em_config *config, const struct em_run_id *id,
                  const char *outcome, const char *error, const char *output, em_time until,
                  struct em_err *err)
{
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_STR_AUTO lines = EM_STR_INIT;
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    if (!id->row.len)
        return 0;
    add_text(&why, error);
    add_text(&lines, output);
    const char *values[] = {em_str_c(&id->row), outcome, why.len ? em_str_c(&why) : NULL,
                            lines.len ? em_str_c(&lines) : NULL};
    quote_table(config, &table);
    em_str_printf(&sql,
                  "UPDATE %s SET outcome = $2, error = $3, output = $4, finished_at = "
                  "clock_timestamp(), tool_digest = ",
                  em_str_c(&table));
    add_digest_sql(config, &sql);
    em_str_puts(&sql, " WHERE id = $1::bigint");
    int code = write_query(db, until, &failure, em_str_c(&sql), 4, values, NULL, err);
    /* 22xxx: text that the database's encoding lacks. The outcome counts. */
    if (code && strncmp(failure.sqlstate, "22", 2) == 0) {
        values[2] = values[3] = NULL;
        code = write_query(db, until, &failure, em_str_c(&sql), 4, values, NULL, err);
    }
    return code;
}

/* Runs with this outcome count as interrupted from now on. */
static int interrupt(struct em_db *db, const struct em_config *config, const char *outcome,
                     em_time until, struct em_err *err)
{
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {config->migrate_lock, outcome};
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    bool readable;
    if (!em_ledger_wanted(config))
        return 0;
    quote_table(config, &table);
    int code = look(db, em_str_c(&table), until, &readable, NULL, err);
    if (code || !readable)
        return code;
    em_str_printf(&sql, "UPDATE %s SET outcome = 'interrupted' WHERE scope = $1 AND outcome = $2",
                  em_str_c(&table));
    code = write_query(db, until, &failure, em_str_c(&sql), 2, values, NULL, err);
    /* That it may not be written to is said where the new run is noted. */
    if (code && strcmp(failure.sqlstate, "42501") == 0) {
        em_err_free(err);
        return 0;
    }
    return named(code, config, &failure, err);
}

int em_ledger_bury(struct em_db *db, const struct em_config *config, em_time until,
                   struct em_err *err)
{
    return interrupt(db, config, "running", until, err);
}

int em_ledger_forgive(struct em_db *db, const struct em_config *config, em_time until,
                      struct em_err *err)
{
    return interrupt(db, config, "failed", until, err);
}

static void print_run(const struct em_db *db, int row, struct em_str *out)
{
    const char *build = em_db_value(db, row, 5);
    const char *error = em_db_value(db, row, 6);
    em_str_printf(out, "%-5s %s  %-11s %-8s on %s", em_db_value(db, row, 0),
                  em_db_value(db, row, 1), em_db_value(db, row, 2), em_db_value(db, row, 3),
                  em_db_value(db, row, 4));
    if (build)
        em_str_printf(out, ", build %s", build);
    if (error)
        em_str_printf(out, ": %s", error);
    em_str_putc(out, '\n');
}

int em_ledger_list(struct em_db *db, const struct em_config *config, int limit, em_time until,
                   struct em_str *out, struct em_err *err)
{
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {config->migrate_lock};
    bool readable;
    quote_table(config, &table);
    int code = look(db, em_str_c(&table), until, &readable, NULL, err);
    if (code == 0 && readable) {
        em_str_printf(
            &sql,
            "SELECT id, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"
            " outcome, coalesce(round(extract(epoch FROM finished_at - started_at)::numeric,"
            " 2) || ' s', '-'), host, build, error FROM %s WHERE scope = $1 ORDER BY id DESC LIMIT "
            "%d",
            em_str_c(&table), limit);
        code = em_db_query(db, until, NULL, err, em_str_c(&sql), 1, values);
    }
    if (code)
        return code;
    for (int row = 0; readable && row < em_db_rows(db); row++)
        print_run(db, row, out);
    if (!readable || em_db_rows(db) == 0)
        em_str_printf(out, "no runs yet (lock \"%s\")\n", config->migrate_lock);
    return 0;
}
