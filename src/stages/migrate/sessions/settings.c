#include "embark/stages/migrate/sessions/settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "embark/core/postgres/options.h"
#include "embark/core/sql/variables.h"

/* [migrate] lock_retries: more is a mistake. */
enum { MOST_RETRIES = 1000 };

/* NAME=VALUE, without blanks around both. False: it isn't that. */
static bool split(const char *text, struct em_str *name, const char **value)
{
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : 0;
    while (n && em_is_blank(text[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++)
        if (!em_is_letter(text[i]) && text[i] != '_' &&
            (!i || (!em_is_digit(text[i]) && text[i] != '.')))
            return false;
    if (!n)
        return false;
    em_str_cut(name, 0);
    em_str_add(name, text, n);
    *value = em_skip_blanks(equals + 1, equals + strlen(equals));
    return true;
}

/* ---- What needs no server ----------------------------------------------------------------------- */

static const char *refused(const char *name)
{
    static const char *const where[] = {"search_path", "role", "session_authorization", NULL};
    static const char *const own[] = {"client_encoding",
                                      "standard_conforming_strings",
                                      "application_name",
                                      "transaction_isolation",
                                      "transaction_read_only",
                                      "transaction_deferrable",
                                      NULL};
    size_t n = strlen(name);
    if (em_is_one_of(name, n, where))
        return "says where or as whom the migration acts, which the URL does: its options, its "
               "user";
    if (em_is_one_of(name, n, own) || strncasecmp(name, "embark", 6) == 0)
        return "is embark's own, or a file's";
    return NULL;
}

/* "5s", "500 ms", "1.5min": guc.c's units. */
static bool is_time(const char *value)
{
    static const char units[] = "us ms s min h d";
    char *end;
    double number = strtod(value, &end);
    if (end == value || number != number || number - number != 0)
        return false;
    end += strspn(end, " \t");
    return !*end || em_word_among(end, units);
}

static void judge(const struct em_config *config, size_t i, struct em_errs *errs)
{
    EM_STR_AUTO name = EM_STR_INIT;
    const char *text = config->migrate_set.v[i], *where = config->migrate_set.where[i], *value;
    if (!split(text, &name, &value)) {
        em_hint(em_errs_add(errs, EM_EXIT_CONFIG, "%s: set: \"%s\" is no NAME=VALUE", where, text),
                "set = lock_timeout=5s");
        return;
    }
    const char *why = refused(em_str_c(&name));
    if (why)
        em_errs_add(errs, EM_EXIT_CONFIG, "%s: set: %s %s", where, em_str_c(&name), why);
    else if (em_ends(em_str_c(&name), "_timeout") && !is_time(value))
        em_hint(em_errs_add(errs, EM_EXIT_CONFIG, "%s: set: %s: \"%s\" is no time of the server's",
                            where, em_str_c(&name), value),
                "a number, which counts milliseconds, or with us, ms, s, min, h or d behind it");
}

bool em_migration_settings_validate(const struct em_config *config, struct em_errs *errs)
{
    const char *retries = config->migrate_lock_retries;
    const char *where = config->origin[EM_AT_migrate_lock_retries];
    size_t before = errs->n;
    for (size_t i = 0; i < config->migrate_set.n; i++)
        judge(config, i, errs);
    if (!retries[strspn(retries, "0123456789")] && em_migration_retries(config) <= MOST_RETRIES) {
        if (em_migration_retries(config) && config->migrate_command.n)
            em_hint(em_errs_add(errs, EM_EXIT_CONFIG,
                                "%s: lock_retries is for [migrate] sql: what a command has done "
                                "when it fails is not known",
                                where),
                    "many tools have their own: strong_migrations, django-pg-zero-downtime…");
    } else {
        em_errs_add(errs, EM_EXIT_CONFIG, "%s: lock_retries: \"%s\" is no number up to %d", where,
                    retries, MOST_RETRIES);
    }
    return errs->n == before;
}

unsigned em_migration_retries(const struct em_config *config)
{
    unsigned long n = strtoul(config->migrate_lock_retries, NULL, 10);
    return n > MOST_RETRIES ? MOST_RETRIES + 1 : (unsigned)n;
}

/* ---- What a server is asked --------------------------------------------------------------------- */

/* It would be overlooked, or refused, without a word of why. */
static int no_options(const struct em_config *config, const char *why, struct em_err *err)
{
    em_fail(err, EM_EXIT_CONFIG, "%s: set: a command gets it by PGOPTIONS, and %s",
            config->migrate_set.where[0], why);
    em_hint(err, "set it in the URL's own options (options=-c%%20lock_timeout%%3D5s), or for the "
                 "role: ALTER ROLE … SET; [database] direct_url goes round a pooler");
    return EM_EXIT_CONFIG;
}

static int try_options(const struct em_config *config, const struct em_url *url, struct em_db *db,
                       em_time until, struct em_err *err)
{
    const char *options = em_url_get(url, "options"), *given = getenv("PGOPTIONS");
    if (options && (!given || strcmp(options, given) != 0))
        return no_options(config, "the URL has options of its own, which replace that", err);
    if (!em_db_pinned(db))
        return no_options(config, "what stands at the URL's place refuses options", err);
    int code = em_db_query(db, until, NULL, err, "SELECT pg_catalog.current_setting('search_path')",
                           0, NULL);
    /* What this session itself has asked for in the same way. */
    const char *path = code ? NULL : em_db_value(db, 0, 0);
    if (path && !em_starts(path, "pg_catalog"))
        return no_options(config, "a pooler at the URL's place overlooks options", err);
    return code;
}

int em_migration_settings_try(const struct em_config *config, const struct em_url *url,
                              struct em_db *db, em_time until, struct em_err *err)
{
    EM_STR_AUTO name = EM_STR_INIT;
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    const char *values[2];
    int code = 0;
    for (size_t i = 0; i < config->migrate_set.n && code == 0; i++) {
        if (!split(config->migrate_set.v[i], &name, &values[1]))
            continue; /* em_migration_settings_validate() has said so */
        values[0] = em_str_c(&name);
        code = em_db_query(db, until, &failure, err, "SELECT pg_catalog.set_config($1, $2, true)",
                           2, values);
        if (code && failure.sqlstate[0] && failure.kind == EM_DB_FATAL) {
            em_context(err, "%s: set", config->migrate_set.where[i]);
            err->code = code = EM_EXIT_CONFIG;
        }
    }
    if (code || !config->migrate_set.n || !config->migrate_command.n)
        return code;
    return try_options(config, url, db, until, err);
}

/* ---- Where they are set ------------------------------------------------------------------------- */

int em_migration_settings_send(const struct em_config *config, enum em_setting_how how,
                               struct em_db *db, em_time until, struct em_err *err)
{
    static const char *const verbs[] = {"SET LOCAL ", "SET SESSION ", "RESET "};
    int code = 0;
    for (size_t i = 0; i < config->migrate_set.n && code == 0; i++) {
        EM_STR_AUTO name = EM_STR_INIT;
        EM_STR_AUTO sql = EM_STR_INIT;
        const char *value;
        if (!split(config->migrate_set.v[i], &name, &value))
            continue;
        em_str_printf(&sql, "%s%s", verbs[how], em_str_c(&name));
        if (how != EM_SET_BACK) {
            em_str_puts(&sql, " = ");
            em_sql_quote_literal(&sql, value);
        }
        code = em_db_query(db, until, NULL, err, em_str_c(&sql), 0, NULL);
        if (code)
            em_context(err, "%s: set", config->migrate_set.where[i]);
    }
    return code;
}

void em_migration_settings_options(const struct em_config *config, const struct em_url *url,
                                   struct em_str *out)
{
    const char *options = em_url_get(url, "options");
    em_str_puts(out, options ? options : "");
    for (size_t i = 0; i < config->migrate_set.n; i++) {
        EM_STR_AUTO name = EM_STR_INIT;
        const char *value;
        if (split(config->migrate_set.v[i], &name, &value))
            em_pg_options_add(out, em_str_c(&name), value);
    }
}
