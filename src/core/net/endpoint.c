#include "embark/core/net/endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS     "0123456789"
#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_BYTES LETTERS DIGITS ".-_"
#define V6_BYTES   "abcdefABCDEF" DIGITS ":."
enum { NAME_MAX_BYTES = 253 };

static bool is_port(const char *text, size_t length)
{
    long port = 0;
    if (length == 0 || length > 5 || strspn(text, DIGITS) < length)
        return false;
    for (size_t i = 0; i < length; i++)
        port = port * 10 + (text[i] - '0');
    return port >= 1 && port <= 65535;
}

static bool is_name(const char *text, size_t length)
{
    return length > 0 && length <= NAME_MAX_BYTES && strspn(text, NAME_BYTES) >= length;
}

/* "::1", "fe80::1%eth0": what only getaddrinfo can judge is left to it. */
static bool is_v6(const char *text, size_t length)
{
    size_t address = strspn(text, V6_BYTES);
    if (length > NAME_MAX_BYTES || address < 2 ||
        !memchr(text, ':', address < length ? address : length))
        return false;
    if (address >= length)
        return true;
    return text[address] == '%' && length > address + 1 &&
           strspn(text + address + 1, NAME_BYTES) >= length - address - 1;
}

/* Reads the host at the start of `text`, which ends after `length` bytes: where it is, and how many
 * bytes it takes with its brackets; 0: malformed. */
static size_t host_at(const char *text, size_t length, const char **host, size_t *host_length)
{
    if (length && text[0] == '[') {
        const char *close = memchr(text, ']', length);
        if (!close || !is_v6(text + 1, (size_t)(close - text) - 1))
            return 0;
        *host = text + 1;
        *host_length = (size_t)(close - text) - 1;
        return *host_length + 2;
    }
    const char *colon = memchr(text, ':', length);
    *host = text;
    *host_length = colon ? (size_t)(colon - text) : length;
    return is_name(text, *host_length) ? *host_length : 0;
}

bool em_host_port(const char *text, struct em_str *host, struct em_str *port)
{
    const char *name;
    size_t length = strlen(text), name_length, used = host_at(text, length, &name, &name_length);
    if (!used || text[used] != ':' || !is_port(text + used + 1, length - used - 1))
        return false;
    em_str_add(host, name, name_length);
    em_str_puts(port, text + used + 1);
    return true;
}

void em_host_port_print(const char *host, const char *port, struct em_str *out)
{
    em_str_printf(out, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* A URL with '@' may hold a password in any place of it. */
static int refuse(struct em_err *err, const char *text, const char *why)
{
    if (strchr(text, '@'))
        return em_fail(err, EM_EXIT_CONFIG, "the URL %s", why);
    return em_fail(err, EM_EXIT_CONFIG, "\"%s\" %s", text, why);
}

#if EMBARK_TLS

static int refuse_scheme(struct em_err *err, const char *text)
{
    return refuse(err, text, "is neither an http:// or https:// URL nor unix:/PATH/TO.sock:/PATH");
}

#else

static int refuse_scheme(struct em_err *err, const char *text)
{
    if (strncasecmp(text, "https://", 8) != 0) {
        refuse(err, text, "is neither an http:// URL nor unix:/PATH/TO.sock:/PATH");
        return EM_EXIT_CONFIG;
    }
    refuse(err, text, "is https, and this embark is built without TLS");
    size_t length = strcspn(text + 8, "/?#");
    const char *host;
    size_t host_length, used = host_at(text + 8, length, &host, &host_length);
    if (used && used == length)
        em_hint(err, "ask whether its port accepts connections: tcp = %.*s:443", (int)length,
                text + 8);
    else if (used && is_port(text + 8 + used + 1, length - used - 1))
        em_hint(err, "ask whether its port accepts connections: tcp = %.*s", (int)length, text + 8);
    else
        em_hint(err, "ask whether its port accepts connections: tcp = HOST:443");
    return EM_EXIT_CONFIG;
}

#endif

/* The path and query for the request line. Bytes above 0x7F are what people typed or a browser
 * showed decoded. */
static void set_target(struct em_http_url *url, const char *text)
{
    EM_STR_AUTO target = EM_STR_INIT;
    if (*text != '/')
        em_str_putc(&target, '/'); /* http://host, http://host?query */
    for (; *text && *text != '#'; text++) {
        if ((unsigned char)*text > 0x7F)
            em_str_printf(&target, "%%%02X", (unsigned char)*text);
        else
            em_str_putc(&target, *text);
    }
    url->target = em_str_take(&target);
}

static int parse_tcp(struct em_http_url *url, const char *text, struct em_err *err)
{
    const char *standard = url->tls ? "443" : "80";
    const char *at = text + strlen(url->tls ? "https://" : "http://"), *host;
    size_t length = strcspn(at, "/?#"), host_length;
    if (memchr(at, '@', length))
        return em_fail(err, EM_EXIT_CONFIG,
                       "the URL holds user or password before an @, which embark doesn't send");
    size_t used = host_at(at, length, &host, &host_length);
    if (!used)
        return refuse(err, text, "has no valid host");
    if (used < length && (at[used] != ':' || !is_port(at + used + 1, length - used - 1)))
        return refuse(err, text, "has no valid port");
    EM_STR_AUTO authority = EM_STR_INIT;
    em_str_add(&authority, at, length);
    url->host = em_strndup(host, host_length);
    url->port = used < length ? em_strndup(at + used + 1, length - used - 1) : em_strdup(standard);
    if (strcmp(url->port, standard) == 0)
        em_str_cut(&authority, used);
    url->authority = em_str_take(&authority);
    set_target(url, at + length);
    url->name = em_strndup(text, strcspn(text, "?#"));
    return 0;
}

static int parse_unix(struct em_http_url *url, const char *text, struct em_err *err)
{
    const char *path = text + strlen("unix:");
    /* The first: a target may hold others, "/proxy/http://…". */
    const char *target = strstr(path, ":/");
    size_t length = target ? (size_t)(target - path) : strlen(path);
    if (*path != '/')
        return refuse(err, text, "has no absolute path of a socket after unix:");
    if (length > EM_UNIX_PATH_MAX)
        return refuse(
            err, text,
            "has a socket path of more than 107 bytes, which the system can't connect to");
    url->path = em_strndup(path, length);
    url->authority = em_strdup("localhost");
    set_target(url, target ? target + 1 : "/");
    url->name =
        em_strndup(text, target ? length + strlen("unix:") + strcspn(target, "?#") : strlen(text));
    return 0;
}

int em_http_url_parse(struct em_http_url *url, const char *text, struct em_err *err)
{
    *url = (struct em_http_url){0};
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7F)
            return refuse(err, text, "holds a blank or a control character");
    url->tls = EMBARK_TLS && strncasecmp(text, "https://", 8) == 0;
    if (url->tls || strncasecmp(text, "http://", 7) == 0)
        return parse_tcp(url, text, err);
    if (em_starts(text, "unix:"))
        return parse_unix(url, text, err);
    return refuse_scheme(err, text);
}

void em_http_url_free(struct em_http_url *url)
{
    free(url->host);
    free(url->port);
    free(url->path);
    free(url->target);
    free(url->authority);
    free(url->name);
    *url = (struct em_http_url){0};
}

static bool has_scheme(const char *location)
{
    size_t n = strspn(location, LETTERS DIGITS "+.-");
    return n > 0 && location[n] == ':';
}

void em_http_url_join(const struct em_http_url *url, const char *location, struct em_str *out)
{
    const char *scheme = url->tls ? "https:" : "http:";
    size_t n = strcspn(location, "#");
    if (has_scheme(location)) {
        em_str_add(out, location, n);
        return;
    }
    if (em_starts(location, "//")) {
        em_str_puts(out, scheme);
        em_str_add(out, location, n);
        return;
    }
    if (url->path)
        em_str_printf(out, "unix:%s:", url->path);
    else
        em_str_printf(out, "%s//%s", scheme, url->authority);
    if (*location != '/') {
        size_t path = strcspn(url->target, "?");
        while (*location != '?' && path > 0 && url->target[path - 1] != '/')
            path--;
        em_str_add(out, url->target, path);
    }
    em_str_add(out, location, n);
}
