#include <string.h>

#include "parser.h"

#define ENCODINGS "%%40 for @, %%2F for /, %%3A for :, %%3F for ?, %%23 for #, %%25 for %%"

/* Why a URL was not understood. None of these repeats anything of it. */
static int doubt(struct em_url_parser *p, const char *why)
{
    em_fail(p->err, EM_EXIT_CONFIG, "%s", why);
    em_hint(p->err, "in user name, password and database name of a URL, write " ENCODINGS);
    return EM_EXIT_CONFIG;
}

/* ---- Percent-encoding ---- */

/* Adds `n` bytes at `text` decoded to `out`. `what` names them in messages. */
static int decode(struct em_url_parser *p, const char *what, const char *text, size_t n,
                  struct em_str *out)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '%') {
            em_str_putc(out, p->form == EM_URL_JDBC && text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        int high = i + 2 < n ? em_hex_value(text[i + 1]) : -1,
            low = i + 2 < n ? em_hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            em_fail(p->err, EM_EXIT_CONFIG,
                    "a %% in the %s is not followed by two hexadecimal digits", what);
            em_hint(p->err, "write %%25 for a %% that stands for itself");
            return EM_EXIT_CONFIG;
        }
        if (high + low == 0)
            return em_fail(p->err, EM_EXIT_CONFIG, "the %s holds a NUL byte (%%00)", what);
        em_str_putc(out, (char)(high * 16 + low));
        i += 2;
    }
    return 0;
}

/* Decodes a part and sets `keyword` to it; an empty one is none. */
static int set_part(struct em_url_parser *p, const char *keyword, const char *what,
                    const char *text, size_t n)
{
    EM_STR_WIPED value = EM_STR_INIT;
    int code = decode(p, what, text, n, &value);
    if (!code)
        em_url_set(p->url, keyword, em_str_c(&value));
    return code;
}

/* ---- The query ---- */

/* A parameter without "=". */
static int take_bare(struct em_url_parser *p, const char *name)
{
    if (strcmp(name, "ssl") == 0)
        return em_url_param(p, name, "");
    if (!em_url_well_known(p, name) && p->after_password)
        return doubt(p, "a parameter behind the password has no =, so perhaps the password holds "
                        "an & that is not "
                        "percent-encoded (%26)");
    if (em_url_is_keyword(p, name))
        return em_fail(p->err, EM_EXIT_CONFIG, "the parameter %s has no value", name);
    return em_url_param(p, name, "");
}

static int take_segment(struct em_url_parser *p, const char *text, size_t n)
{
    EM_STR_WIPED name = EM_STR_INIT;
    EM_STR_WIPED value = EM_STR_INIT;
    const char *equals = memchr(text, '=', n);
    size_t name_length = equals ? (size_t)(equals - text) : n;
    int code = decode(p, "name of a parameter", text, name_length, &name);
    if (code)
        return code;
    if (memchr(text, '@', n) && !em_url_well_known(p, em_str_c(&name)))
        return doubt(p, "there is an @ behind the ?, so perhaps the password holds a ? that is not "
                        "percent-encoded");
    if (!equals)
        return take_bare(p, em_str_c(&name));
    code = decode(p, "value of a parameter", equals + 1, n - name_length - 1, &value);
    return code ? code : em_url_param(p, em_str_c(&name), em_str_c(&value));
}

static int take_query(struct em_url_parser *p, const char *query)
{
    for (; *query; query += *query == '&') {
        size_t n = strcspn(query, "&");
        int code = n ? take_segment(p, query, n) : 0;
        if (code)
            return code;
        query += n;
    }
    return 0;
}

/* ---- Authority and path ---- */

/* Where the parts of "user:password@host:port,host/database?query" are, as libpq cuts them: what
 * ends in the first @ before the first / is the user's. */
struct parts {
    const char *user, *user_end;         /* NULL: none */
    const char *password, *password_end; /* NULL: none */
    const char *hosts, *hosts_end;
    const char *path, *path_end; /* the database */
    const char *query;           /* up to the end of the text */
};

static void cut(const char *text, struct parts *u)
{
    const char *slash = text + strcspn(text, "/");
    const char *at = memchr(text, '@', (size_t)(slash - text));
    *u = (struct parts){0};
    u->hosts = text;
    if (at) {
        const char *colon = memchr(text, ':', (size_t)(at - text));
        u->user = text;
        u->user_end = colon ? colon : at;
        u->password = colon ? colon + 1 : NULL;
        u->password_end = at;
        u->hosts = at + 1;
    }
    u->hosts_end = u->hosts + strcspn(u->hosts, "/?");
    u->path = u->hosts_end + (*u->hosts_end == '/');
    u->path_end = u->path + strcspn(u->path, "?");
    u->query = u->path_end + (*u->path_end == '?');
}

static bool has(const char *from, const char *to, char c)
{
    return from && memchr(from, c, (size_t)(to - from)) != NULL;
}

/* Whether all ports are numbers, for what is between `from` and `to`. */
static bool has_bad_port(const char *from, const char *to)
{
    bool in_port = false, in_brackets = false;
    for (; from < to; from++) {
        if (in_port && *from != ',' && (*from < '0' || *from > '9'))
            return true;
        if (*from == '[' || *from == ']')
            in_brackets = *from == '[';
        else if (*from == ',' || (*from == ':' && !in_brackets))
            in_port = *from == ':';
    }
    return false;
}

/* `?user=x@y` in front of the first @: a query of a URL without user. */
static bool is_query(const struct em_url_parser *p, const struct parts *u)
{
    const char *mark = u->user ? memchr(u->user, '?', (size_t)(u->password_end - u->user)) : NULL;
    const char *equals = mark ? memchr(mark, '=', (size_t)(u->password_end - mark)) : NULL;
    EM_STR_WIPED name = EM_STR_INIT;
    if (!equals)
        return false;
    em_str_add(&name, mark + 1, (size_t)(equals - mark) - 1);
    return em_url_well_known(p, em_str_c(&name));
}

/* Every @ must be the one in front of the hosts or stand in a parameter that is known: where it
 * doesn't, the text was cut inside the password. */
static int check_cut(struct em_url_parser *p, const struct parts *u)
{
    bool at_behind = strchr(u->hosts_end, '@') != NULL;
    if (is_query(p, u))
        return doubt(p, "there is an @ behind the ?, and no / in front of that: either the "
                        "password holds a ?, or the value of "
                        "a parameter an @, that is not percent-encoded");
    if (has(u->hosts, u->hosts_end, '@') && !u->password)
        return doubt(p, "the user name or the password holds an @ that is not percent-encoded");
    if (has(u->hosts, u->hosts_end, '@'))
        return doubt(p, "the password holds an @ that is not percent-encoded");
    if (at_behind && !u->user && has_bad_port(u->hosts, u->hosts_end))
        return doubt(p, "the password holds a /, ? or # that is not percent-encoded");
    if (has(u->path, u->path_end, '@'))
        return doubt(p, "there is an @ behind the first /, so either the password holds a / or the "
                        "database name an @ that is "
                        "not percent-encoded");
    return 0;
}

/* "h1:5432,[::1]:5433" to "h1,::1" and "5432,5433". */
static int take_hosts(struct em_url_parser *p, const char *c, const char *end)
{
    EM_STR_AUTO hosts = EM_STR_INIT;
    EM_STR_AUTO ports = EM_STR_INIT;
    while (c < end) {
        size_t n;
        if (*c == '[') {
            n = strcspn(++c, "]");
            if (c + n >= end || n == 0 || !strchr(":,/?", c[n + 1]))
                return em_fail(p->err, EM_EXIT_CONFIG,
                               "the brackets of the IPv6 address in the URL are not right");
            em_str_add(&hosts, c, n);
            c += n + 1;
        } else {
            n = strcspn(c, ":,/?");
            em_str_add(&hosts, c, n);
            c += n;
        }
        if (c < end && *c == ':') {
            n = strcspn(++c, ",/?");
            em_str_add(&ports, c, n);
            c += n;
        }
        if (c < end && *c++ == ',') {
            em_str_putc(&hosts, ',');
            em_str_putc(&ports, ',');
        }
    }
    int code = set_part(p, "host", "host", em_str_c(&hosts), hosts.len);
    return code ? code : set_part(p, "port", "port", em_str_c(&ports), ports.len);
}

static int take_parts(struct em_url_parser *p, const struct parts *u)
{
    int code = 0;
    if (u->user)
        code = set_part(p, "user", "user name", u->user, (size_t)(u->user_end - u->user));
    if (!code && u->password)
        code = set_part(p, "password", "password", u->password,
                        (size_t)(u->password_end - u->password));
    if (!code)
        code = take_hosts(p, u->hosts, u->hosts_end);
    if (!code)
        code = set_part(p, "dbname", "database name", u->path, (size_t)(u->path_end - u->path));
    return code ? code : take_query(p, u->query);
}

int em_url_parse_uri(struct em_url_parser *p, const char *text)
{
    struct parts u;
    cut(text, &u);
    int code = check_cut(p, &u);
    if (code)
        return code;
    if (has(u.user, u.password_end, '?') || has(u.user, u.password_end, '#'))
        em_list_add(
            &p->url->notes,
            "the user name or the password holds a ? or # that is not percent-encoded: libpq reads "
            "it as meant, but most other drivers cut the URL there");
    if (!u.user && !strchr(u.hosts, '@') && has_bad_port(u.hosts, u.hosts_end)) {
        em_fail(p->err, EM_EXIT_CONFIG, "the port is not a number from 1 to 65535");
        em_hint(p->err, "if that is the password: user name and password stand in front of @HOST");
        return EM_EXIT_CONFIG;
    }
    return take_parts(p, &u);
}

int em_url_parse_short_jdbc(struct em_url_parser *p, const char *text)
{
    size_t n = strcspn(text, "?");
    if (memchr(text, '@', n))
        return doubt(
            p,
            "there is no // behind jdbc:postgresql:, but an @ in what would be the database name");
    int code = set_part(p, "dbname", "database name", text, n);
    return code ? code : take_query(p, text + n + (text[n] == '?'));
}
