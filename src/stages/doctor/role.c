/* The role, and the connections that are left for it. */
#include <stdlib.h>
#include <string.h>

#include "session.h"

/* Who may not see another's session sees that it is there, and whose, but not what it is: the
 * server's own processes have no database. */
static const char role_sql[] =
    "SELECT CURRENT_USER, SESSION_USER, r.rolsuper, r.rolcreatedb, r.rolcreaterole,"
    " s.rolconnlimit, d.datconnlimit, pg_catalog.current_setting('max_connections'),"
    " pg_catalog.current_setting('superuser_reserved_connections')::int OPERATOR(pg_catalog.+)"
    " COALESCE(pg_catalog.current_setting('reserved_connections', true)::int, 0),"
    " a.used, a.by_role, a.in_database, "
    "pg_catalog.current_setting('default_transaction_read_only'),"
    " s.rolvaliduntil OPERATOR(pg_catalog.<=) (pg_catalog.now() OPERATOR(pg_catalog.+) interval "
    "'14 days'), s.rolvaliduntil::pg_catalog.date"
    " FROM pg_catalog.pg_roles r, pg_catalog.pg_roles s, pg_catalog.pg_database d,"
    " (SELECT pg_catalog.count(*) AS used, pg_catalog.count(*) FILTER (WHERE usename "
    "OPERATOR(pg_catalog.=) SESSION_USER) AS by_role,"
    " pg_catalog.count(*) FILTER (WHERE datname OPERATOR(pg_catalog.=) "
    "pg_catalog.current_database()) AS in_database"
    " FROM pg_catalog.pg_stat_activity WHERE usesysid IS NOT NULL AND datid IS NOT NULL AND"
    " pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND"
    " COALESCE(backend_type, 'client backend') OPERATOR(pg_catalog.=) 'client backend') a"
    " WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER AND s.rolname OPERATOR(pg_catalog.=) "
    "SESSION_USER"
    " AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()";

enum {
    COL_CURRENT,
    COL_SESSION,
    COL_SUPER,
    COL_CREATEDB,
    COL_CREATEROLE,
    COL_ROLE_LIMIT,
    COL_DATABASE_LIMIT,
    COL_MOST,
    COL_RESERVED,
    COL_USED,
    COL_BY_ROLE,
    COL_IN_DATABASE,
    COL_READ_ONLY,
    COL_EXPIRES,
    COL_UNTIL
};

/* The lock's, the ledger's and the migration's; without migrations the service's first. */
enum { NEEDED_TO_MIGRATE = 3, NEEDED = 1 };

static int number(const struct em_doctor_session *at, int column)
{
    return atoi(em_doctor_value_of(at, 0, column));
}

static void say_role(struct em_doctor_session *at)
{
    const char *current = em_doctor_value_of(at, 0, COL_CURRENT);
    const char *session = em_doctor_value_of(at, 0, COL_SESSION);
    EM_STR_AUTO text = EM_STR_INIT;
    em_str_puts(&text, current);
    if (strcmp(current, session) != 0)
        em_str_printf(&text, " (logged in as %s)", session);
    if (em_doctor_true(at, COL_SUPER))
        em_str_puts(&text, ", a superuser");
    else if (em_doctor_true(at, COL_CREATEDB) || em_doctor_true(at, COL_CREATEROLE))
        em_str_printf(
            &text, ", may create%s%s%s", em_doctor_true(at, COL_CREATEDB) ? " databases" : "",
            em_doctor_true(at, COL_CREATEDB) && em_doctor_true(at, COL_CREATEROLE) ? " and" : "",
            em_doctor_true(at, COL_CREATEROLE) ? " roles" : "");
    else
        em_str_puts(&text, ", no superuser; may create neither databases nor roles");
    em_doctor_add(at, "role", EM_MARK_NONE, 0, "%s", em_str_c(&text));
}

static void say_expiry(struct em_doctor_session *at)
{
    if (!em_doctor_true(at, COL_EXPIRES))
        return;
    em_doctor_add(at, "role", EM_MARK_WARN, 0, "its password is valid until %s only",
                  em_doctor_value_of(at, 0, COL_UNTIL));
    em_doctor_row_hint(at->looks,
                       "ALTER ROLE \"%s\" VALID UNTIL 'infinity', or a new password in time",
                       em_doctor_value_of(at, 0, COL_SESSION));
}

static void say_connections(struct em_doctor_session *at, int needed)
{
    int most = number(at, COL_MOST), used = number(at, COL_USED);
    bool super = em_doctor_true(at, COL_SUPER);
    int reserved = super ? 0 : number(at, COL_RESERVED);
    bool few = most - reserved - used < needed;
    em_doctor_add(at, "connections", few ? EM_MARK_WARN : EM_MARK_NONE, 0,
                  "%d of %d in use, %d reserved for superusers", used, most,
                  number(at, COL_RESERVED));
    if (few)
        em_doctor_row_hint(at->looks,
                           "a start needs %d: fewer replicas, smaller pools, a pooler, or a higher "
                           "max_connections; SELECT * FROM pg_stat_activity shows whose they are",
                           needed);
}

/* Of the role or the database. */
static void say_limit(struct em_doctor_session *at, int limit_at, int used_at, const char *what,
                      const char *statement, int needed)
{
    int limit = number(at, limit_at), used = number(at, used_at);
    if (limit < 0)
        return;
    bool few = limit - used < needed && !em_doctor_true(at, COL_SUPER);
    em_doctor_add(at, "connections", few ? EM_MARK_WARN : EM_MARK_NONE, 0,
                  "%d of %d in use, the %s's CONNECTION LIMIT", used, limit, what);
    if (few)
        em_doctor_row_hint(at->looks, "a start needs %d: %s … CONNECTION LIMIT", needed, statement);
}

/* Migrations may be on the way even where their login is another's: the limits are the same. */
void em_doctor_role(struct em_doctor_session *at)
{
    int needed = at->migrates ? NEEDED_TO_MIGRATE : NEEDED;
    if (!em_doctor_query(at, "role", role_sql) || em_db_rows(at->db) < 1)
        return;
    say_role(at);
    say_expiry(at);
    if (at->migrates && strcmp(em_doctor_value_of(at, 0, COL_READ_ONLY), "on") == 0) {
        em_doctor_add(at, "role", EM_MARK_WARN, 0,
                      "default_transaction_read_only is on: migrations can't write");
        em_doctor_row_hint(at->looks, "ALTER ROLE … (or ALTER DATABASE …) RESET "
                                      "default_transaction_read_only");
    }
    if (at->pooling == EM_POOL_NONE)
        say_connections(at, needed);
    say_limit(at, COL_ROLE_LIMIT, COL_BY_ROLE, "role", "ALTER ROLE", needed);
    say_limit(at, COL_DATABASE_LIMIT, COL_IN_DATABASE, "database", "ALTER DATABASE", needed);
}
