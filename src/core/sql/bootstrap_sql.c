#include "embark/core/sql/bootstrap_sql.h"

#include <string.h>

#include "embark/core/sql/variables.h"

static const char *first_of(const char *a, const char *b)
{
    return a && *a ? a : b;
}

void em_bootstrap_plan_make(const struct em_config *config, const struct em_url *service,
                            struct em_bootstrap_plan *setup)
{
    memset(setup, 0, sizeof *setup);
    setup->database = first_of(config->bootstrap_database, em_url_get(service, "dbname"));
    setup->schema = first_of(service->schema, "public");
    setup->owns = (enum em_owns)config->bootstrap_owns;
    /* SQL files make their roles themselves, unless one is named as well. */
    if (config->bootstrap_role && *config->bootstrap_role)
        setup->role = config->bootstrap_role;
    else if (!config->bootstrap_sql.n)
        setup->role = em_url_get(service, "user");
    if (setup->role)
        setup->password = first_of(config->bootstrap_password, em_url_get(service, "password"));
}

void em_bootstrap_create_role_sql(const struct em_bootstrap_plan *setup, struct em_str *sql)
{
    em_str_puts(sql, "CREATE ROLE ");
    em_sql_quote_ident(sql, setup->role);
}

void em_bootstrap_member_sql(const struct em_bootstrap_plan *setup, bool has_options,
                             struct em_str *sql)
{
    em_str_puts(sql, "GRANT ");
    em_sql_quote_ident(sql, setup->role);
    em_str_puts(sql, " TO CURRENT_USER");
    if (has_options)
        em_str_puts(sql, " WITH INHERIT TRUE, SET TRUE");
}

void em_bootstrap_login_sql(const struct em_bootstrap_plan *setup, const char *verifier,
                            struct em_str *sql)
{
    em_str_puts(sql, "ALTER ROLE ");
    em_sql_quote_ident(sql, setup->role);
    em_str_puts(sql, " LOGIN");
    if (verifier) {
        em_str_puts(sql, " PASSWORD ");
        em_sql_quote_literal(sql, verifier);
    }
}

void em_bootstrap_create_database_sql(const struct em_bootstrap_plan *setup, const char *template,
                                      struct em_str *sql)
{
    em_str_puts(sql, "CREATE DATABASE ");
    em_sql_quote_ident(sql, setup->database);
    if (template) {
        em_str_puts(sql, " TEMPLATE ");
        em_sql_quote_ident(sql, template);
    }
    if (setup->role && setup->owns == EM_OWNS_DATABASE) {
        em_str_puts(sql, " OWNER ");
        em_sql_quote_ident(sql, setup->role);
    }
}

/* One statement with {d}, {r}, {s} and {o} for database, role, schema and owner, quoted. */
static void add(struct em_list *statements, const char *form, const struct em_bootstrap_plan *setup,
                const char *schema, const char *owner)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    for (const char *p = form; *p; p++) {
        const char *value = NULL;
        if (p[0] == '{' && p[1] && p[2] == '}')
            value = p[1] == 'd'   ? setup->database
                    : p[1] == 'r' ? setup->role
                    : p[1] == 's' ? schema
                                  : owner;
        if (value) {
            em_sql_quote_ident(&sql, value);
            p += 2;
        } else {
            em_str_putc(&sql, *p);
        }
    }
    em_list_add(statements, em_str_c(&sql));
}

void em_bootstrap_own_sql(const struct em_bootstrap_plan *setup, struct em_list *statements)
{
    if (!setup->role)
        return;
    add(statements, "GRANT CONNECT ON DATABASE {d} TO {r}", setup, NULL, NULL);
    if (setup->owns == EM_OWNS_DATABASE)
        add(statements, "ALTER DATABASE {d} OWNER TO {r}", setup, NULL, NULL);
    if (setup->owns == EM_OWNS_SCHEMA || strcmp(setup->schema, "public") != 0)
        add(statements, "CREATE SCHEMA IF NOT EXISTS {s}", setup, setup->schema, NULL);
    if (setup->owns == EM_OWNS_SCHEMA)
        add(statements, "ALTER SCHEMA {s} OWNER TO {r}", setup, setup->schema, NULL);
    /* Since PostgreSQL 15 only the database's owner may create in public; in a cluster that was
     * upgraded to it, public may belong to another. */
    if (setup->owns == EM_OWNS_DATABASE)
        add(statements, "GRANT USAGE, CREATE ON SCHEMA {s} TO {r}", setup, setup->schema, NULL);
}

bool em_bootstrap_parse_grant(const char *text, bool *write, struct em_str *schema)
{
    static const char *const forms[] = {"read on ", "write on "};
    for (int i = 0; i < 2; i++)
        if (em_starts(text, forms[i]) && text[strlen(forms[i])]) {
            *write = i == 1;
            em_str_cut(schema, 0);
            em_str_puts(schema, text + strlen(forms[i]));
            return true;
        }
    return false;
}

void em_bootstrap_grant_sql(const struct em_bootstrap_plan *setup, const char *schema, bool write,
                            const struct em_list *owners, struct em_list *statements)
{
    add(statements, "GRANT USAGE ON SCHEMA {s} TO {r}", setup, schema, NULL);
    add(statements,
        write ? "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {s} TO {r}"
              : "GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO {r}",
        setup, schema, NULL);
    add(statements,
        write ? "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {s} TO {r}"
              : "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {s} TO {r}",
        setup, schema, NULL);
    /* Of what the owners create later: default privileges belong to the role that creates. */
    for (size_t i = 0; i < owners->n; i++) {
        add(statements,
            write ? "ALTER DEFAULT PRIVILEGES FOR ROLE {o} IN SCHEMA {s} GRANT SELECT, INSERT, "
                    "UPDATE, DELETE ON TABLES TO {r}"
                  : "ALTER DEFAULT PRIVILEGES FOR ROLE {o} IN SCHEMA {s} GRANT SELECT ON TABLES TO "
                    "{r}",
            setup, schema, owners->v[i]);
        add(statements,
            write ? "ALTER DEFAULT PRIVILEGES FOR ROLE {o} IN SCHEMA {s} GRANT USAGE, SELECT ON "
                    "SEQUENCES TO {r}"
                  : "ALTER DEFAULT PRIVILEGES FOR ROLE {o} IN SCHEMA {s} GRANT SELECT ON SEQUENCES "
                    "TO {r}",
            setup, schema, owners->v[i]);
    }
}
