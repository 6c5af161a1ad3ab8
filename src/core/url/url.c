#include "embark/core/url/url.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/postgres/options.h"
#include "parser.h"

/* ---- The model ---- */

void em_url_wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void em_url_wipe_list(struct em_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        explicit_bzero(list->v[i], strlen(list->v[i]));
    em_list_free(list);
}

/* The index of `keyword`, or keys.n. */
static size_t find(const struct em_url *url, const char *keyword)
{
    size_t i = 0;
    while (i < url->keys.n && strcmp(url->keys.v[i], keyword) != 0)
        i++;
    return i;
}

const char *em_url_get(const struct em_url *url, const char *keyword)
{
    size_t i = find(url, keyword);
    return i < url->keys.n ? url->values.v[i] : NULL;
}

static void take_out(struct em_list *list, size_t i)
{
    /* The closing NULL moves along. */
    memmove(list->v + i, list->v + i + 1, (list->n - i) * sizeof *list->v);
    list->n--;
}

void em_url_set(struct em_url *url, const char *keyword, const char *value)
{
    size_t i = find(url, keyword);
    /* Copied first: `value` may be the one that is replaced. */
    char *copy = value && *value ? em_strdup(value) : NULL;
    if (i < url->keys.n) {
        em_url_wipe(url->values.v[i]);
        url->values.v[i] = copy;
        if (copy)
            return;
        free(url->keys.v[i]);
        take_out(&url->keys, i);
        take_out(&url->values, i);
    } else if (copy) {
        em_list_add(&url->keys, keyword);
        em_list_take(&url->values, copy);
    }
}

void em_url_free(struct em_url *url)
{
    em_list_free(&url->keys);
    em_url_wipe_list(&url->values);
    em_list_free(&url->dropped);
    em_list_free(&url->notes);
    free(url->schema);
    url->schema = NULL;
}

bool em_url_search_path(const struct em_url *url, struct em_str *out)
{
    return em_pg_options_get(em_url_get(url, "options"), "search_path", out);
}

bool em_url_is_secret(const char *keyword)
{
    static const char *const secret[] = {"password", "sslpassword", "oauth_client_secret",
                                         "scram_client_key", "scram_server_key"};
    for (size_t i = 0; i < EM_COUNT(secret); i++)
        if (strcmp(keyword, secret[i]) == 0)
            return true;
    return false;
}

void em_url_secrets(const struct em_url *url, struct em_secrets *secrets)
{
    for (size_t i = 0; i < url->keys.n; i++)
        if (em_url_is_secret(url->keys.v[i]))
            em_secrets_add(secrets, url->values.v[i]);
}

/* ---- Comma-separated lists of hosts and ports ---- */

static size_t count_items(const char *list)
{
    size_t n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

/* The i'th item of `list`, to be freed; "" if there are not so many. */
static char *item(const char *list, size_t i)
{
    for (; i > 0 && *list; list++)
        i -= *list == ',';
    return em_strndup(list, strcspn(list, ","));
}

/* The i'th port: a single one is for all hosts. */
static char *port_item(const char *ports, size_t i)
{
    return item(ports, count_items(ports) == 1 ? 0 : i);
}

size_t em_url_places(const struct em_url *url)
{
    const char *hosts = em_url_get(url, "host"), *addresses = em_url_get(url, "hostaddr");
    return count_items(hosts ? hosts : addresses ? addresses : "");
}

void em_url_place(const struct em_url *url, size_t i, struct em_place *place)
{
    const char *hosts = em_url_get(url, "host"), *addresses = em_url_get(url, "hostaddr");
    const char *ports = em_url_get(url, "port");
    place->host = item(hosts ? hosts : "", i);
    place->address = item(addresses ? addresses : "", i);
    place->port = port_item(ports ? ports : "", i);
}

void em_place_free(struct em_place *place)
{
    free(place->host);
    free(place->address);
    free(place->port);
    *place = (struct em_place){NULL, NULL, NULL};
}

/* ---- Where ---- */

void em_place_print(const char *host, const char *port, struct em_str *out)
{
    if (*host == '/' || *host == '@')
        em_str_printf(out, "%s/.s.PGSQL.%s", host, port);
    else
        em_str_printf(out, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* ---- Printing ---- */

/* RFC 3986's unreserved characters stand as they are, and those of `also`. */
static void add_encoded(struct em_str *out, const char *text, const char *also)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++) {
        if (strchr(unreserved, *text) || strchr(also, *text))
            em_str_putc(out, *text);
        else
            em_str_printf(out, "%%%02X", (unsigned char)*text);
    }
}

void em_url_encode(struct em_str *out, const char *text)
{
    add_encoded(out, text, "");
}

/* Directories can't stand in front of the path in a form that every driver reads, and one port or
 * address too many has to be left to libpq to complain about. */
static bool fits_authority(const char *hosts, const char *ports)
{
    size_t n = count_items(hosts);
    if (!*hosts || (count_items(ports) != 1 && count_items(ports) != n))
        return false;
    for (size_t i = 0; i < n; i++) {
        EM_FREE char *host = item(hosts, i);
        if (*host == '/' || *host == '@')
            return false;
    }
    return true;
}

static void add_authority(struct em_str *out, const char *hosts, const char *ports)
{
    size_t n = count_items(hosts);
    for (size_t i = 0; i < n; i++) {
        EM_FREE char *host = item(hosts, i);
        EM_FREE char *port = port_item(ports, i);
        bool v6 = strchr(host, ':') != NULL;
        em_str_puts(out, i ? "," : "");
        em_str_puts(out, v6 ? "[" : "");
        add_encoded(out, host, ":");
        em_str_puts(out, v6 ? "]" : "");
        if (*port) {
            em_str_putc(out, ':');
            add_encoded(out, port, "");
        }
    }
}

void em_url_print(const struct em_url *url, bool with_password, struct em_str *out)
{
    const char *user = em_url_get(url, "user"),
               *password = with_password ? em_url_get(url, "password") : NULL;
    const char *hosts = em_url_get(url, "host"), *ports = em_url_get(url, "port"),
               *db = em_url_get(url, "dbname");
    bool authority = fits_authority(hosts ? hosts : "", ports ? ports : "");
    char separator = '?';
    em_str_puts(out, "postgresql://");
    add_encoded(out, user ? user : "", "");
    if (password) {
        em_str_putc(out, ':');
        add_encoded(out, password, "");
    }
    em_str_puts(out, user || password ? "@" : "");
    if (authority)
        add_authority(out, hosts, ports ? ports : "");
    em_str_putc(out, '/');
    add_encoded(out, db ? db : "", "");
    for (size_t i = 0; i < url->keys.n; i++) {
        const char *key = url->keys.v[i];
        bool placed = !strcmp(key, "host") || !strcmp(key, "port");
        if (!strcmp(key, "user") || !strcmp(key, "password") || !strcmp(key, "dbname") ||
            (placed && authority) || (!with_password && em_url_is_secret(key)))
            continue;
        em_str_printf(out, "%c%s=", separator, key);
        add_encoded(out, url->values.v[i], "/:,");
        separator = '&';
    }
}

void em_url_copy(struct em_url *to, const struct em_url *from)
{
    for (size_t i = 0; i < from->keys.n; i++)
        em_url_set(to, from->keys.v[i], from->values.v[i]);
    for (size_t i = 0; i < from->dropped.n; i++)
        em_list_add(&to->dropped, from->dropped.v[i]);
    for (size_t i = 0; i < from->notes.n; i++)
        em_list_add(&to->notes, from->notes.v[i]);
    to->lent = from->lent;
    to->encoded = from->encoded;
    if (from->schema)
        to->schema = em_strdup(from->schema);
}
