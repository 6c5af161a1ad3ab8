/* What the role may do that a migration does. */
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/variables.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "session.h"

enum { SHOWN = 3 };

/* The ledger's name, its schema apart; none: the table is created in the current schema, and found
 * where search_path says. Names are compared, and nothing is resolved: that would be an error in a
 * schema that the role may not use. */
static void add_ledger_sql(const struct em_config *config, struct em_str *sql)
{
    const char *dot = strchr(config->migrate_ledger, '.');
    EM_STR_AUTO schema = EM_STR_INIT;
    em_str_puts(sql, " LEFT JOIN LATERAL (SELECT c.oid, c.relowner FROM pg_catalog.pg_class c JOIN "
                     "pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
                     "WHERE c.relname OPERATOR(pg_catalog.=) ");
    em_sql_quote_literal(sql, dot ? dot + 1 : config->migrate_ledger);
    if (dot) {
        em_str_add(&schema, config->migrate_ledger, (size_t)(dot - config->migrate_ledger));
        em_str_puts(sql, " AND n.nspname OPERATOR(pg_catalog.=) ");
        em_sql_quote_literal(sql, em_str_c(&schema));
    } else {
        em_str_puts(sql, " AND pg_catalog.pg_table_is_visible(c.oid)");
    }
    em_str_puts(sql, " LIMIT 1) l ON true LEFT JOIN pg_catalog.pg_namespace ln ON ln.nspname "
                     "OPERATOR(pg_catalog.=) ");
    if (dot)
        em_sql_quote_literal(sql, em_str_c(&schema));
    else
        em_str_puts(sql, "current_schema()");
}

enum {
    COL_ROLE,
    COL_SCHEMA,
    COL_PATH,
    COL_CREATE,
    COL_OWNER,
    COL_DATABASE,
    COL_TEMP,
    COL_LEDGER,
    COL_LEDGER_WRITE,
    COL_LEDGER_SCHEMA,
    COL_LEDGER_CREATE
};

static void privileges_sql(const struct em_doctor_session *at, struct em_str *sql)
{
    em_ledger_add_path(at->db, at->url, sql);
    em_str_puts(
        sql, "SELECT pg_catalog.quote_ident(CURRENT_USER), "
             "pg_catalog.quote_ident(pg_catalog.current_schema()),"
             " pg_catalog.current_setting('search_path'), "
             "pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'CREATE'),"
             " (SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace"
             " WHERE nspname OPERATOR(pg_catalog.=) pg_catalog.current_schema()),"
             " pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),"
             " pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP'),"
             " l.oid IS NOT NULL, pg_catalog.has_schema_privilege(ln.oid, 'USAGE') AND"
             " pg_catalog.has_table_privilege(l.oid, 'SELECT') AND "
             "pg_catalog.has_table_privilege(l.oid, 'INSERT') AND"
             " pg_catalog.has_table_privilege(l.oid, 'UPDATE'), pg_catalog.quote_ident(ln.nspname),"
             " pg_catalog.has_schema_privilege(ln.oid, 'CREATE') FROM (SELECT) one");
    add_ledger_sql(at->config, sql);
}

static void say_schema(struct em_doctor_session *at)
{
    const char *role = em_doctor_value_of(at, 0, COL_ROLE);
    const char *schema = em_doctor_value_of(at, 0, COL_SCHEMA);
    if (!*schema) {
        em_doctor_add(at, "privileges", EM_MARK_WARN, 0,
                      "none of the schemas in search_path (%s) is there, or may be used: tables "
                      "can't be created without naming one",
                      em_doctor_value_of(at, 0, COL_PATH));
        em_doctor_row_hint(
            at->looks,
            "CREATE SCHEMA …, GRANT USAGE, CREATE ON SCHEMA … TO %s, or ALTER ROLE %s SET "
            "search_path = …",
            role, role);
    } else if (!em_doctor_true(at, COL_CREATE)) {
        em_doctor_add(at, "privileges", EM_MARK_WARN, 0,
                      "%s may not create in the schema %s (owner: %s), so a migration that makes "
                      "tables there fails",
                      role, schema, em_doctor_value_of(at, 0, COL_OWNER));
        em_doctor_row_hint(at->looks, "GRANT CREATE ON SCHEMA %s TO %s%s", schema, role,
                           strcmp(schema, "public") == 0
                               ? " (since PostgreSQL 15 not everybody may create in public)"
                               : "");
    } else {
        em_doctor_add(at, "privileges", EM_MARK_OK, 0, "%s may create in the schema %s%s", role,
                      schema,
                      em_doctor_true(at, COL_DATABASE) ? ", and create schemas and extensions"
                                                       : "; it may not create schemas");
    }
    if (!em_doctor_true(at, COL_TEMP)) {
        em_doctor_add(at, "privileges", EM_MARK_WARN, 0, "%s may not create temporary tables",
                      role);
        em_doctor_row_hint(at->looks,
                           "GRANT TEMPORARY ON DATABASE … TO %s, if migrations need them", role);
    }
}

static void say_ledger(struct em_doctor_session *at)
{
    const char *name = at->config->migrate_ledger, *role = em_doctor_value_of(at, 0, COL_ROLE);
    const char *schema = em_doctor_value_of(at, 0, COL_LEDGER_SCHEMA);
    if (em_doctor_true(at, COL_LEDGER)) {
        bool writes = em_doctor_true(at, COL_LEDGER_WRITE);
        em_doctor_add(at, "ledger", writes ? EM_MARK_OK : EM_MARK_WARN, 0, "%s is there%s", name,
                      writes ? ", and can be written to"
                             : ", but may not be read and written to: the migration runs at every "
                               "start");
        if (!writes)
            em_doctor_row_hint(at->looks, "GRANT SELECT, INSERT, UPDATE ON %s TO %s", name, role);
        return;
    }
    if (em_doctor_true(at, COL_LEDGER_CREATE)) {
        em_doctor_add(at, "ledger", EM_MARK_OK, 0, "%s is not there yet, and can be created in %s",
                      name, schema);
        return;
    }
    em_doctor_add(at, "ledger", EM_MARK_WARN, 0,
                  "%s is not there, and can't be created%s%s: the migration runs at every start",
                  name, *schema ? " in " : ", as its schema is not there", schema);
    em_doctor_row_hint(
        at->looks,
        "GRANT CREATE ON SCHEMA %s TO %s, or name a table that it may create in [migrate] "
        "ledger (schema.table), or set ledger = off",
        *schema ? schema : "…", role);
}

/* Tables that ALTER TABLE would refuse: it needs the owner, or a member of that role. Extensions'
 * own tables are theirs. */
static const char others_sql[] =
    "SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) "
    "pg_catalog.quote_ident(c.relname),"
    " pg_catalog.pg_get_userbyid(c.relowner), pg_catalog.count(*) OVER ()"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) "
    "c.relnamespace"
    " WHERE n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false)) AND c.relkind "
    "OPERATOR(pg_catalog.=) ANY ('{r,p}')"
    " AND c.relpersistence OPERATOR(pg_catalog.<>) 't' AND NOT pg_catalog.pg_has_role(c.relowner, "
    "'USAGE')"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid OPERATOR(pg_catalog.=) "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) c.oid AND "
    "d.deptype OPERATOR(pg_catalog.=) 'e')"
    " ORDER BY 1 LIMIT 3";

static void say_others(struct em_doctor_session *at)
{
    EM_STR_AUTO text = EM_STR_INIT;
    int rows = em_db_rows(at->db), all = rows ? atoi(em_doctor_value_of(at, 0, 2)) : 0;
    if (!rows)
        return;
    for (int row = 0; row < rows; row++)
        em_str_printf(&text, "%s%s (%s)", row ? ", " : "", em_doctor_value_of(at, row, 0),
                      em_doctor_value_of(at, row, 1));
    if (all > rows)
        em_str_printf(&text, " and %d more", all - rows);
    em_doctor_add(at, "tables", EM_MARK_WARN, 0,
                  "owned by another role, which ALTER TABLE and DROP TABLE need: %s",
                  em_str_c(&text));
    em_doctor_row_hint(
        at->looks, "ALTER TABLE … OWNER TO the migrations' role, GRANT the owner to it, or let the "
                   "migrations log in as the owner ([database] direct_url)");
}

void em_doctor_privileges(struct em_doctor_session *at)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    if (!at->migrates || at->standby)
        return;
    privileges_sql(at, &sql);
    if (em_doctor_query(at, "privileges", em_str_c(&sql))) {
        at->has_ledger = em_ledger_wanted(at->config) && em_doctor_true(at, COL_LEDGER);
        say_schema(at);
        if (em_ledger_wanted(at->config))
            say_ledger(at);
    }
    em_str_cut(&sql, 0);
    em_ledger_add_path(at->db, at->url, &sql);
    em_str_puts(&sql, others_sql);
    if (em_doctor_query(at, "tables", em_str_c(&sql)))
        say_others(at);
}
