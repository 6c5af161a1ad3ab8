/* Writing the ledger: runs that begin and end. */
#include "embark/stages/migrate/ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/identity.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/core/sql/variables.h"
#include "embark/os/log/log.h"
#include "embark/os/machine/host.h"
#include "embark/os/process/trim.h"
#include "embark/stages/migrate/files/own_sql.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "embark/stages/migrate/ledger/tables.h"

/* Of the table's columns. A later embark adds what it lacks by ALTER TABLE … ADD COLUMN IF NOT
 * EXISTS and raises this; an older one goes on with the columns that it knows. */
#define LEDGER_VERSION "2"

void em_ledger_quote(const char *path, struct em_str *out)
{
    const char *dot = strchr(path, '.');
    if (dot) {
        EM_FREE char *schema = em_strndup(path, (size_t)(dot - path));
        em_sql_quote_ident(out, schema);
        em_str_putc(out, '.');
        path = dot + 1;
    }
    em_sql_quote_ident(out, path);
}

void em_sql_migrations_table(const struct em_config *config, struct em_str *out)
{
    EM_STR_AUTO path = EM_STR_INIT;
    em_str_printf(&path, "%s_files", config->migrate_ledger);
    em_ledger_quote(em_str_c(&path), out);
}

void em_run_id_free(struct em_run_id *id)
{
    em_str_free(&id->row);
    em_str_free(&id->tables);
    em_tables_free(&id->before);
}

/* Its words with the secrets out: a command that differs in a password only is the same. */
static void command_words(const struct em_config *config, struct em_list *words)
{
    for (size_t i = 0; i < config->migrate_command.n; i++) {
        EM_STR_AUTO word = EM_STR_INIT;
        em_str_puts(&word, config->migrate_command.v[i]);
        em_redact_sure(em_log_secrets(), &word);
        em_list_add(words, em_str_c(&word));
    }
}

void em_ledger_identity(const struct em_ledger *ledger, const struct em_ledger_state *state,
                        char hex[EM_HEX_DIGEST])
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    bool own = em_sql_migrations_any(ledger->config);
    command_words(ledger->config, &words);
    struct em_identity identity = {.command = &words,
                                   .sql = own ? ledger->config->migrate_sql : NULL,
                                   .order = &ledger->files->order,
                                   .files = &ledger->files->list,
                                   .settings = em_str_c(&ledger->files->settings),
                                   .place = em_str_c(&state->place),
                                   .acts_in = em_str_c(&state->acts_in)};
    em_identity_digest(&identity, hex);
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
    em_release_code_pages(); /* of the question that went before */
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

/* A statement that makes or changes the table. Where that isn't allowed, which is said, *allowed is
 * false. */
static int define(struct em_db *db, const char *sql, em_time until, bool *allowed,
                  struct em_db_failure *failure, struct em_err *err)
{
    int code = write_query(db, until, failure, sql, 0, NULL, NULL, err);
    if (code && is_forbidden(failure, err)) {
        *allowed = false;
        return 0;
    }
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
    em_str_printf(&sql,
                  "CREATE TABLE IF NOT EXISTS %s ("
                  "id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                  "scope pg_catalog.text NOT NULL,"
                  "run pg_catalog.text NOT NULL,"
                  "started_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
                  "finished_at pg_catalog.timestamptz,"
                  "outcome pg_catalog.text NOT NULL,"
                  "host pg_catalog.text NOT NULL,"
                  "build pg_catalog.text,"
                  "command pg_catalog.text NOT NULL,"
                  "files_sha256 pg_catalog.text NOT NULL,"
                  "files pg_catalog.text NOT NULL,"
                  "tool_digest pg_catalog.text,"
                  "error pg_catalog.text,"
                  "output pg_catalog.text,"
                  "ledger_version pg_catalog.int4 NOT NULL DEFAULT " LEDGER_VERSION ","
                  "place pg_catalog.text, acts_in pg_catalog.text, identity pg_catalog.text,"
                  "tables pg_catalog.text)",
                  table);
    int code = define(db, em_str_c(&sql), until, allowed, &failure, err);
    if (code && (!strcmp(failure.sqlstate, "23505") || !strcmp(failure.sqlstate, "42P07"))) {
        em_err_free(err);
        return 0;
    }
    return code;
}

/* The columns that an older embark's table lacks. */
static int add_columns(struct em_db *db, const char *table, em_time until, bool *allowed,
                       struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    em_str_printf(&sql,
                  "ALTER TABLE %s ADD COLUMN IF NOT EXISTS place pg_catalog.text,"
                  " ADD COLUMN IF NOT EXISTS acts_in pg_catalog.text,"
                  " ADD COLUMN IF NOT EXISTS identity pg_catalog.text,"
                  " ADD COLUMN IF NOT EXISTS tables pg_catalog.text",
                  table);
    return define(db, em_str_c(&sql), until, allowed, &failure, err);
}

/* Where a new ledger is made: as named, or in the schema in which the session creates tables. */
static void new_table(const struct em_ledger *ledger, const struct em_ledger_state *state,
                      struct em_str *out)
{
    if (!strchr(ledger->config->migrate_ledger, '.') && state->acts_in.len) {
        em_sql_quote_ident(out, em_str_c(&state->acts_in));
        em_str_putc(out, '.');
    }
    em_ledger_quote(ledger->config->migrate_ledger, out);
}

/* The table is there, with our columns, and `state` knows it; else *allowed is false. */
static int ensure(struct em_db *db, const struct em_ledger *ledger, em_time until,
                  struct em_ledger_state *state, bool *allowed, struct em_err *err)
{
    EM_STR_AUTO table = EM_STR_INIT;
    *allowed = true;
    if (state->has_ledger && !state->is_old)
        return 0;
    if (state->ledger_why.len) {
        em_log_hint(EM_LOG_WARN, "migrate", "name another table in [migrate] ledger (schema.table)",
                    "the ledger can't be kept, so the migration runs at every start: %s",
                    em_str_c(&state->ledger_why));
        *allowed = false;
        return 0;
    }
    new_table(ledger, state, &table);
    int code = state->has_ledger ? add_columns(db, em_str_c(&state->ledger), until, allowed, err)
                                 : create(db, em_str_c(&table), until, allowed, err);
    if (code == 0 && *allowed)
        code = em_ledger_read(db, ledger, until, state, NULL, err);
    *allowed = *allowed && state->has_ledger && !state->is_old;
    return code;
}

void em_ledger_command(const struct em_config *config, struct em_str *out)
{
    em_command_print(config->migrate_command.v, false, out);
    if (em_sql_migrations_any(config))
        em_str_printf(out, "sql %s", config->migrate_sql);
    em_redact(em_log_secrets(), out);
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

static void describe(const struct em_ledger *ledger, bool in_ascii, struct texts *t)
{
    const struct em_config *config = ledger->config;
    em_host_name(&t->host);
    em_ledger_command(config, &t->command);
    em_str_puts(&t->build, config->image_build ? config->image_build : "");
    em_filelist_print(&ledger->files->list, in_ascii, &t->list);
    if (in_ascii) {
        ascii(&t->host);
        ascii(&t->command);
        ascii(&t->build);
    }
}

/* Every column is given, since a default of the table would be evaluated as our role. */
static int insert_texts(struct em_db *db, const struct em_ledger *ledger,
                        const struct em_ledger_state *state, bool in_ascii, em_time until,
                        struct em_run_id *id, struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    struct texts t = {EM_STR_INIT, EM_STR_INIT, EM_STR_INIT, EM_STR_INIT};
    char digest[EM_HEX_DIGEST], identity[EM_HEX_DIGEST];
    describe(ledger, in_ascii, &t);
    em_filelist_digest(&ledger->files->list, digest);
    em_ledger_identity(ledger, state, identity);
    const char *values[] = {ledger->config->migrate_lock,
                            id->run,
                            em_str_c(&t.host),
                            t.build.len ? em_str_c(&t.build) : NULL,
                            em_str_c(&t.command),
                            digest,
                            em_str_c(&t.list),
                            em_str_c(&state->place),
                            em_str_c(&state->acts_in),
                            identity};
    em_str_printf(
        &sql,
        "INSERT INTO %s (scope, run, started_at, finished_at, outcome, host, build,"
        " command, files_sha256, files, tool_digest, error, output, ledger_version, place,"
        " acts_in, identity, tables) VALUES ($1, $2, pg_catalog.clock_timestamp(), NULL,"
        " 'running', $3, $4, $5, $6, $7, NULL, NULL, NULL, " LEDGER_VERSION
        ", $8, $9, $10, NULL) RETURNING id",
        em_str_c(&state->ledger));
    int code = write_query(db, until, failure, em_str_c(&sql), 10, values, &id->row, err);
    em_str_free(&t.host);
    em_str_free(&t.command);
    em_str_free(&t.build);
    em_str_free(&t.list);
    return code;
}

int em_ledger_begin(struct em_db *db, const struct em_ledger *ledger, em_time until,
                    struct em_ledger_state *state, struct em_run_id *id, struct em_err *err)
{
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    bool allowed;
    if (!em_ledger_wanted(ledger->config))
        return 0;
    int code = ensure(db, ledger, until, state, &allowed, err);
    if (code || !allowed)
        return code;
    if (!ledger->files->tool && !em_sql_migrations_any(ledger->config)) {
        em_tables_read(db, until, &id->before);
        em_str_puts(&id->tables, state->newest.tables ? state->newest.tables : "");
    }
    code = insert_texts(db, ledger, state, false, until, id, &failure, err);
    /* 22xxx: a name that the database's encoding lacks, or that isn't UTF-8. */
    if (code && strncmp(failure.sqlstate, "22", 2) == 0) {
        em_err_free(err);
        code = insert_texts(db, ledger, state, true, until, id, &failure, err);
    }
    return code && is_forbidden(&failure, err)
               ? 0
               : em_ledger_named(code, ledger->config, &failure, err);
}

/* Whatever bytes a tool wrote, as lines of text that a database in UTF-8 takes. */
static void add_text(struct em_str *out, const char *text)
{
    EM_STR_WIPED clean = EM_STR_INIT;
    em_str_puts(&clean, text ? text : "");
    em_redact(em_log_secrets(), &clean);
    em_escape_lines(out, em_str_c(&clean), clean.len);
}

/* The statement, and whether it met a row. */
static int note(struct em_db *db, const struct em_ledger_state *state, const char *const *values,
                em_time until, bool *met, struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO row = EM_STR_INIT;
    em_str_printf(&sql,
                  "UPDATE ONLY %s SET outcome = $2, error = $3, output = $4, finished_at ="
                  " pg_catalog.clock_timestamp(), tool_digest = $5, acts_in = $6, identity = $7,"
                  " tables = $8"
                  " WHERE id OPERATOR(pg_catalog.=) $1::pg_catalog.int8 AND outcome"
                  " OPERATOR(pg_catalog.=) 'running' RETURNING id",
                  em_str_c(&state->ledger));
    int code = write_query(db, until, failure, em_str_c(&sql), 8, values, &row, err);
    *met = row.len > 0;
    return code;
}

/* Of a command whose tool isn't known: the tables that this run, or the newest one before it that
 * is known, has changed, and their digest as of now. */
static void find_tables(struct em_db *db, const struct em_ledger *ledger,
                        const struct em_run_id *id, em_time until, struct em_ledger_state *now,
                        struct em_str *tables)
{
    struct em_tables after = {EM_LIST_INIT, EM_LIST_INIT};
    EM_LIST_AUTO names = EM_LIST_INIT;
    if (ledger->files->tool || em_sql_migrations_any(ledger->config))
        return;
    em_tables_read(db, until, &after);
    em_tables_changed(&id->before, &after, &names);
    em_tables_split(em_str_c(&id->tables), &names);
    em_tables_join(&names, tables);
    if (em_tables_digest(&after, &names, &now->digest))
        now->table = EM_TABLE_READ;
    em_tables_free(&after);
}

int em_ledger_end(struct em_db *db, const struct em_ledger *ledger, const struct em_run_id *id,
                  const char *outcome, const char *error, const char *output, em_time until,
                  struct em_err *err)
{
    EM_STR_AUTO why = EM_STR_INIT;
    EM_STR_AUTO lines = EM_STR_INIT;
    EM_STR_AUTO tables = EM_STR_INIT;
    EM_LEDGER_STATE_AUTO now = {0};
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    char identity[EM_HEX_DIGEST];
    bool met = false;
    if (!id->row.len)
        return 0;
    /* The migration may have made the schema in which it acts. */
    int code = em_ledger_read(db, ledger, until, &now, NULL, err);
    if (code == 0 && !now.has_ledger)
        code = em_fail(err, EM_EXIT_MIGRATION, "the ledger is gone");
    if (code)
        return code;
    find_tables(db, ledger, id, until, &now, &tables);
    add_text(&why, error);
    add_text(&lines, output);
    em_ledger_identity(ledger, &now, identity);
    const char *values[] = {em_str_c(&id->row),
                            outcome,
                            why.len ? em_str_c(&why) : NULL,
                            lines.len ? em_str_c(&lines) : NULL,
                            now.table == EM_TABLE_READ ? em_str_c(&now.digest) : NULL,
                            em_str_c(&now.acts_in),
                            identity,
                            tables.len ? em_str_c(&tables) : NULL};
    code = note(db, &now, values, until, &met, &failure, err);
    /* 22xxx: text that the database's encoding lacks. The outcome counts. */
    if (code && strncmp(failure.sqlstate, "22", 2) == 0) {
        em_err_free(err);
        values[2] = values[3] = NULL;
        code = note(db, &now, values, until, &met, &failure, err);
    }
    if (code == 0 && !met)
        return em_fail(err, EM_EXIT_MIGRATION,
                       "another replica has called this run interrupted, and has the lock now or "
                       "had it since");
    return code;
}

/* Runs with this outcome count as interrupted from now on. */
static int interrupt(struct em_db *db, const struct em_ledger *ledger,
                     const struct em_ledger_state *state, const char *outcome, em_time until,
                     struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {ledger->config->migrate_lock, outcome};
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    if (!state->has_ledger)
        return 0;
    em_str_printf(&sql,
                  "UPDATE ONLY %s SET outcome = 'interrupted' WHERE scope OPERATOR(pg_catalog.=) $1"
                  " AND outcome OPERATOR(pg_catalog.=) $2",
                  em_str_c(&state->ledger));
    int code = write_query(db, until, &failure, em_str_c(&sql), 2, values, NULL, err);
    /* em_ledger_begin() reports a table that may not be written to. */
    if (code && strcmp(failure.sqlstate, "42501") == 0) {
        em_err_free(err);
        return 0;
    }
    return em_ledger_named(code, ledger->config, &failure, err);
}

int em_ledger_mark_interrupted(struct em_db *db, const struct em_ledger *ledger,
                               const struct em_ledger_state *state, em_time until,
                               struct em_err *err)
{
    return interrupt(db, ledger, state, "running", until, err);
}

int em_ledger_clear_failures(struct em_db *db, const struct em_ledger *ledger,
                             const struct em_ledger_state *state, em_time until, struct em_err *err)
{
    return interrupt(db, ledger, state, "failed", until, err);
}

static void print_run(const struct em_db *db, int row, struct em_str *out)
{
    static const char *const before[] = {"", " ", "  ", " ", " on ", ", build ", ": "};
    static const size_t width[] = {5, 0, 11, 8};
    for (int column = 0; column < 7; column++) {
        const char *value = em_db_value(db, row, column);
        EM_STR_AUTO shown = EM_STR_INIT;
        em_foreign(&shown, value);
        while (column < 4 && shown.len < width[column])
            em_str_putc(&shown, ' ');
        if (value || column < 5)
            em_str_printf(out, "%s%s", before[column], em_str_c(&shown));
    }
    em_str_putc(out, '\n');
}

int em_ledger_list(struct em_db *db, const struct em_ledger *ledger,
                   const struct em_ledger_state *state, int limit, em_time until,
                   struct em_str *out, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {ledger->config->migrate_lock};
    int code = 0;
    if (state->has_ledger) {
        em_str_printf(
            &sql,
            "SELECT id, pg_catalog.to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"
            " outcome, COALESCE(pg_catalog.concat(pg_catalog.round("
            "(EXTRACT(epoch FROM finished_at OPERATOR(pg_catalog.-) "
            "started_at))::pg_catalog.numeric, 2), ' s'), '-'),"
            " host, build, error FROM ONLY %s WHERE scope OPERATOR(pg_catalog.=) $1 ORDER BY id"
            " DESC LIMIT %d",
            em_str_c(&state->ledger), limit);
        code = em_db_query(db, until, NULL, err, em_str_c(&sql), 1, values);
    }
    if (code)
        return code;
    for (int row = 0; state->has_ledger && row < em_db_rows(db); row++)
        print_run(db, row, out);
    if (!state->has_ledger || em_db_rows(db) == 0)
        em_str_printf(out, "no runs yet (lock \"%s\")\n", ledger->config->migrate_lock);
    return 0;
}
