#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "embark/core/base/nearest.h"
#include "parser.h"

/* ---- Schemes ---- */

/* The names under which drivers, ORMs and frameworks have PostgreSQL, and those of others that may
 * be named. */
static const char *const ours[] = {"postgresql",
                                   "postgres",
                                   "pgsql",
                                   "psql",
                                   "pg",
                                   "pdo-pgsql",
                                   "pdo_pgsql",
                                   "pgx",
                                   "pgx4",
                                   "pgx5",
                                   "asyncpg",
                                   "psycopg",
                                   "psycopg2",
                                   "psycopg3",
                                   "postgis",
                                   "postgresext",
                                   "postgresqlext",
                                   "jdbcpostgresql",
                                   "ecto",
                                   "timescale",
                                   "timescalegis"};
static const char *const others[] = {
    "mysql", "mysql2", "mariadb",   "sqlite",    "sqlite3",   "file",       "http",
    "https", "mssql",  "sqlserver", "oracle",    "mongodb",   "redis",      "rediss",
    "amqp",  "amqps",  "libsql",    "snowflake", "cockroach", "clickhouse", "prisma",
    "tcp",   "unix",   "h2",        "derby",     "db2",       "firebird",   "cockroachdb"};

/* The table's own spelling of `name`, or NULL. */
static const char *find_scheme(const char *const *table, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(table[i], name) == 0)
            return table[i];
    return NULL;
}
#define FIND_SCHEME(table, name) find_scheme(table, EM_COUNT(table), name)

static int refuse_scheme(struct em_url_parser *p, const char *scheme)
{
    const char *other = FIND_SCHEME(others, scheme);
    struct em_nearest near;
    if (other) {
        em_fail(p->err, EM_EXIT_CONFIG, "the database URL starts with %s:, which is not PostgreSQL",
                other);
        em_hint(p->err, "embark waits for PostgreSQL only: a URL starts with postgresql://");
        return EM_EXIT_CONFIG;
    }
    em_nearest_start(&near, scheme);
    em_nearest_try(&near, "postgresql");
    em_nearest_try(&near, "postgres");
    if (near.found)
        em_fail(p->err, EM_EXIT_CONFIG,
                "the database URL starts with what looks like a misspelt %s://", near.found);
    else
        em_fail(p->err, EM_EXIT_CONFIG,
                "the database URL starts with a scheme that embark doesn't know");
    em_hint(p->err, "it must be postgresql:// or postgres://");
    return EM_EXIT_CONFIG;
}

/* Behind "jdbc:", "r2dbc:" … or NULL. Some wrap the driver in another: jdbc:p6spy:postgresql:. */
static const char *skip_java(const char *text, enum em_url_form *form)
{
    static const char *const wrappers[] = {"p6spy:", "aws-wrapper:", "otel:", "tracing:", "pool:"};
    const char *rest = NULL;
    if (strncasecmp(text, "jdbc:", 5) == 0)
        rest = text + 5;
    else if (strncasecmp(text, "r2dbc:", 6) == 0)
        rest = text + 6;
    else if (strncasecmp(text, "vertx-reactive:", 15) == 0)
        rest = text + 15;
    *form = rest ? EM_URL_JDBC : EM_URL_URI;
    for (size_t i = 0; rest && i < EM_COUNT(wrappers); i++)
        if (em_starts(rest, wrappers[i]))
            rest += strlen(wrappers[i]);
    return rest;
}

/* PHP's "pgsql:host=db;dbname=shop": PDO makes blanks of the semicolons and gives it to libpq. */
static int parse_dsn(struct em_url_parser *p, const char *text)
{
    char *copy = em_strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == ';')
            *c = ' ';
    p->form = EM_URL_KEYWORD;
    int code = em_url_parse_keywords(p, copy);
    em_url_wipe(copy);
    return code;
}

/* A URL, if the text has a scheme; *is_url tells. */
static int parse_url(struct em_url_parser *p, const char *text, bool *is_url)
{
    const char *java = skip_java(text, &p->form), *start = java ? java : text;
    size_t n = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+._-");
    size_t base = strcspn(start, "+:");
    EM_STR_WIPED scheme = EM_STR_INIT;
    *is_url = java || (n > 0 && em_starts(start + n, "://"));
    em_str_add(&scheme, start, base < n ? base : n);
    bool is_ours = FIND_SCHEME(ours, em_str_c(&scheme)) != NULL;
    if (!*is_url && !(n > 0 && start[n] == ':' && is_ours))
        return 0;
    *is_url = true;
    if (!is_ours)
        return refuse_scheme(p, em_str_c(&scheme));
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            return em_fail(p->err, EM_EXIT_CONFIG,
                           "the database URL holds a control character, such as a line break");
    p->repeats = base < n;
    if (em_starts(start + n, "://"))
        return em_url_parse_uri(p, start + n + 3);
    if (p->form == EM_URL_JDBC && start[n] == ':')
        return em_url_parse_short_jdbc(p, start + n + 1);
    if (strchr(start + n, '='))
        return parse_dsn(p, start + n + 1);
    em_fail(p->err, EM_EXIT_CONFIG, "the database URL has no // behind its scheme");
    em_hint(p->err, "it must be postgresql://…");
    return EM_EXIT_CONFIG;
}

/* ---- All forms ---- */

/* What people paste with the URL: quotes (which Docker's env files keep), the variable's name,
 * psql. */
static int refuse_paste(struct em_url_parser *p, const char *text)
{
    const char *scheme = strstr(text, "://");
    size_t name = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (*text == '"' || *text == '\'') {
        em_fail(p->err, EM_EXIT_CONFIG, "the database URL starts with a quotation mark");
        em_hint(p->err,
                "docker's env files take quotation marks as part of the value: leave them out");
        return EM_EXIT_CONFIG;
    }
    if (scheme && ((name > 0 && text[name] == '=') || em_starts(text, "psql ") ||
                   em_starts(text, "export "))) {
        em_fail(p->err, EM_EXIT_CONFIG, "the database URL starts with something else than the URL");
        em_hint(p->err, "leave out what stands in front of postgresql://, such as NAME= or psql");
        return EM_EXIT_CONFIG;
    }
    return 0;
}

static int parse(struct em_url_parser *p, const char *text)
{
    bool is_url;
    if (!*text)
        return em_fail(p->err, EM_EXIT_CONFIG, "the database URL is empty");
    int code = refuse_paste(p, text);
    if (!code)
        code = parse_url(p, text, &is_url);
    if (code)
        return code;
    if (!is_url) {
        p->form = em_url_looks_npgsql(text) ? EM_URL_NPGSQL : EM_URL_KEYWORD;
        code = p->form == EM_URL_NPGSQL ? em_url_parse_npgsql(p, text)
                                        : em_url_parse_keywords(p, text);
    }
    return code ? code : em_url_finish(p);
}

int em_url_parse(struct em_url *url, const char *text, bool (*known)(const char *keyword),
                 struct em_err *err)
{
    struct em_url_parser p = {.url = url, .known = known, .err = err};
    size_t n;
    *url = (struct em_url){0};
    text += strspn(text, " \t\r\n\f\v");
    n = strlen(text);
    while (n > 0 && strchr(" \t\r\n\f\v", text[n - 1]))
        n--;
    char *copy = em_strndup(text, n);
    int code = parse(&p, copy);
    em_url_wipe(copy);
    free(p.sslmode);
    em_url_free_socket(&p);
    if (code)
        em_url_free(url);
    return code;
}
