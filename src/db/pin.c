#include "pin.h"

#include <string.h>

#include "embark/core/postgres/options.h"

struct setting {
    const char *name, *value;
};

static const struct setting own[] = {
    {"search_path", "pg_catalog,pg_temp"},     {"row_security", "off"},
    {"standard_conforming_strings", "on"},     {"default_transaction_isolation", "read committed"},
    {"default_transaction_deferrable", "off"},
};

/* What a login of the superuser's may be given by whoever owns the database that it leads to. */
static const struct setting super[] = {
    {"role", "none"},      {"default_transaction_read_only", "off"},     {"statement_timeout", "0"},
    {"lock_timeout", "0"}, {"idle_in_transaction_session_timeout", "0"},
};

/* Places where a pooler refuses options; for the life of the process. */
static struct em_list refusing;

static void add(struct em_str *out, const struct setting *settings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        em_pg_options_add(out, settings[i].name, settings[i].value);
}

bool em_db_pin(const struct em_url *url, enum em_db_session session, const char *where,
               struct em_str *out)
{
    const char *options = em_url_get(url, "options");
    if (session == EM_DB_USERS || em_list_has(&refusing, where) || !em_pg_options_plain(options))
        return false;
    em_str_puts(out, options ? options : "");
    add(out, own, sizeof own / sizeof *own);
    /* A role that the URL itself asks for is what it means. */
    bool asks = em_pg_options_get(options, "role", NULL);
    if (session == EM_DB_SUPER)
        add(out, super + asks, sizeof super / sizeof *super - asks);
    return true;
}

bool em_db_pin_refused(const struct em_db_failure *failure, const char *where, const char *message)
{
    /* PgBouncer ("unsupported startup parameter: options"), RDS Proxy ("doesn't support
     * command-line options"), what is like PostgreSQL but lacks a setting. */
    static const char *const states[] = {"08P01", "0A000", "42704", "22023"};
    bool refused = strstr(message, "startup parameter") != NULL;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        refused = refused || strcmp(failure->sqlstate, states[i]) == 0;
    if (refused)
        em_list_add(&refusing, where);
    return refused;
}
