#include "tool_history.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/variables.h"
#include "embark/db/statement.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/ledger/sql.h"

void em_tool_history_free(struct em_tool_history *past)
{
    em_sql_history_free(&past->history);
    em_str_free(&past->name);
    em_str_free(&past->why);
    em_str_free(&past->named);
    em_str_free(&past->named_schema);
}

/* ---- The table ---------------------------------------------------------------------------------- */

enum { NAME, READABLE, SAFE, COLUMNS, TRUSTED, OWNER, RAILS, WRITABLE };

/* %s: the schema, an expression; %s: the name, a literal. Rails has a second table beside its own.
 */
#define FIND_SQL                                                                                  \
    "SELECT " EM_TABLE_NAME_SQL ", pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND"           \
    " pg_catalog.has_table_privilege(c.oid, 'SELECT'), " EM_SAFE_TABLE_SQL ", (SELECT"            \
    " pg_catalog.string_agg(pg_catalog.concat(a.attname, ' ', pg_catalog.format_type(a.atttypid," \
    " NULL)), ',' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid"             \
    " OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT"                 \
    " a.attisdropped), o.mine OR " EM_OWNER_TRUSTED_SQL                                           \
    ", pg_catalog.pg_get_userbyid(c.relowner), EXISTS (SELECT FROM pg_catalog.pg_class x WHERE"   \
    " x.relnamespace OPERATOR(pg_catalog.=) n.oid AND x.relname OPERATOR(pg_catalog.=)"           \
    " 'ar_internal_metadata'), o.mine OR NOT c.relhastriggers AND NOT c.relhasrules AND"          \
    " c.relchecks OPERATOR(pg_catalog.=) 0 FROM pg_catalog.pg_class c JOIN"                       \
    " pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace CROSS JOIN"        \
    " LATERAL (SELECT c.relowner OPERATOR(pg_catalog.=) (SELECT me.oid FROM pg_catalog.pg_roles"  \
    " me WHERE me.rolname OPERATOR(pg_catalog.=) current_user) AS mine) o WHERE n.nspname"        \
    " OPERATOR(pg_catalog.=) "

static bool is_true(struct em_db *db, int column)
{
    const char *value = em_db_value(db, 0, column);
    return value && strcmp(value, "t") == 0;
}

static void lower(struct em_str *text)
{
    for (size_t i = 0; i < text->len; i++)
        text->data[i] = (char)tolower((unsigned char)text->data[i]);
}

/* "table" or "schema.table", as dbmate and goose have it. */
static void read_variables(const struct em_sql_tree *tree, struct em_tool_history *past)
{
    const char *variable = em_sql_tool_table_variable(tree->format);
    const char *value = variable ? tree->variable(tree->ctx, variable) : NULL;
    const char *schema =
        tree->format == EM_SQL_FLYWAY ? tree->variable(tree->ctx, "FLYWAY_DEFAULT_SCHEMA") : NULL;
    const char *dot = value && tree->format != EM_SQL_FLYWAY ? strchr(value, '.') : NULL;
    em_str_cut(&past->named, 0);
    em_str_cut(&past->named_schema, 0);
    em_str_puts(&past->named, dot ? dot + 1 : value ? value : "");
    if (dot)
        em_str_add(&past->named_schema, value, (size_t)(dot - value));
    else
        em_str_puts(&past->named_schema, schema ? schema : "");
    if (tree->format == EM_SQL_GOOSE) { /* it writes them into its SQL without quotes */
        lower(&past->named);
        lower(&past->named_schema);
    }
    if (past->named_schema.len)
        past->schema = em_str_c(&past->named_schema);
}

static const char *name_of(const struct em_tool_history *past,
                           const struct em_sql_tool_table *table)
{
    return past->named.len ? em_str_c(&past->named) : table->table;
}

/* One look. *found: there is such a table; what is wrong with it stands in past->why. */
static int find_one(struct em_db *db, em_time until, const struct em_sql_tool_table *table,
                    const char *home, struct em_tool_history *past, bool *found, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_str_puts(&sql, FIND_SQL);
    if (home)
        em_sql_quote_literal(&sql, home);
    else
        em_str_puts(&sql, "pg_catalog.current_schema()");
    em_str_puts(&sql, " AND c.relname OPERATOR(pg_catalog.=) ");
    em_sql_quote_literal(&sql, name_of(past, table));
    int code = em_db_query(db, until, NULL, err, em_str_c(&sql), 0, NULL);
    *found = code == 0 && em_db_rows(db) > 0;
    if (!*found)
        return code;
    const char *tool = em_sql_format_tool(table->format);
    em_str_cut(&past->why, 0);
    em_str_cut(&past->name, 0);
    em_str_puts(&past->name, em_db_value(db, 0, NAME));
    past->writable = is_true(db, WRITABLE);
    if (!em_sql_tool_table_is(table,
                              em_db_value(db, 0, COLUMNS) ? em_db_value(db, 0, COLUMNS) : "") ||
        (table->format == EM_SQL_DBMATE && is_true(db, RAILS)))
        em_str_printf(&past->why, "%s is not %s's, by its columns%s", em_str_c(&past->name), tool,
                      is_true(db, RAILS) ? ", but Rails's" : "");
    else if (!is_true(db, READABLE))
        em_str_printf(&past->why, "%s may not be read by our role", em_str_c(&past->name));
    else if (!is_true(db, SAFE))
        em_str_printf(
            &past->why,
            "%s is no plain table of the server's own types, so its owner's code could be "
            "run by reading it",
            em_str_c(&past->name));
    else if (!is_true(db, TRUSTED))
        em_str_printf(&past->why, "%s belongs to %s, who is not to be believed",
                      em_str_c(&past->name), em_db_value(db, 0, OWNER));
    return 0;
}

/* In the tool's own schema, or in the current one. */
static int find(struct em_db *db, em_time until, const struct em_sql_tool_table *table,
                struct em_tool_history *past, bool *found, struct em_err *err)
{
    *found = false;
    int code = table->home ? find_one(db, until, table, table->home, past, found, err) : 0;
    return code || *found ? code : find_one(db, until, table, past->schema, past, found, err);
}

/* Nobody can change it, or put another in its place, between the second look and the rows. */
static int read_rows(struct em_db *db, em_time until, struct em_tool_history *past,
                     struct em_err *err)
{
    const struct em_sql_tool_table *table = past->history.table;
    EM_STR_AUTO sql = EM_STR_INIT;
    bool found;
    em_str_printf(&sql, "LOCK TABLE ONLY %s IN ACCESS SHARE MODE", em_str_c(&past->name));
    int code = em_db_query(db, until, NULL, err, em_str_c(&sql), 0, NULL);
    if (code == 0)
        code = find(db, until, table, past, &found, err);
    if (code || !found || past->why.len)
        return code;
    em_str_cut(&sql, 0);
    em_str_printf(&sql, "SELECT %s FROM ONLY %s ORDER BY %s", table->columns, em_str_c(&past->name),
                  table->order);
    code = em_db_query(db, until, NULL, err, em_str_c(&sql), 0, NULL);
    for (int row = 0; code == 0 && row < em_db_rows(db); row++)
        em_sql_history_row(&past->history, em_db_value(db, row, 0), em_db_value(db, row, 1),
                           em_db_value(db, row, 2));
    return code;
}

/* Which of the tables that may be there is. */
static int choose(struct em_db *db, em_time until, const struct em_sql_tree *tree,
                  struct em_tool_history *past, struct em_err *err)
{
    const struct em_sql_tool_table *table = NULL;
    EM_STR_AUTO odd = EM_STR_INIT;
    int code = 0;
    while (code == 0 && (table = em_sql_tool_table(tree->format, table))) {
        bool found;
        code = find(db, until, table, past, &found, err);
        if (code || !found)
            continue;
        if (past->why.len && !odd.len)
            em_str_puts(&odd, em_str_c(&past->why));
        if (!past->why.len && past->history.table) {
            em_str_printf(&past->why, "there are tables of %s and of %s",
                          em_sql_format_tool(past->history.table->format),
                          em_sql_format_tool(table->format));
            past->history.table = NULL;
            return 0;
        }
        if (!past->why.len)
            past->history.table = table;
    }
    if (past->history.table && code == 0)
        return find(db, until, past->history.table, past, &(bool){false}, err);
    em_str_cut(&past->why, 0);
    em_str_puts(&past->why, em_str_c(&odd));
    return code;
}

static int begin(struct em_db *db, em_time until, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_time half = em_time_min((until - em_now()) / 2, EM_SEC(60));
    em_str_printf(&sql,
                  "BEGIN READ ONLY; SET LOCAL row_security = off; SET LOCAL"
                  " statement_timeout = %lld; ",
                  (long long)(half > EM_MS(100) ? half / EM_MS(1) : 100));
    em_ledger_add_path(db, NULL, &sql);
    return em_db_query(db, until, NULL, err, em_str_c(&sql), 0, NULL);
}

int em_tool_history_read(struct em_db *db, em_time until, struct em_sql_tree *tree,
                         struct em_tool_history *past, struct em_err *err)
{
    bool own = em_db_transaction(db) == EM_DB_IDLE;
    read_variables(tree, past);
    int code = own ? begin(db, until, err) : 0;
    if (code == 0)
        code = choose(db, until, tree, past, err);
    if (code == 0 && past->history.table)
        code = read_rows(db, until, past, err);
    if (past->why.len)
        past->history.table = NULL;
    if (own && em_db_transaction(db) != EM_DB_UNKNOWN) {
        EM_ERR_AUTO ignored = EM_ERR_INIT;
        em_db_query(db, until, NULL, &ignored, "ROLLBACK", 0, NULL);
    }
    if (code)
        return code;
    if (past->history.table)
        em_sql_tree_become(tree, past->history.table->format);
    em_sql_history_judge(&past->history, tree);
    return 0;
}

/* ---- Taken over --------------------------------------------------------------------------------- */

#define NOT_KNOWN                                                                                 \
    "say it once: embark migrate --baseline FILE (the last file that is applied), or --baseline " \
    "none (nothing is)"

/* A name that tells no tool may be another service's as well: its table is believed only where the
 * files are the same. */
static int check_same(const struct em_tool_history *past, const struct em_sql_tree *tree,
                      struct em_err *err)
{
    if (!past->history.changed.n || !tree->by_table)
        return 0;
    em_fail(err, EM_EXIT_MIGRATION,
            "%s says that a file of %s's number is applied, and that is not this one: whether the "
            "table is of these files can't be told",
            em_str_c(&past->name), past->history.changed.v[0]);
    em_hint(err, "if it is, set [migrate] format = sqlx; if it isn't, format = embark");
    return EM_EXIT_MIGRATION;
}

static int check_failed(const struct em_tool_history *past, const struct em_sql_tree *tree,
                        const struct em_sql_records *records, struct em_err *err)
{
    for (size_t i = 0; i < tree->n; i++) {
        const struct em_sql_tree_file *file = &tree->v[i];
        if (past->history.past[i] != EM_SQL_FAILED || em_sql_records_has(records, file->name))
            continue;
        em_fail(err, EM_EXIT_MIGRATION, "%s says that %s has failed half-way, when %s ran it",
                em_str_c(&past->name), file->name, em_sql_format_tool(past->history.table->format));
        em_hint(err,
                "see what it left, and mend that by hand; then: embark migrate --resolve %s (it "
                "is applied now), or --resolve %s --as pending (run it again)",
                file->name, file->name);
        return EM_EXIT_MIGRATION;
    }
    if (!past->history.failed.len || past->history.unknown.n == 0)
        return 0;
    em_fail(err, EM_EXIT_MIGRATION,
            "%s says that %s has failed half-way, and no file here is of that number",
            em_str_c(&past->name), em_str_c(&past->history.failed));
    em_hint(err, "the image may be older than the database: deploy the newer one");
    return EM_EXIT_MIGRATION;
}

static void say_changed(const struct em_tool_history *past)
{
    for (size_t i = 0; i < past->history.changed.n; i++)
        em_log_hint(EM_LOG_WARN, "migrate",
                    "a new migration is what changes a database; this one is not applied again",
                    "%s has changed since %s applied it: its checksum is not the one in %s",
                    past->history.changed.v[i], em_sql_format_tool(past->history.table->format),
                    em_str_c(&past->name));
}

static int record_all(const struct em_tool_history *past, const struct em_sql_tree *tree,
                      struct em_sql_records *records, size_t *taken, struct em_err *err)
{
    EM_STR_AUTO origin = EM_STR_INIT;
    int code = 0;
    em_str_printf(&origin, "%s: %s", em_sql_format_tool(past->history.table->format),
                  em_str_c(&past->name));
    for (size_t i = 0; i < tree->n && code == 0; i++) {
        const struct em_sql_tree_file *file = &tree->v[i];
        if (past->history.past[i] != EM_SQL_APPLIED || em_sql_records_has(records, file->name))
            continue;
        code =
            em_sql_records_note(records, file->name, file->hash, "applied", em_str_c(&origin), err);
        em_filelist_add_hash(&records->applied, file->name, file->hash);
        ++*taken;
    }
    return code;
}

int em_tool_history_take_over(struct em_tool_history *past, const struct em_sql_tree *tree,
                              struct em_sql_records *records, struct em_err *err)
{
    size_t taken = 0;
    if (past->why.len && !records->any) {
        em_fail(err, EM_EXIT_MIGRATION, "what is applied can't be known: %s", em_str_c(&past->why));
        em_hint(err, NOT_KNOWN);
        return EM_EXIT_MIGRATION;
    }
    if (!past->history.table)
        return 0;
    int code = check_same(past, tree, err);
    if (code == 0)
        code = check_failed(past, tree, records, err);
    if (code)
        return code;
    say_changed(past);
    code = em_db_query(records->db, em_in(EM_RECORD_LIMIT), NULL, err, "BEGIN READ WRITE", 0, NULL);
    if (code == 0)
        code = record_all(past, tree, records, &taken, err);
    if (code == 0)
        code = em_db_query(records->db, em_in(EM_RECORD_LIMIT), NULL, err, "COMMIT", 0, NULL);
    if (code == 0 && taken)
        em_log(EM_LOG_INFO, "migrate", "%zu file%s applied already, as %s says: taken over", taken,
               taken == 1 ? " is" : "s are", em_str_c(&past->name));
    records->any |= taken > 0;
    return code;
}

/* ---- Kept up ------------------------------------------------------------------------------------ */

int em_tool_history_note(const struct em_tool_history *past, struct em_db *db,
                         const struct em_sql_tree *tree, const struct em_sql_tree_file *file,
                         em_time took, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    char unique[40];
    uint64_t a = em_random_seed(), b = em_random_seed();
    /* A UUID of version 4 (RFC 9562). */
    snprintf(unique, sizeof unique,
             "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-8%03" PRIx64 "-%012" PRIx64, a >> 32,
             a >> 16 & 0xffff, a & 0xfff, b >> 48 & 0xfff, b & 0xffffffffffff);
    em_sql_history_note(past->history.table, em_str_c(&past->name), tree, file,
                        (long long)(took / EM_MS(1)), unique, &sql);
    int code = em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, em_str_c(&sql), 0, NULL);
    if (code)
        em_context(err, "[migrate] keep_tool_table: %s can't be kept up", em_str_c(&past->name));
    return code;
}

static int make_table(struct em_tool_history *past, const struct em_sql_tree *tree,
                      struct em_db *db, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    const struct em_sql_tool_table *table = em_sql_tool_table(tree->format, NULL);
    const char *home = table->home ? table->home : past->schema;
    const char *values[] = {home, name_of(past, table)};
    int code =
        em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err,
                    "SELECT pg_catalog.concat(pg_catalog.quote_ident(COALESCE($1::pg_catalog.text,"
                    " pg_catalog.current_schema(), 'public')), '.', pg_catalog.quote_ident($2))",
                    2, values);
    const char *name = code ? NULL : em_db_value(db, 0, 0);
    if (code)
        return code;
    past->history.table = table;
    past->writable = true;
    em_str_cut(&past->name, 0);
    em_str_puts(&past->name, name);
    em_sql_history_create(table, em_str_c(&past->name), &sql);
    code = em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, em_str_c(&sql), 0, NULL);
    if (code)
        em_context(err, "[migrate] keep_tool_table: %s can't be made", em_str_c(&past->name));
    return code;
}

int em_tool_history_keep(struct em_tool_history *past, const struct em_sql_tree *tree,
                         const struct em_sql_records *records, struct em_err *err)
{
    struct em_db *db = records->db;
    if (past->why.len)
        return em_fail(err, EM_EXIT_REFUSED, "[migrate] keep_tool_table: %s", em_str_c(&past->why));
    if (past->history.table && !past->writable)
        return em_fail(err, EM_EXIT_REFUSED,
                       "[migrate] keep_tool_table: writing to %s would run its owner's code",
                       em_str_c(&past->name));
    int code = em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, "BEGIN READ WRITE", 0, NULL);
    if (code == 0 && !past->history.table)
        code = make_table(past, tree, db, err);
    for (size_t i = 0; i < tree->n && code == 0; i++)
        if (!past->history.noted[i] && em_sql_records_applied(records, tree->v[i].name))
            code = em_tool_history_note(past, db, tree, &tree->v[i], 0, err);
    return code ? code : em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, "COMMIT", 0, NULL);
}
