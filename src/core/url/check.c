#include <string.h>

#include "parser.h"

static size_t count_items(const char *list)
{
    size_t n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static bool is_port(const char *text, size_t n)
{
    long port = 0;
    if (n > 5)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (text[i] - '0');
    }
    return n == 0 || (port >= 1 && port <= 65535);
}

/* ---- Ports inside of host= ---- */

/* Splits "h:5433", "[::1]:5433" and "[::1]" (SQLAlchemy, Npgsql); anything else is a host as it is.
 */
static void split_item(const char *item, size_t n, struct em_str *host, struct em_str *port)
{
    const char *colon = memchr(item, ':', n), *close = memchr(item, ']', n);
    size_t host_end = n, port_at = n;
    if (n && *item == '[' && close) {
        if (close + 1 == item + n || close[1] == ':') {
            host_end = (size_t)(close - item);
            port_at = close + 1 == item + n ? n : host_end + 2;
            em_str_add(host, item + 1, host_end - 1);
        } else {
            em_str_add(host, item, n);
        }
    } else {
        if (n && *item != '/' && *item != '@' && colon &&
            !memchr(colon + 1, ':', n - (size_t)(colon + 1 - item))) {
            host_end = (size_t)(colon - item);
            port_at = host_end + 1;
        }
        em_str_add(host, item, host_end);
    }
    em_str_add(port, item + port_at, n - port_at);
}

static void split_ports(struct em_url *url)
{
    EM_STR_AUTO hosts = EM_STR_INIT;
    EM_STR_AUTO ports = EM_STR_INIT;
    const char *old = em_url_get(url, "host");
    bool any = false;
    if (!old)
        return;
    for (const char *p = old;; p++) {
        size_t n = strcspn(p, ","), before = ports.len;
        split_item(p, n, &hosts, &ports);
        any = any || ports.len > before;
        p += n;
        if (!*p)
            break;
        em_str_putc(&hosts, ',');
        em_str_putc(&ports, ',');
    }
    em_url_set(url, "host", em_str_c(&hosts));
    if (any)
        em_url_set(url, "port", em_str_c(&ports));
}

/* ---- Checks ---- */

/* A host that is shown in every message had better be one: what no name, address or directory has
 * means that the text was cut in the wrong place, and that this may be a piece of the password. */
static int check_hosts(struct em_url_parser *p, const char *hosts)
{
    bool path = false, start = true;
    for (const char *c = hosts; *c; c++) {
        if (start)
            path = *c == '/' || *c == '@';
        bool odd =
            (unsigned char)*c < ' ' || *c == 0x7F || (!path && strchr(" /?#@&=;'\"\\<>{}|^`", *c));
        if (odd) {
            em_fail(p->err, EM_EXIT_CONFIG,
                    "what stands where the host should be holds a character that no host has");
            em_hint(p->err, "in user name and password of a URL, write %%40 for @, %%2F for /, "
                            "%%3A for :, %%3F for ?, "
                            "%%23 for #, %%25 for %%");
            return EM_EXIT_CONFIG;
        }
        start = *c == ',';
    }
    return 0;
}

static int check_ports(struct em_url_parser *p, const char *ports)
{
    bool any = false;
    for (const char *c = ports;; c++) {
        size_t n = strcspn(c, ",");
        any = any || n > 0;
        if (!is_port(c, n))
            return em_fail(p->err, EM_EXIT_CONFIG, "the port is not a number from 1 to 65535");
        c += n;
        if (!*c)
            break;
    }
    if (!any)
        em_url_set(p->url, "port", NULL); /* "h1,h2" has an empty port for each */
    return 0;
}

static int check_counts(struct em_url_parser *p)
{
    const char *hosts = em_url_get(p->url, "host"), *addresses = em_url_get(p->url, "hostaddr");
    const char *ports = em_url_get(p->url, "port");
    size_t places = count_items(hosts ? hosts : addresses ? addresses : "");
    size_t n = ports ? count_items(ports) : 1;
    if (hosts && addresses && count_items(addresses) != places)
        return em_fail(p->err, EM_EXIT_CONFIG, "there are %zu hosts, but %zu addresses in hostaddr",
                       places, count_items(addresses));
    if (n != 1 && n != places)
        return em_fail(p->err, EM_EXIT_CONFIG, "there are %zu ports for %zu hosts", n, places);
    return 0;
}

/* To Prisma, sslcert is the certificate that the server must have, checked only if
 * sslaccept=strict, and a relative path is one from its schema's folder. To libpq it would be the
 * client's own. */
static void translate_prisma(struct em_url *url, bool strict)
{
    const char *cert = em_url_get(url, "sslcert");
    if (cert && strict && *cert == '/' && !em_url_get(url, "sslrootcert"))
        em_url_set(url, "sslrootcert", cert);
    else if (cert)
        em_list_add(&url->dropped, "sslcert");
    if (em_url_get(url, "sslpassword"))
        em_list_add(&url->dropped, "sslpassword");
    em_url_set(url, "sslcert", NULL);
    em_url_set(url, "sslpassword", NULL);
}

int em_url_finish(struct em_url_parser *p)
{
    const char *ports;
    int code = 0;
    if (p->sslmode && !em_url_get(p->url, "sslmode"))
        em_url_set(p->url, "sslmode", p->sslmode);
    if (p->prisma)
        translate_prisma(p->url, p->prisma_strict);
    if (p->query_host && p->form != EM_URL_KEYWORD)
        split_ports(p->url);
    code = em_url_finish_socket(p);
    if (!code && em_url_get(p->url, "host"))
        code = check_hosts(p, em_url_get(p->url, "host"));
    ports = em_url_get(p->url, "port");
    if (!code && ports)
        code = check_ports(p, ports);
    if (!code)
        code = check_counts(p);
    /* A JDBC driver knows no unix sockets. */
    if (!code && p->form == EM_URL_JDBC && !em_url_get(p->url, "host") &&
        !em_url_get(p->url, "hostaddr"))
        em_url_set(p->url, "host", "localhost");
    return code;
}
