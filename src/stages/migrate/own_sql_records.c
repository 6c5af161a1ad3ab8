#include "own_sql_records.h"

#include <string.h>

#include "embark/core/sql/variables.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/ledger/sql.h"

void em_sql_records_free(struct em_sql_records *records)
{
    em_str_free(&records->table);
    em_filelist_free(&records->applied);
    em_list_free(&records->reset);
    em_filelist_free(&records->former);
    em_str_free(&records->half_made);
}

static int command(const struct em_sql_records *r, const char *sql, int count,
                   const char *const *values, struct em_err *err)
{
    return em_db_query(r->db, em_in(EM_RECORD_LIMIT), NULL, err, sql, count, values);
}

/* ---- The table --------------------------------------------------------------------------------- */

static bool is_true(const struct em_db *db, int column)
{
    const char *value = em_db_value(db, 0, column);
    return value && strcmp(value, "t") == 0;
}

enum table_is { NOT_THERE, OLD, WITHOUT_ORIGIN, THERE };

#define HAS_COLUMN_SQL(name)                                                    \
    "EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid"            \
    " OPERATOR(pg_catalog.=) c.oid AND a.attname OPERATOR(pg_catalog.=) '" name \
    "' AND NOT a.attisdropped)"

/* Its name with its schema. An owner who is neither us, nor a role that we are a member of, nor the
 * database's owner, nor a superuser could make us believe that everything is applied, or run
 * triggers as us. */
static int find_table(struct em_sql_records *r, enum table_is *is, struct em_err *err)
{
    const char *values[] = {em_str_c(&r->table)};
    int code = command(
        r,
        "SELECT " EM_TABLE_NAME_SQL ", " HAS_COLUMN_SQL(
            "place") ", c.relkind OPERATOR(pg_catalog.=) 'r' AND"
                     " (c.relowner OPERATOR(pg_catalog.=) (SELECT me.oid FROM pg_catalog.pg_roles "
                     "me WHERE"
                     " me.rolname OPERATOR(pg_catalog.=) current_user) OR NOT c.relhastriggers AND "
                     "NOT"
                     " c.relhasrules AND NOT c.relrowsecurity AND " EM_OWNER_TRUSTED_SQL "),"
                     " pg_catalog.pg_get_userbyid(c.relowner), " HAS_COLUMN_SQL(
                         "origin") " FROM pg_catalog.pg_class c WHERE c.oid"
                                   " OPERATOR(pg_catalog.=) "
                                   "pg_catalog.to_regclass($1)::pg_catalog.oid",
        1, values, err);
    *is = NOT_THERE;
    if (code || em_db_rows(r->db) == 0)
        return code;
    if (!is_true(r->db, 2)) {
        em_fail(err, EM_EXIT_REFUSED,
                "the table of applied files, %s, belongs to %s, and isn't one to be believed",
                em_db_value(r->db, 0, 0), em_db_value(r->db, 0, 3));
        em_hint(err, "name another table in [migrate] ledger (schema.table)");
        return EM_EXIT_REFUSED;
    }
    *is = !is_true(r->db, 1) ? OLD : is_true(r->db, 4) ? THERE : WITHOUT_ORIGIN;
    em_str_cut(&r->table, 0);
    em_str_puts(&r->table, em_db_value(r->db, 0, 0));
    return 0;
}

/* An older embark kept no place: its rows are ours. */
static int add_place(const struct em_sql_records *r, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {em_str_c(&r->table)};
    int code = command(r,
                       "SELECT conname FROM pg_catalog.pg_constraint WHERE conrelid"
                       " OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid AND"
                       " contype OPERATOR(pg_catalog.=) 'p'",
                       1, values, err);
    const char *key = code ? NULL : em_db_value(r->db, 0, 0);
    em_str_printf(&sql, "ALTER TABLE %s ADD COLUMN place pg_catalog.text NOT NULL DEFAULT ",
                  em_str_c(&r->table));
    em_sql_quote_literal(&sql, r->place);
    if (key) {
        em_str_puts(&sql, ", DROP CONSTRAINT ");
        em_sql_quote_ident(&sql, key);
    }
    em_str_puts(&sql, ", ADD PRIMARY KEY (scope, place, name)");
    code = code ? code : command(r, em_str_c(&sql), 0, NULL, err);
    if (code)
        em_context(err, "the table of applied files can't be brought up to date");
    return code;
}

static int add_origin(const struct em_sql_records *r, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_str_printf(&sql, "ALTER TABLE %s ADD COLUMN IF NOT EXISTS origin pg_catalog.text",
                  em_str_c(&r->table));
    int code = command(r, em_str_c(&sql), 0, NULL, err);
    if (code)
        em_context(err, "the table of applied files can't be brought up to date");
    return code;
}

/* Where a name without one is created. Without any, CREATE TABLE says so. */
static int add_schema(struct em_sql_records *r, struct em_err *err)
{
    if (strchr(r->config->migrate_ledger, '.'))
        return 0;
    int code =
        command(r, "SELECT pg_catalog.quote_ident(pg_catalog.current_schema())", 0, NULL, err);
    const char *schema = code ? NULL : em_db_value(r->db, 0, 0);
    if (!schema)
        return code;
    em_str_insert(&r->table, 0, ".", 1);
    em_str_insert(&r->table, 0, schema, strlen(schema));
    return 0;
}

/* IF NOT EXISTS alone would ask for the right to create tables where there is one already. The lock
 * is held, but only for this scope. */
static int make_table(struct em_sql_records *r, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    enum table_is is;
    em_sql_migrations_table(r->config, &r->table);
    int code = find_table(r, &is, err);
    if (code || is == THERE)
        return code;
    if (is == OLD)
        code = add_place(r, err);
    if (code == 0 && is != NOT_THERE)
        return add_origin(r, err);
    code = add_schema(r, err);
    if (code)
        return code;
    em_str_printf(
        &sql,
        "CREATE TABLE IF NOT EXISTS %s (scope pg_catalog.text NOT NULL, name pg_catalog.text NOT"
        " NULL, sha256 pg_catalog.text NOT NULL, state pg_catalog.text NOT NULL, run"
        " pg_catalog.text NOT NULL, started_at pg_catalog.timestamptz NOT NULL DEFAULT"
        " pg_catalog.clock_timestamp(), finished_at pg_catalog.timestamptz, place pg_catalog.text"
        " NOT NULL, origin pg_catalog.text, PRIMARY KEY (scope, place, name))",
        em_str_c(&r->table));
    code = command(r, em_str_c(&sql), 0, NULL, err);
    int found = find_table(r, &is, &ignored);
    if (found == 0 && is == THERE) {
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

/* ---- The rows ---------------------------------------------------------------------------------- */

int em_sql_records_read(struct em_sql_records *r, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {r->config->migrate_lock, r->place};
    int code = make_table(r, err);
    if (code)
        return code;
    em_str_printf(&sql,
                  "SELECT name, state, sha256 FROM ONLY %s WHERE scope OPERATOR(pg_catalog.=) $1"
                  " AND place OPERATOR(pg_catalog.=) $2",
                  em_str_c(&r->table));
    code = command(r, em_str_c(&sql), 2, values, err);
    for (int row = 0; code == 0 && row < em_db_rows(r->db); row++) {
        const char *name = em_db_value(r->db, row, 0), *state = em_db_value(r->db, row, 1);
        const char *hash = em_db_value(r->db, row, 2);
        r->any = true;
        if (strcmp(state, "applied") == 0)
            em_filelist_add_hash(em_starts(name, EM_FORMER) ? &r->former : &r->applied, name, hash);
        else if (strcmp(state, "pending") == 0)
            em_list_add(&r->reset, name);
        else if (!r->half_made.len)
            em_str_printf(&r->half_made, "%s %s half-way", name,
                          strcmp(state, "failed") == 0 ? "failed" : "was interrupted");
    }
    return code;
}

bool em_sql_records_applied(const struct em_sql_records *r, const char *name)
{
    for (size_t i = 0; i < r->applied.n; i++)
        if (strcmp(r->applied.v[i].name, name) == 0)
            return true;
    return false;
}

bool em_sql_records_has(const struct em_sql_records *r, const char *name)
{
    return em_sql_records_applied(r, name) || em_list_has(&r->reset, name);
}

int em_sql_records_note(const struct em_sql_records *r, const char *name, const char *hash,
                        const char *state, const char *origin, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {r->config->migrate_lock, name, hash, state, r->run, r->place, origin};
    em_str_printf(
        &sql,
        "INSERT INTO %s AS f (scope, name, sha256, state, run, started_at, finished_at, place, "
        "origin)"
        " VALUES ($1, $2, $3, $4, $5, pg_catalog.clock_timestamp(), CASE WHEN $4"
        " OPERATOR(pg_catalog.=) 'running' THEN NULL ELSE pg_catalog.clock_timestamp() END, $6, $7)"
        " ON CONFLICT (scope, place, name) DO UPDATE SET sha256 = $3, state = $4, run = $5,"
        " finished_at = EXCLUDED.finished_at, origin = $7",
        em_str_c(&r->table));
    return command(r, em_str_c(&sql), 7, values, err);
}

/* In two steps, since two files may have changed their names with each other. */
static int rename_all(const struct em_sql_records *r, const struct em_applied *applied, bool back,
                      struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    int code = 0;
    em_str_printf(&sql,
                  "UPDATE ONLY %s SET name = $4 WHERE scope OPERATOR(pg_catalog.=) $1 AND place"
                  " OPERATOR(pg_catalog.=) $2 AND name OPERATOR(pg_catalog.=) $3",
                  em_str_c(&r->table));
    for (size_t i = 0; i < applied->was.n && code == 0; i++) {
        EM_STR_AUTO between = EM_STR_INIT;
        em_str_printf(&between, "renamed: %s", applied->was.v[i]);
        const char *values[] = {r->config->migrate_lock, r->place,
                                back ? em_str_c(&between) : applied->was.v[i],
                                back ? applied->now.v[i] : em_str_c(&between)};
        code = command(r, em_str_c(&sql), 4, values, err);
    }
    return code;
}

/* What a file was stays known as applied: an older image has it. */
static int note_former(const struct em_sql_records *r, const char *name, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {r->config->migrate_lock, r->place, name};
    em_str_printf(&sql,
                  "INSERT INTO %s (scope, name, sha256, state, run, started_at, finished_at, place)"
                  " SELECT scope, pg_catalog.concat('" EM_FORMER "', sha256, ' ', name), sha256,"
                  " state, run, started_at, finished_at, place FROM ONLY %s WHERE scope"
                  " OPERATOR(pg_catalog.=) $1 AND place OPERATOR(pg_catalog.=) $2 AND name"
                  " OPERATOR(pg_catalog.=) $3 ON CONFLICT (scope, place, name) DO NOTHING",
                  em_str_c(&r->table), em_str_c(&r->table));
    return command(r, em_str_c(&sql), 3, values, err);
}

/* A file that was edited keeps its name: from now on its new contents are what is known as applied,
 * so that it is known again when it is renamed later. */
static int note_changes(const struct em_sql_records *r, const struct em_filelist *files,
                        const struct em_applied *applied, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    int code = 0;
    em_str_printf(&sql,
                  "UPDATE ONLY %s SET sha256 = $4 WHERE scope OPERATOR(pg_catalog.=) $1 AND place"
                  " OPERATOR(pg_catalog.=) $2 AND name OPERATOR(pg_catalog.=) $3",
                  em_str_c(&r->table));
    for (size_t i = 0; i < files->n && code == 0; i++) {
        const char *values[] = {r->config->migrate_lock, r->place, files->v[i].name,
                                files->v[i].hash};
        if (!em_list_has(&applied->changed, files->v[i].name))
            continue;
        code = note_former(r, files->v[i].name, err);
        if (code == 0)
            code = command(r, em_str_c(&sql), 4, values, err);
    }
    return code;
}

int em_sql_records_adopt(const struct em_sql_records *r, const struct em_filelist *files,
                         const struct em_applied *applied, struct em_err *err)
{
    if (!applied->was.n && !applied->changed.n)
        return 0;
    int code = command(r, "BEGIN READ WRITE", 0, NULL, err);
    if (code == 0)
        code = rename_all(r, applied, false, err);
    if (code == 0)
        code = rename_all(r, applied, true, err);
    if (code == 0)
        code = note_changes(r, files, applied, err);
    return code ? code : command(r, "COMMIT", 0, NULL, err);
}

int em_sql_records_resolve(const struct em_sql_records *r, const char *name, bool applied,
                           struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *values[] = {r->config->migrate_lock, name, r->place};
    struct em_db_failure failure = {EM_DB_FATAL, ""};
    em_str_printf(&sql,
                  "%s %s%s WHERE scope OPERATOR(pg_catalog.=) $1 AND name OPERATOR(pg_catalog.=)"
                  " $2 AND place OPERATOR(pg_catalog.=) $3 AND state OPERATOR(pg_catalog.<>)"
                  " 'applied'",
                  applied ? "UPDATE ONLY" : "DELETE FROM ONLY", em_str_c(&r->table),
                  applied ? " SET state = 'applied', finished_at = pg_catalog.clock_timestamp()"
                          : "");
    int code = em_db_query(r->db, em_in(EM_RECORD_LIMIT), &failure, err, em_str_c(&sql), 3, values);
    bool one = code == 0 && em_ends(em_db_tag(r->db), " 1");
    if (one || (code && strcmp(failure.sqlstate, "42P01") != 0))
        return code;
    return em_fail(err, EM_EXIT_CONFIG, "%s has not failed half-way: there is nothing to resolve",
                   name);
}
