/* Inside of the ledger: pieces of SQL that its reader and its writer share, and that whoever reads
 * a table which others may have made needs, too. */
#ifndef EMBARK_STAGES_MIGRATE_LEDGER_SQL_H
#define EMBARK_STAGES_MIGRATE_LEDGER_SQL_H

#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/ledger/safe_table.h"

/* Of the ledger as this embark makes it. An older one had 15. */
#define EM_LEDGER_COLUMNS "19"

/* More rows of a tool's table are not read at each start. */
#define EM_LEDGER_ROWS 20000
/* One more is asked for, which tells. */
#define EM_LEDGER_LIMIT_SQL " LIMIT 20001"

/* A session builds up what it knows of each function, operator and type that it meets, and of each
 * table, which costs more than to run it: a start's question costs the server what a login costs it
 * unless its words are few. So these pieces do with the same few functions, and what is seldom
 * needed stands in a text for query_to_xml(), which is planned only if it is run. */

/* Bytes as they are stored, in hexadecimal digits: no encoding refuses them. */
#define EM_HEX_SQL(text)                                                             \
    "pg_catalog.encode(pg_catalog.replace(" text ", '\\', '\\\\')::pg_catalog.bytea" \
    ", 'hex')"

/* A tool's rows, a text for format(): %1$s the table. A row as format() writes it is what the
 * output functions of the columns' types make, which only superusers do; a cast of the row could be
 * its owner's. (r.*, as a column may have the name r.) */
#define EM_TOOL_ROWS_SQL \
    "SELECT " EM_HEX_SQL("pg_catalog.format('%%s', r.*)") " AS r FROM ONLY %1$s AS r"

/* "schema.table", quoted, of a row of pg_class. */
#define EM_TABLE_NAME_SQL \
    "pg_catalog.format('%s.%I', c.relnamespace::pg_catalog.regnamespace, c.relname)"

/* Why a table isn't to be read, over an alias `c` of pg_class; NULL: it can be read without running
 * others' code, and the ledger can be written to, too. 'kind', 'policy', 'forbidden', 'big';
 * 'foreign': another role's, and not safe. `is_ledger` and `named`, SQL expressions: whether it is
 * the ledger, and whether the user has named it with its schema, and so vouches for its owner.
 *
 * Our own table can run only what our own role has put there. */
#define EM_TABLE_WHY_NOT_SQL(is_ledger, named)                                                   \
    "CASE WHEN c.relkind OPERATOR(pg_catalog.<>) 'r' OR c.relpersistence OPERATOR(pg_catalog.=)" \
    " 't' THEN 'kind' WHEN c.relrowsecurity THEN 'policy'"                                       \
    " WHEN NOT pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')"                         \
    " OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'forbidden'"                   \
    " WHEN c.relpages OPERATOR(pg_catalog.>) 2048 AND NOT " is_ledger " THEN 'big'"              \
    " WHEN pg_catalog.pg_get_userbyid(c.relowner) OPERATOR(pg_catalog.<>) current_user AND"      \
    " pg_catalog.query_to_xml(pg_catalog.format($q$" EM_TABLE_CHECK_SQL "$q$, c.oid, " is_ledger \
    ", " named "), false, true, '')::pg_catalog.text OPERATOR(pg_catalog.=) '' THEN 'foreign' END"

/* Whether the owner of `c`, a row of pg_class, may be trusted with a table that embark believes and
 * writes to: a superuser, the database's owner, or a role that ours is a member of. A superuser is
 * a member of all, which says nothing. */
#define EM_OWNER_TRUSTED_SQL                                                                \
    "EXISTS (SELECT FROM pg_catalog.pg_roles r, pg_catalog.pg_roles me WHERE r.oid"         \
    " OPERATOR(pg_catalog.=) c.relowner AND me.rolname OPERATOR(pg_catalog.=) current_user" \
    " AND (r.rolsuper OR r.oid OPERATOR(pg_catalog.=) (SELECT d.datdba FROM"                \
    " pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=)"                      \
    " pg_catalog.current_database()) OR NOT me.rolsuper AND pg_catalog.pg_has_role(r.oid,"  \
    " 'USAGE')))"

/* A text for format(): %1$s the table's oid, %2$L whether it is the ledger, %3$L whether the user
 * has named it with its schema, and so vouches for its owner. A ledger is written to as well:
 * nothing of its owner's may run then, and its rows are believed. */
#define EM_TABLE_CHECK_SQL                                                                      \
    "SELECT 1 AS ok FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) %1$s AND"     \
    " " EM_SAFE_TABLE_SQL                                                                       \
    " AND (NOT %2$L::pg_catalog.bool OR c.relchecks OPERATOR(pg_catalog.=) 0"                   \
    " AND NOT c.relhastriggers AND NOT c.relhasrules AND EXISTS"                                \
    " (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND" \
    " a.attname OPERATOR(pg_catalog.=) 'id' AND a.attidentity OPERATOR(pg_catalog.=) 'a')"      \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid"                   \
    " OPERATOR(pg_catalog.=) c.oid AND a.attgenerated OPERATOR(pg_catalog.<>) '')"              \
    " AND (%3$L::pg_catalog.bool OR " EM_OWNER_TRUSTED_SQL "))"

/* Over a table's name `name` (an SQL expression) and `c`, its row of pg_class: its rows as
 * query_to_xml() writes them, or NULL where reading it could run others' code; and that `c`, of a
 * table that isn't the ledger. */
#define EM_TABLE_ROWS_SQL(name)                                                             \
    "CASE WHEN " EM_TABLE_WHY_NOT_SQL(                                                      \
        "false", "false") " IS NULL THEN"                                                   \
                          " pg_catalog.query_to_xml(pg_catalog.format($q$" EM_TOOL_ROWS_SQL \
                              EM_LEDGER_LIMIT_SQL "$q$, " name "), false, true, '') END"
#define EM_TABLE_OF_SQL(name)                                                   \
    "(SELECT c.* FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=)" \
    " pg_catalog.to_regclass(" name ")::pg_catalog.oid) c"

/* The table of a migration tool, quoted: in the schema that its settings (`schema`, "": none) or
 * else the URL name, or that is its home; else by its name alone, for search_path to lead to.
 * `tool` and `url` may be NULL. */
void em_ledger_tool_table(const struct em_tool *tool, const struct em_url *url, const char *schema,
                          const char *table, struct em_str *out);
/* "name" or "schema"."name", as SQL, of a name as the user wrote it. */
void em_ledger_quote(const char *path, struct em_str *out);
/* The table beside the ledger that notes the files of [migrate] sql, quoted. */
void em_sql_migrations_table(const struct em_config *config, struct em_str *out);
/* What the statements behind it in the same message stand under; a lock is waited for `lock_ms`. */
void em_ledger_add_settings(int lock_ms, struct em_str *sql);
/* The digest of a table, from EM_TOOL_ROWS_SQL's answer: the rows in any order make the same one.
 * False: there are more than EM_LEDGER_ROWS. */
bool em_ledger_digest(const char *name, const char *xml, struct em_str *hex);
/* What makes the session look names up as the migration's own session will, for the transaction.
 * `url` is the migration's; NULL: the session's own. */
void em_ledger_add_path(struct em_db *db, const struct em_url *url, struct em_str *sql);
/* An error that names the table. */
int em_ledger_named(int code, const struct em_config *config, const struct em_db_failure *failure,
                    struct em_err *err);

#endif
