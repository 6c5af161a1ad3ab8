#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "parser.h"

/* ---- Names ---- */

/* PQconndefaults of libpq 18. */
static const char libpq_names[] =
    " service user password passfile channel_binding connect_timeout dbname host hostaddr port "
    "client_encoding options"
    " application_name fallback_application_name keepalives keepalives_idle keepalives_interval "
    "keepalives_count"
    " tcp_user_timeout sslmode sslcompression sslcert sslkey sslpassword sslrootcert sslcrl "
    "sslcrldir sslsni requirepeer"
    " ssl_min_protocol_version ssl_max_protocol_version gssencmode krbsrvname gsslib replication "
    "target_session_attrs"
    " require_auth sslcertmode load_balance_hosts"
    " sslnegotiation gssdelegation"
    " servicefile sslkeylogfile min_protocol_version max_protocol_version scram_client_key "
    "scram_server_key oauth_issuer"
    " oauth_client_id oauth_client_secret oauth_scope ";

/* Names of drivers for what libpq has too, spelled as above. */
static const struct alias {
    int forms;
    const char *name, *keyword;
} aliases[] = {
    {EM_URL_URI | EM_URL_NPGSQL, "database", "dbname"},
    {EM_URL_URI | EM_URL_NPGSQL, "username", "user"},
    {EM_URL_URI | EM_URL_JDBC | EM_URL_NPGSQL, "applicationname", "application_name"},
    {EM_URL_JDBC, "connecttimeout", "connect_timeout"},
    {EM_URL_JDBC, "targetservertype", "target_session_attrs"},
    {EM_URL_JDBC, "gssencmode", "gssencmode"},
    {EM_URL_JDBC, "kerberosservername", "krbsrvname"},
    {EM_URL_JDBC | EM_URL_NPGSQL, "channelbinding", "channel_binding"},
    {EM_URL_JDBC | EM_URL_NPGSQL, "sslnegotiation", "sslnegotiation"},
    {EM_URL_JDBC | EM_URL_NPGSQL, "loadbalancehosts", "load_balance_hosts"},
    {EM_URL_JDBC | EM_URL_NPGSQL, "requireauth", "require_auth"},
    {EM_URL_NPGSQL, "host", "host"},
    {EM_URL_NPGSQL, "server", "host"},
    {EM_URL_NPGSQL, "port", "port"},
    {EM_URL_NPGSQL, "db", "dbname"},
    {EM_URL_NPGSQL, "user", "user"},
    {EM_URL_NPGSQL, "userid", "user"},
    {EM_URL_NPGSQL, "uid", "user"},
    {EM_URL_NPGSQL, "password", "password"},
    {EM_URL_NPGSQL, "pwd", "password"},
    {EM_URL_NPGSQL, "psw", "password"},
    {EM_URL_NPGSQL, "passfile", "passfile"},
    {EM_URL_NPGSQL, "timeout", "connect_timeout"},
    {EM_URL_NPGSQL, "clientencoding", "client_encoding"},
    {EM_URL_NPGSQL, "sslmode", "sslmode"},
    {EM_URL_NPGSQL, "sslcertificate", "sslcert"},
    {EM_URL_NPGSQL, "sslkey", "sslkey"},
    {EM_URL_NPGSQL, "sslpassword", "sslpassword"},
    {EM_URL_NPGSQL, "rootcertificate", "sslrootcert"},
    {EM_URL_NPGSQL, "kerberosservicename", "krbsrvname"},
    {EM_URL_NPGSQL, "gssencryptionmode", "gssencmode"},
    {EM_URL_NPGSQL, "options", "options"},
    {EM_URL_NPGSQL, "targetsessionattributes", "target_session_attrs"},
};

/* Lower case, without blanks, _ and -: "SSL Mode", "sslmode" and "ssl_mode" are one. */
static void normalise(const char *name, struct em_str *out)
{
    for (; *name; name++)
        if (!strchr(" \t_-", *name))
            em_str_putc(out, *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name);
}

static const char *find_alias(const char *normal, int forms)
{
    for (size_t i = 0; i < EM_COUNT(aliases); i++)
        if (aliases[i].forms & forms && strcmp(aliases[i].name, normal) == 0)
            return aliases[i].keyword;
    return NULL;
}

bool em_url_well_known(const struct em_url_parser *p, const char *name)
{
    EM_STR_WIPED normal = EM_STR_INIT;
    normalise(name, &normal);
    return em_url_has_word(libpq_names, name) || em_url_is_drivers(em_str_c(&normal)) ||
           strcmp(name, "ssl") == 0 || strcmp(name, "requiressl") == 0 ||
           find_alias(em_str_c(&normal), (int)p->form);
}

bool em_url_is_npgsql_name(const char *name)
{
    EM_STR_WIPED normal = EM_STR_INIT;
    normalise(name, &normal);
    return em_url_is_drivers(em_str_c(&normal)) || find_alias(em_str_c(&normal), EM_URL_NPGSQL);
}

bool em_url_is_keyword(const struct em_url_parser *p, const char *keyword)
{
    return p->known ? p->known(keyword) : em_url_has_word(libpq_names, keyword);
}

/* The keyword of libpq that `name` stands for, or NULL. */
static const char *keyword_of(const struct em_url_parser *p, const char *name, const char *normal)
{
    const char *keyword = p->form == EM_URL_NPGSQL || em_url_is_keyword(p, name)
                              ? NULL
                              : find_alias(normal, (int)p->form);
    if (p->form == EM_URL_NPGSQL)
        keyword = find_alias(normal, EM_URL_NPGSQL);
    else if (em_url_is_keyword(p, name))
        return name;
    return keyword && em_url_is_keyword(p, keyword) ? keyword : NULL;
}

/* ---- Left out ---- */

static void list_dropped(struct em_url *url, const char *name)
{
    if (!em_list_has(&url->dropped, name))
        em_list_add(&url->dropped, name);
}

static bool is_identifier(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-0123456789";
    size_t n = strspn(name, rest);
    return n > 0 && n <= 40 && !name[n] && strchr(first, *name);
}

static int drop(struct em_url_parser *p, const char *name)
{
    bool shown = em_url_well_known(p, name);
    if (!shown && (p->form == EM_URL_KEYWORD || p->form == EM_URL_NPGSQL)) {
        em_fail(p->err, EM_EXIT_CONFIG,
                "parameter %zu of the connection string is not one that embark knows", p->count);
        if (p->form == EM_URL_KEYWORD)
            em_hint(p->err,
                    "a value that holds a blank must stand in '…', with \\' for ' and \\\\ for \\");
        else
            em_hint(p->err, "a value that holds a ; must stand in \"…\", with \"\" for \"");
        return EM_EXIT_CONFIG;
    }
    list_dropped(p->url, shown || (!p->after_password && is_identifier(name)) ? name : "(unnamed)");
    return 0;
}

/* ---- Values ---- */

struct word {
    const char *from, *to;
};

/* `value` without regard to case and -, or NULL if it isn't in the table. */
static const char *translate(const struct word *table, size_t n, const char *value)
{
    EM_STR_AUTO normal = EM_STR_INIT;
    normalise(value, &normal);
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].from, em_str_c(&normal)) == 0)
            return table[i].to;
    return NULL;
}
#define TRANSLATE(table, value) translate(table, EM_COUNT(table), value)

static const struct word ssl_modes[] = {
    {"disable", "disable"},        {"allow", "allow"},      {"prefer", "prefer"},
    {"require", "require"},        {"noverify", "require"}, {"verifyca", "verify-ca"},
    {"verifyfull", "verify-full"},
};

/* Of ssl=…; the last one is what a Node service has in its URL. */
static const struct word ssl_switches[] = {
    {"true", "require"},  {"1", "require"}, {"yes", "require"},
    {"on", "require"},    {"t", "require"}, {"", "require"},
    {"false", "disable"}, {"0", "disable"}, {"no", "disable"},
    {"off", "disable"},   {"f", "disable"}, {"{\"rejectunauthorized\":false}", "require"},
};

/* Kinds of servers; "" is left to embark, which waits for a primary. */
static const struct word session_attrs[] = {
    {"any", "any"},
    {"primary", "primary"},
    {"master", "primary"},
    {"standby", "standby"},
    {"secondary", "standby"},
    {"slave", "standby"},
    {"preferprimary", ""},
    {"preferstandby", "prefer-standby"},
    {"prefersecondary", "prefer-standby"},
    {"preferslave", "prefer-standby"},
    {"readwrite", "read-write"},
    {"readonly", "read-only"},
};

static const struct word balance[] = {{"true", "random"}, {"false", "disable"}};

static int set_ssl(struct em_url_parser *p, const char *value)
{
    const char *mode = TRANSLATE(ssl_switches, value);
    if (!mode)
        mode = TRANSLATE(ssl_modes, value);
    if (!mode) {
        em_fail(p->err, EM_EXIT_CONFIG, "the parameter ssl has a value that embark doesn't know");
        em_hint(p->err, "write sslmode=disable, allow, prefer, require, verify-ca or verify-full");
        return EM_EXIT_CONFIG;
    }
    free(p->sslmode);
    p->sslmode = em_strdup(mode);
    return 0;
}

/* Drivers' spellings of a value; libpq itself is given what libpq's own forms hold, to judge by
 * itself. */
static const char *translated(const struct em_url_parser *p, const char *keyword, const char *value)
{
    const char *found = NULL;
    if (strcmp(keyword, "sslmode") == 0 && p->form != EM_URL_KEYWORD)
        found = TRANSLATE(ssl_modes, value);
    else if (strcmp(keyword, "target_session_attrs") == 0 && p->form != EM_URL_KEYWORD)
        found = TRANSLATE(session_attrs, value);
    else if (strcmp(keyword, "load_balance_hosts") == 0 && p->form != EM_URL_KEYWORD)
        found = TRANSLATE(balance, value);
    return found ? found : value;
}

/* host= and port= of SQLAlchemy may be repeated; to libpq the last one counts. */
static void set_repeated(struct em_url_parser *p, bool *seen, const char *keyword,
                         const char *value)
{
    const char *old = em_url_get(p->url, keyword);
    EM_STR_AUTO list = EM_STR_INIT;
    if (p->repeats && *seen && old)
        em_str_printf(&list, "%s,%s", old, value);
    else
        em_str_puts(&list, value);
    em_url_set(p->url, keyword, em_str_c(&list));
    *seen = true;
}

static void set_schema(struct em_url_parser *p, const char *value)
{
    /* JDBC takes a list, and so do search_path (dbmate, lib/pq, pgx) and schema_search_path
     * (Rails): things are created in the first. */
    size_t n = strcspn(value, ",");
    free(p->url->schema);
    p->url->schema = n ? em_strndup(value, n) : NULL;
}

int em_url_param(struct em_url_parser *p, const char *name, const char *value)
{
    EM_STR_WIPED normal = EM_STR_INIT;
    normalise(name, &normal);
    const char *keyword = keyword_of(p, name, em_str_c(&normal));
    p->count++;
    if (strcmp(name, "requiressl") == 0) {
        em_url_set(p->url, "sslmode", *value == '1' ? "require" : "prefer");
        return 0;
    }
    if (strcmp(name, "ssl") == 0 && p->form != EM_URL_NPGSQL)
        return set_ssl(p, value);
    if (strcmp(em_str_c(&normal), "schema") == 0 ||
        strcmp(em_str_c(&normal), "currentschema") == 0 ||
        strcmp(em_str_c(&normal), "searchpath") == 0 ||
        strcmp(em_str_c(&normal), "schemasearchpath") == 0)
        set_schema(p, value);
    p->prisma = p->prisma || strcmp(name, "sslaccept") == 0 || strcmp(name, "sslidentity") == 0;
    p->prisma_strict =
        p->prisma_strict || (strcmp(name, "sslaccept") == 0 && strcmp(value, "strict") == 0);
    if (strcmp(name, "tcpKeepAlive") == 0 && p->form == EM_URL_JDBC) {
        em_url_set(p->url, "keepalives", strcasecmp(value, "true") == 0 ? "1" : "0");
        return 0;
    }
    if (em_url_take_socket(p, em_str_c(&normal), value))
        return 0;
    if (!keyword)
        return drop(p, name);
    value = translated(p, keyword, value);
    if (strcmp(keyword, "host") == 0)
        set_repeated(p, &p->query_host, keyword, value);
    else if (strcmp(keyword, "port") == 0)
        set_repeated(p, &p->query_port, keyword, value);
    else
        em_url_set(p->url, keyword, value);
    p->after_password = p->after_password || em_url_is_secret(keyword);
    return 0;
}
