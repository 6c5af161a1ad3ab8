#include "embark/core/postgres/sqlstate.h"

#include <string.h>

#include "message.h"

/* The last attempt. */
static bool deciding(const char *message, struct em_attempt *a)
{
    struct em_span rest = em_span(message);
    bool found = false;
    while (em_attempt_take(&rest, a))
        found = true;
    return found;
}

bool em_sqlstate_find(const char *message, char sqlstate[6])
{
    struct em_attempt a;
    sqlstate[0] = '\0';
    return deciding(message, &a) && em_attempt_state(&a, sqlstate);
}

struct rule {
    const char *what; /* start of an SQLSTATE, or part of a message */
    enum em_db_class class;
};

/* In each table the first rule that fits counts. */
static const struct rule states[] = {
    {"28", EM_DB_AUTH},     {"3D", EM_DB_FATAL}, /* no such database */
    {"3F", EM_DB_FATAL},                         /* no such schema */
    {"42", EM_DB_FATAL}, /* no privilege, unknown parameter in options=, a bad command-line argument
                          */
    {"22", EM_DB_FATAL}, /* bad value of a parameter */
    {"0A", EM_DB_FATAL}, /* protocol or feature not supported */
    {"0P", EM_DB_FATAL}, /* bad role */
    {"55000", EM_DB_FATAL}, /* the database accepts no connections (datallowconn) */
};

/* What PgBouncer says with 08P01: its own words, and those of a server that refused its login. Its
 * own troubles, such as query_wait_timeout and server_login_retry, are retried. */
static const struct rule pooler[] = {
    {"too many", EM_DB_RETRY},
    {"authentication failed", EM_DB_AUTH},
    {"no such user", EM_DB_AUTH},
    {"login rejected", EM_DB_AUTH},
    {"no pg_hba.conf entry", EM_DB_AUTH},
    {"pg_hba.conf rejects", EM_DB_AUTH},
    {"role \"", EM_DB_AUTH}, /* does not exist, is not permitted to log in */
    {"no such database", EM_DB_FATAL},
    {"database \"",
     EM_DB_FATAL}, /* does not exist, is not accepting connections, permission denied for */
    {"unsupported startup parameter", EM_DB_FATAL},
    {"SSL required", EM_DB_FATAL},
};

/* Messages of libpq without an SQLSTATE (fe-connect.c, fe-secure*.c, fe-auth*.c of 15 to
 * 18). What isn't here is retried: refused, unknown host, timeout, reset, end of file, no
 * such socket, another kind of server than target_session_attrs wants. */
static const struct rule texts[] = {
    {"could not translate host name", EM_DB_RETRY},
    /* A TLS connection that broke rather than was refused. An "SSL error code" is an errno. */
    {"SSL SYSCALL error", EM_DB_RETRY},
    {"SSL error: unexpected eof", EM_DB_RETRY},
    {"SSL error: SSL error code", EM_DB_RETRY},
    {"alert internal error", EM_DB_RETRY},
    {"bad record mac", EM_DB_RETRY},
    {"decryption failed", EM_DB_RETRY},
    /* TLS and Kerberos */
    {"SSL error: ", EM_DB_FATAL},
    {"does not support SSL", EM_DB_FATAL},
    {"certificate", EM_DB_FATAL}, /* verification; the files of roots, clients and revocations */
    {"private key file", EM_DB_FATAL},
    {"private SSL key", EM_DB_FATAL},
    {"SSL engine", EM_DB_FATAL},
    {"SSL context", EM_DB_FATAL},
    {"SSL protocol version", EM_DB_FATAL},
    {"weak sslmode", EM_DB_FATAL},
    {"ALPN", EM_DB_FATAL}, /* sslnegotiation=direct, and what answered is no PostgreSQL 17 */
    {"host name must be specified", EM_DB_FATAL},
    {"GSSAPI encryption required", EM_DB_FATAL},
    {"support GSSAPI encryption", EM_DB_FATAL},
    /* Logins that are off before the server had its say */
    {"no password supplied", EM_DB_FATAL},
    {"channel binding", EM_DB_FATAL},
    {"SASL authentication mechanisms", EM_DB_FATAL},
    {"SCRAM-SHA-256-PLUS", EM_DB_FATAL},
    {"incorrect server signature", EM_DB_FATAL},
    {"authentication method", EM_DB_FATAL},
    {"authentication not supported", EM_DB_FATAL},
    {"auth method", EM_DB_FATAL},
    {"require_auth", EM_DB_FATAL},
    {"OAuth", EM_DB_FATAL},
    {"SCRAM client key", EM_DB_FATAL},
    {"SCRAM server key", EM_DB_FATAL},
    {"only supports protocol version", EM_DB_FATAL},
    {"requirepeer", EM_DB_FATAL},
    /* Parameters */
    {"invalid connection option", EM_DB_FATAL},
    {"invalid integer value", EM_DB_FATAL},
    {"invalid port number", EM_DB_FATAL},
    {"not compiled in", EM_DB_FATAL},
    {"\" is greater than \"", EM_DB_FATAL}, /* min_protocol_version than max_… */
    {"could not match ", EM_DB_FATAL},      /* numbers of hosts, addresses and ports */
    {"could not parse network address", EM_DB_FATAL},
    {"is too long (maximum", EM_DB_FATAL},
    {"service file", EM_DB_FATAL},
    {"definition of service", EM_DB_FATAL},
    {"in connection info string", EM_DB_FATAL},
};

/* `invalid sslmode value: "x"`, of any parameter. */
static bool is_bad_value(struct em_span text)
{
    struct em_span line = em_span_line(&text);
    return em_span_starts(line, "invalid ") && em_span_find(line, " value: \"");
}

#define CLASS_BY(table, text) class_by(table, EM_COUNT(table), text)

static enum em_db_class class_by(const struct rule *rules, size_t n, struct em_span text)
{
    for (size_t i = 0; i < n; i++)
        if (em_span_find(text, rules[i].what))
            return rules[i].class;
    return EM_DB_RETRY;
}

enum em_db_class em_sqlstate_class(const char *sqlstate, const char *message)
{
    struct em_attempt a;
    if (!deciding(message, &a))
        a.text = em_span(NULL);
    if (!sqlstate || !*sqlstate)
        return is_bad_value(a.text) ? EM_DB_FATAL : CLASS_BY(texts, a.text);
    for (size_t i = 0; i < EM_COUNT(states); i++)
        if (em_starts(sqlstate, states[i].what))
            return states[i].class;
    return strcmp(sqlstate, "08P01") == 0 ? CLASS_BY(pooler, a.text) : EM_DB_RETRY;
}
