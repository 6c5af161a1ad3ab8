/* Reading the ledger and the migration tool's table: one query, which runs nobody's code. */
#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/identity.h"
#include "embark/core/postgres/xml_rows.h"
#include "embark/core/sql/variables.h"
#include "embark/os/process/trim.h"
#include "embark/stages/migrate/files/own_sql.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/ledger/sql.h"

/* A table that others have locked is waited for no longer than this: it isn't known then. */
#define LOCKED_MS    2000
#define STATEMENT_MS 7000

bool em_ledger_wanted(const struct em_config *config)
{
    return strcmp(config->migrate_ledger, "off") != 0;
}

/* The schema that the URL's own parameter names for the tool (Prisma's schema, JDBC's
 * currentSchema). psql, and so [migrate] sql, doesn't know it, but for Prisma's own files. */
static const char *url_schema(const struct em_ledger *ledger)
{
    bool known =
        !em_sql_migrations_any(ledger->config) || (ledger->files && ledger->files->by_url_schema);
    return ledger->url && known ? ledger->url->schema : NULL;
}

void em_ledger_tool_table(const struct em_tool *tool, const struct em_url *url, const char *schema,
                          const char *table, struct em_str *out)
{
    if (!*schema)
        schema = url ? url->schema : NULL;
    if (!schema && tool)
        schema = tool->home;
    if (schema) {
        em_sql_quote_ident(out, schema);
        em_str_putc(out, '.');
    }
    em_sql_quote_ident(out, table);
}

/* A literal of the quoted name of the tool's table. False: it isn't known. */
static bool tool_table(const struct em_ledger *ledger, struct em_str *literal)
{
    EM_STR_AUTO name = EM_STR_INIT;
    const struct em_migration_files *files = ledger->files;
    if (em_sql_migrations_any(ledger->config)) {
        em_sql_migrations_table(ledger->config, &name);
    } else if (files && files->table.len) {
        em_ledger_tool_table(files->tool, ledger->url, em_str_c(&files->schema),
                             em_str_c(&files->table), &name);
    } else {
        return false;
    }
    em_sql_quote_literal(literal, em_str_c(&name));
    return true;
}

/* ---- The query --------------------------------------------------------------------------------- */

#define DEFAULT_PATH "'\"$user\", public'"

/* The first name of search_path, as text; for "$user", the role's own schema if there is one, else
 * the second. Whether a schema of that name exists doesn't count: the migration may make it. */
#define FIRST_OF_PATH_SQL                                                                       \
    "COALESCE((SELECT CASE WHEN p.one OPERATOR(pg_catalog.<>) '$user' THEN p.one"               \
    " WHEN pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace("                         \
    "pg_catalog.quote_ident(current_user))::pg_catalog.oid, 'USAGE')"                           \
    " THEN current_user::pg_catalog.text ELSE p.two END FROM"                                   \
    " (SELECT COALESCE(pg_catalog.replace(m.m[1], '\"\"', '\"'), pg_catalog.lower(m.m[2])) AS " \
    "one,"                                                                                      \
    " COALESCE(pg_catalog.replace(m.m[3], '\"\"', '\"'), pg_catalog.lower(m.m[4])) AS two FROM" \
    " pg_catalog.regexp_match(pg_catalog.current_setting('search_path'),"                       \
    " '^\\s*(?:\"((?:[^\"]|\"\")*)\"|([^\\s,\"]+))\\s*(?:,\\s*(?:\"((?:[^\"]|\"\")*)\""         \
    "|([^\\s,\"]+)))?') AS m(m)) p), '')"

/* The same, at little cost where the path is the server's own default. Else it is found out by a
 * question that is planned only then, and handed over in a setting of this transaction. */
#define PLACE_SQL                                                                                \
    "CASE WHEN pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.=) " DEFAULT_PATH   \
    " THEN CASE WHEN (pg_catalog.current_schemas(false))[1] OPERATOR(pg_catalog.=) current_user" \
    " THEN current_user::pg_catalog.text ELSE 'public' END"                                      \
    " WHEN pg_catalog.query_to_xml($p$SELECT pg_catalog.set_config('embark.place'"               \
    ", " FIRST_OF_PATH_SQL ", true)$p$, false, true, '')::pg_catalog.text"                       \
    " OPERATOR(pg_catalog.<>) '' THEN pg_catalog.current_setting('embark.place') END"

/* The newest run of the scope, a text for format(): %1$s the table, %2$L the scope, %3$L the place,
 * %4$s one more column. */
#define NEWEST_SQL                                                                                \
    "SELECT id, run, outcome, " EM_HEX_SQL("host") " AS host, " EM_HEX_SQL(                       \
        "build") " AS build, started_at::pg_catalog.text AS started, identity, tool_digest, "     \
                 "tables%4"                                                                       \
                 "$s FROM ONLY %1$s WHERE scope OPERATOR(pg_catalog.=) %2$L AND COALESCE(place, " \
                 "%3$L)"                                                                          \
                 " OPERATOR(pg_catalog.=) %3$L ORDER BY id DESC LIMIT 1"

/* The contents of the tables that the row names, in their order, each in hexadecimal digits, or -
 * for one that can't be read (stages/migrate/ledger/tables.h). */
#define TABLES_SQL                                                                           \
    ", (SELECT pg_catalog.string_agg(COALESCE(pg_catalog.encode(pg_catalog.textsend((SELECT" \
    " " EM_TABLE_ROWS_SQL("t.t") "::pg_catalog.text FROM " EM_TABLE_OF_SQL(                  \
        "t.t") ")), 'hex'), '-'), ',' ORDER BY t.n) FROM"                                    \
               " pg_catalog.unnest(pg_catalog.string_to_array(tables, '\n'))"                \
               " WITH ORDINALITY AS t(t, n)) AS contents"

/* What the role's and the database's settings say of search_path, read from where the server would
 * take them (manual, ALTER ROLE: the more specific ones win). */
#define SET_PATH_SQL                                                                          \
    "SELECT pg_catalog.set_config('search_path', COALESCE((SELECT pg_catalog.substr(c, 13)"   \
    " FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c WHERE s.setrole" \
    " OPERATOR(pg_catalog.=) ANY (ARRAY['0'::pg_catalog.oid,"                                 \
    " pg_catalog.to_regrole(pg_catalog.quote_ident(session_user))::pg_catalog.oid])"          \
    " AND s.setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY['0'::pg_catalog.oid, (SELECT d.oid" \
    " FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=)"                   \
    " pg_catalog.current_database())]) AND pg_catalog.starts_with(c, 'search_path=')"         \
    " ORDER BY s.setrole OPERATOR(pg_catalog.=) '0'::pg_catalog.oid,"                         \
    " s.setdatabase OPERATOR(pg_catalog.=) '0'::pg_catalog.oid LIMIT 1), " DEFAULT_PATH "), true)"

/* The names are to be looked up as the migration's own session will. Ours has a search_path of its
 * own since its start-up. What the configuration file of the server says is not seen by a session
 * with a setting of its own. A pooler that refuses start-up options leaves us the real thing.
 *
 * Most servers have no such setting of any role, which costs little to find out. */
void em_ledger_add_path(struct em_db *db, const struct em_url *url, struct em_str *sql)
{
    EM_STR_AUTO asked = EM_STR_INIT;
    if (!em_db_pinned(db))
        return;
    if (url ? em_url_search_path(url, &asked) : em_db_asked_path(db, &asked)) {
        em_str_puts(sql, "SELECT pg_catalog.set_config('search_path', ");
        em_sql_quote_literal(sql, em_str_c(&asked));
        em_str_puts(sql, ", true);");
        return;
    }
    em_str_puts(sql,
                "SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE"
                " pg_catalog.strpos(s.setconfig::pg_catalog.text, 'search_path=')"
                " OPERATOR(pg_catalog.>) 0) THEN pg_catalog.query_to_xml($p$" SET_PATH_SQL
                "$p$, false, true, '')::pg_catalog.text ELSE pg_catalog.set_config('search_path'"
                ", " DEFAULT_PATH ", true) END;");
}

/* How values are written, and what is waited for, in this transaction only. What is sent in one
 * message is one transaction. The server ends a question: it doesn't notice that we have given up,
 * and each try would leave a backend that waits. */
void em_ledger_add_settings(int lock_ms, struct em_str *sql)
{
    em_str_printf(sql,
                  "SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d;"
                  "SET LOCAL \"TimeZone\" = 'UTC'; SET LOCAL \"DateStyle\" = 'ISO';"
                  "SET LOCAL \"IntervalStyle\" = 'postgres'; SET LOCAL bytea_output = 'hex';"
                  "SET LOCAL extra_float_digits = 1; SET LOCAL constraint_exclusion = off;"
                  "SET LOCAL row_security = off;",
                  STATEMENT_MS, lock_ms);
}

static bool tool_is_unknown(const struct em_ledger *ledger)
{
    return ledger->files && !ledger->files->tool && !em_sql_migrations_any(ledger->config);
}

/* A row that is always there, and no table: so that there is an answer in any case. */
#define PG_CLASS_OID_INDEX "'2662'::pg_catalog.oid"

enum {
    COL_ACTS_IN,
    COL_PLACE,
    COL_LEDGER, /* t: the ledger, f: the tool's table; NULL: neither, or there is no ledger */
    COL_NAME,
    COL_NEW, /* t: the ledger has the columns of this embark */
    COL_ROWS /* or a word, why they weren't read */
};

#define IS_LEDGER_SQL "(c.oid OPERATOR(pg_catalog.=) o.own)"
#define IS_NEW_SQL    "c.relnatts OPERATOR(pg_catalog.>=) " EM_LEDGER_COLUMNS

static void add_rows(const struct em_ledger *ledger, bool with_tool, struct em_str *sql)
{
    em_str_puts(sql, "pg_catalog.query_to_xml(pg_catalog.format(CASE WHEN c.oid"
                     " OPERATOR(pg_catalog.<>) o.own THEN $q$" EM_TOOL_ROWS_SQL);
    if (em_sql_migrations_any(ledger->config))
        em_str_puts(sql, " WHERE scope OPERATOR(pg_catalog.=) %2$L");
    em_str_puts(sql, EM_LEDGER_LIMIT_SQL "$q$ WHEN " IS_LEDGER_SQL " AND " IS_NEW_SQL
                                         " THEN $n$" NEWEST_SQL "$n$ END, " EM_TABLE_NAME_SQL ", ");
    em_sql_quote_literal(sql, ledger->config->migrate_lock);
    em_str_puts(sql, with_tool && tool_is_unknown(ledger) ? ", o.place, $t$" TABLES_SQL "$t$"
                                                          : ", o.place, ''");
    em_str_puts(sql, "), false, true, '')::pg_catalog.text");
}

/* The tables by their names, as the session's search_path leads to them; what they are; and, where
 * that runs nobody's code, their rows. */
static void question(struct em_db *db, const struct em_ledger *ledger, bool with_tool,
                     struct em_str *sql)
{
    EM_STR_AUTO own = EM_STR_INIT;
    EM_STR_AUTO tool = EM_STR_INIT;
    const char *schema = url_schema(ledger);
    bool has_tool = with_tool && tool_table(ledger, &tool);
    em_ledger_quote(ledger->config->migrate_ledger, &own);
    em_ledger_add_settings(LOCKED_MS, sql);
    em_ledger_add_path(db, ledger->url, sql);
    em_str_puts(sql, "SELECT (pg_catalog.current_schemas(false))[1], o.place, CASE WHEN c.oid"
                     " OPERATOR(pg_catalog.<>) " PG_CLASS_OID_INDEX " THEN " IS_LEDGER_SQL
                     " END, " EM_TABLE_NAME_SQL ", " IS_NEW_SQL
                     ", COALESCE(" EM_TABLE_WHY_NOT_SQL(IS_LEDGER_SQL, "o.named") ", ");
    add_rows(ledger, with_tool, sql);
    em_str_puts(sql, ") FROM (SELECT ");
    if (schema)
        em_sql_quote_literal(sql, schema);
    else
        em_str_puts(sql, PLACE_SQL);
    em_str_puts(sql, " AS place, pg_catalog.to_regclass(");
    em_sql_quote_literal(sql, em_str_c(&own));
    em_str_printf(sql,
                  ")::pg_catalog.oid AS own, %s AS named OFFSET 0) o, pg_catalog.pg_class c"
                  " WHERE c.oid OPERATOR(pg_catalog.=) ANY (ARRAY[" PG_CLASS_OID_INDEX
                  ", o.own%s%s%s])",
                  strchr(ledger->config->migrate_ledger, '.') ? "true" : "false",
                  has_tool ? ", pg_catalog.to_regclass(" : "", em_str_c(&tool),
                  has_tool ? ")::pg_catalog.oid" : "");
}

/* ---- The answer -------------------------------------------------------------------------------- */

static void take(char **into, const char *row, const char *column, bool hex)
{
    EM_STR_AUTO value = EM_STR_INIT;
    EM_STR_AUTO bytes = EM_STR_INIT;
    free(*into);
    *into = NULL;
    if (!em_xml_column(row, column, &value))
        return;
    if (!hex)
        *into = em_strdup(em_str_c(&value));
    else if (em_hex_decode(em_str_c(&value), &bytes))
        *into = em_strdup(em_str_c(&bytes));
}

/* A server's clock that was set back makes negative ages. */
static em_time age_of(const char *text)
{
    em_time age = text ? (em_time)strtoll(text, NULL, 10) : 0;
    return age > 0 ? age : 0;
}

/* "2026-11-29 12:45:21 UTC", of what the server writes of it in UTC. */
static void take_started(char **into, const char *xml)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_FREE char *at = NULL;
    take(&at, xml, "started", false);
    free(*into);
    *into = NULL;
    if (!at)
        return;
    em_str_printf(&text, "%.*s UTC", (int)strcspn(at, ".+"), at);
    *into = em_strdup(em_str_c(&text));
}

static void take_newest(const char *xml, struct em_run_row *row)
{
    take(&row->id, xml, "id", false);
    take(&row->run, xml, "run", false);
    take(&row->outcome, xml, "outcome", false);
    take(&row->host, xml, "host", true);
    take(&row->build, xml, "build", true);
    take_started(&row->started, xml);
    take(&row->identity, xml, "identity", false);
    take(&row->digest, xml, "tool_digest", false);
    take(&row->tables, xml, "tables", false);
}

/* What TABLES_SQL gave. */
static void take_contents(const char *xml, struct em_ledger_state *state)
{
    struct em_tables now = {EM_LIST_INIT, EM_LIST_INIT};
    EM_STR_AUTO contents = EM_STR_INIT;
    EM_LIST_AUTO names = EM_LIST_INIT;
    if (!state->newest.tables || !em_xml_column(xml, "contents", &contents))
        return;
    em_tables_split(state->newest.tables, &names);
    em_tables_take(&names, em_str_c(&contents), &now);
    if (em_tables_digest(&now, &names, &state->digest))
        state->table = EM_TABLE_READ;
    else
        em_str_printf(&state->table_why, "%s can't be read", names.n ? names.v[0] : "it");
    em_tables_free(&now);
}

/* Why a table isn't read, for people. */
static const char *why_not(const char *state)
{
    static const char *const whys[][2] = {
        {"kind", "is no plain table"},
        {"policy", "has row level security"},
        {"forbidden", "may not be read by our role"},
        {"big", "is too large to be read at each start"},
    };
    for (size_t i = 0; i < sizeof whys / sizeof *whys; i++)
        if (strcmp(state, whys[i][0]) == 0)
            return whys[i][1];
    return "belongs to another role, and might run that role's code";
}

static void take_table(struct em_db *db, int row, struct em_ledger_state *state)
{
    const char *own = em_db_value(db, row, COL_LEDGER), *name = em_db_value(db, row, COL_NAME);
    const char *new = em_db_value(db, row, COL_NEW), *rows = em_db_value(db, row, COL_ROWS);
    if (!own || !name)
        return;
    bool is_ledger = strcmp(own, "t") == 0;
    if (rows && *rows && *rows != '<') {
        em_str_printf(is_ledger ? &state->ledger_why : &state->table_why, "%s %s", name,
                      why_not(rows));
    } else if (is_ledger) {
        state->has_ledger = true;
        state->is_old = !new || strcmp(new, "t") != 0;
        em_str_puts(&state->ledger, name);
        take_newest(rows, &state->newest);
        take_contents(rows, state);
    } else if (rows) {
        state->table =
            em_ledger_digest(name, rows, &state->digest) ? EM_TABLE_READ : EM_TABLE_UNKNOWN;
        if (state->table == EM_TABLE_UNKNOWN)
            em_str_printf(&state->table_why, "%s has more than %d rows", name, EM_LEDGER_ROWS);
    }
}

static void take_answer(struct em_db *db, const struct em_ledger *ledger,
                        struct em_ledger_state *state)
{
    const char *acts_in = em_db_value(db, 0, COL_ACTS_IN), *place = em_db_value(db, 0, COL_PLACE);
    em_str_puts(&state->acts_in, acts_in ? acts_in : "");
    em_str_puts(&state->place, place ? place : "");
    for (int row = 0; row < em_db_rows(db); row++)
        take_table(db, row, state);
    if (state->table == EM_TABLE_READ || state->table_why.len)
        return;
    if (ledger->files && ledger->files->table_why.len)
        em_str_puts(&state->table_why, em_str_c(&ledger->files->table_why));
    else if (ledger->files && ledger->files->table.len)
        em_str_printf(&state->table_why, "there is no table %s, or another session has locked it",
                      em_str_c(&ledger->files->table));
}

/* An error that names the table: "column … does not exist" alone tells nobody whose. */
int em_ledger_named(int code, const struct em_config *config, const struct em_db_failure *failure,
                    struct em_err *err)
{
    if (!code)
        return 0;
    em_context(err, "the ledger %s", config->migrate_ledger);
    if (strcmp(failure->sqlstate, "42703") == 0)
        em_hint(err, "is that another program's table? [migrate] ledger names another one");
    return code;
}

/* Asks, and once more without the tool's table where somebody has locked it, or where its schema
 * may not be used: it isn't known then. */
static int ask(struct em_db *db, const struct em_ledger *ledger, em_time until,
               struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    question(db, ledger, true, &sql);
    int code = em_db_query(db, until, failure, err, em_str_c(&sql), 0, NULL);
    if (!code ||
        (strcmp(failure->sqlstate, "55P03") != 0 && strcmp(failure->sqlstate, "57014") != 0 &&
         strcmp(failure->sqlstate, "42501") != 0))
        return code;
    em_err_free(err);
    em_str_cut(&sql, 0);
    question(db, ledger, false, &sql);
    return em_db_query(db, until, failure, err, em_str_c(&sql), 0, NULL);
}

int em_ledger_read(struct em_db *db, const struct em_ledger *ledger, em_time until,
                   struct em_ledger_state *state, struct em_db_failure *failure, struct em_err *err)
{
    struct em_db_failure local = {EM_DB_RETRY, ""};
    em_ledger_state_free(state);
    if (!em_ledger_wanted(ledger->config))
        return 0;
    failure = failure ? failure : &local;
    int code = ask(db, ledger, until, failure, err);
    if (code && strcmp(failure->sqlstate, "42501") == 0) {
        /* The schema that [migrate] ledger names may not be used. */
        em_str_printf(&state->ledger_why, "%s may not be looked at by our role",
                      ledger->config->migrate_ledger);
        em_err_free(err);
        return 0;
    }
    if (code)
        return em_ledger_named(code, ledger->config, failure, err);
    em_release_code_pages(); /* asking, and reading the answer, is different code */
    take_answer(db, ledger, state);
    return 0;
}

/* ---- More of the runs, where something is to be run -------------------------------------------- */

enum { ROW_FILES = 8, ROW_ERROR, ROW_OUTPUT, ROW_AGE, ROW_IDENTITY, ROW_TABLES, ROW_COMMAND };

static char *copy(const struct em_db *db, int row, int column)
{
    const char *value = em_db_value(db, row, column);
    return value ? em_strdup(value) : NULL;
}

static void take_row(const struct em_db *db, int row, struct em_run_row *into)
{
    char **texts[] = {&into->id,    &into->run,     &into->outcome, &into->host,
                      &into->build, &into->started, &into->digest,  NULL,
                      &into->files, &into->error,   &into->output};
    em_run_row_free(into);
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        if (texts[i])
            *texts[i] = copy(db, row, i);
    into->identity = copy(db, row, ROW_IDENTITY);
    into->tables = copy(db, row, ROW_TABLES);
    into->command = copy(db, row, ROW_COMMAND);
    into->age = age_of(em_db_value(db, row, ROW_AGE));
}

/* The newest run of the scope, or the newest good one. Rows of an embark that kept no place belong
 * to whoever asks. */
static void add_rows_of(const struct em_ledger *ledger, const struct em_ledger_state *state,
                        const char *which, struct em_str *sql)
{
    em_str_printf(
        sql,
        "(SELECT id, run, outcome, host, build, pg_catalog.to_char(started_at AT TIME ZONE"
        " 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"'), tool_digest, scope, files, error,"
        " output, pg_catalog.int8(EXTRACT(epoch FROM pg_catalog.clock_timestamp()"
        " OPERATOR(pg_catalog.-) COALESCE(finished_at, started_at))"
        " OPERATOR(pg_catalog.*) 1000000), %s, command FROM ONLY %s WHERE scope"
        " OPERATOR(pg_catalog.=) ",
        state->is_old ? "NULL::pg_catalog.text, NULL::pg_catalog.text" : "identity, tables",
        em_str_c(&state->ledger));
    em_sql_quote_literal(sql, ledger->config->migrate_lock);
    if (!state->is_old) {
        em_str_puts(sql, " AND (place IS NULL OR place OPERATOR(pg_catalog.=) ");
        em_sql_quote_literal(sql, em_str_c(&state->place));
        em_str_putc(sql, ')');
    }
    em_str_printf(sql, "%s ORDER BY id DESC LIMIT 1)", which);
}

int em_ledger_read_rows(struct em_db *db, const struct em_ledger *ledger, em_time until,
                        struct em_ledger_state *state, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    if (!state->has_ledger)
        return 0;
    em_ledger_add_settings(LOCKED_MS, &sql);
    add_rows_of(ledger, state, "", &sql);
    em_str_puts(&sql, " UNION ALL ");
    add_rows_of(ledger, state, " AND outcome OPERATOR(pg_catalog.=) 'done'", &sql);
    int code = em_db_query(db, until, &failure, err, em_str_c(&sql), 0, NULL);
    if (code)
        return em_ledger_named(code, ledger->config, &failure, err);
    em_run_row_free(&state->newest);
    em_run_row_free(&state->good);
    for (int row = 0; row < em_db_rows(db); row++) {
        const char *outcome = em_db_value(db, row, 2);
        if (!state->newest.outcome)
            take_row(db, row, &state->newest);
        if (outcome && strcmp(outcome, "done") == 0 && !state->good.outcome)
            take_row(db, row, &state->good);
    }
    return 0;
}

bool em_ledger_unchanged(struct em_db *db, const struct em_ledger *ledger, em_time until,
                         const struct em_ledger_state *state)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    const struct em_run_row *seen = &state->newest;
    if (!state->has_ledger || state->is_old)
        return false;
    em_str_printf(&sql,
                  "SET LOCAL statement_timeout = %d; SELECT id, outcome FROM ONLY %s WHERE"
                  " scope OPERATOR(pg_catalog.=) ",
                  LOCKED_MS, em_str_c(&state->ledger));
    em_sql_quote_literal(&sql, ledger->config->migrate_lock);
    em_str_puts(&sql, " ORDER BY id DESC LIMIT 1");
    if (em_db_query(db, until, NULL, &ignored, em_str_c(&sql), 0, NULL) != 0)
        return false;
    const char *id = em_db_value(db, 0, 0), *outcome = em_db_value(db, 0, 1);
    if (!id || !outcome)
        return !seen->id;
    return seen->id && seen->outcome && !strcmp(id, seen->id) && !strcmp(outcome, seen->outcome);
}
