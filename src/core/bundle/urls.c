/* The URLs of a bundle (inlined.h). */
#include <string.h>
#include <strings.h>

#include "embark/core/bundle/inlined.h"

static bool is_host(char c)
{
    return em_is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* What may stand in a URL: no quote, no blank, nothing that begins an expression. */
static bool is_url(char c)
{
    return (unsigned char)c > ' ' && (unsigned char)c < 0x7f && !strchr("\"'`<>\\{}()$|^;,", c);
}

static size_t scheme_length(const char *bytes, size_t at)
{
    static const char *const schemes[] = {"https", "http", "wss", "ws"};

    for (size_t i = 0; i < EM_COUNT(schemes); i++) {
        size_t n = strlen(schemes[i]);

        if (at >= n && strncasecmp(bytes + at - n, schemes[i], n) == 0 &&
            (at == n || !em_is_letter(bytes[at - n - 1])))
            return n;
    }
    return 0;
}

/* The end of "host:port" at p, or p. */
static const char *host_end(const char *p, const char *end)
{
    const char *start = p;

    if (p < end && *p == '[') {
        while (p < end && *p != ']' && is_url(*p))
            p++;
        if (p >= end || *p != ']')
            return start;
        p++;
    } else {
        while (p < end && is_host(*p))
            p++;
        while (p > start && p[-1] == '.') /* "see http://example.com." */
            p--;
    }
    if (p > start && p + 1 < end && *p == ':' && p[1] >= '0' && p[1] <= '9')
        for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
        }
    return p;
}

bool em_bundle_url(const char *bytes, size_t length, size_t at, struct em_bundle_url *url)
{
    size_t scheme = scheme_length(bytes, at);
    const char *end = bytes + length, *p = bytes + at + 3, *last;

    if (!scheme || at + 3 > length)
        return false;
    for (last = p; last < end && is_url(*last); last++) {
    }
    url->host = p;
    for (const char *q = p; q < last && *q != '/' && *q != '?' && *q != '#'; q++)
        if (*q == '@')
            url->host = q + 1;
    p = host_end(url->host, last);
    url->host_length = (size_t)(p - url->host);
    /* "https://${host}", "https://api."+domain; but "see http://example.com." */
    if (p == url->host || (p < end && (*p == '$' || *p == '{' ||
                                       (*p == '.' && !memchr(url->host, '.', url->host_length)))))
        return false;
    url->text = bytes + at - scheme;
    url->length = (size_t)(last - url->text);
    return true;
}

/* Whether the host is `domain` or below it. */
static bool within(const char *host, size_t length, const char *domain)
{
    size_t n = strlen(domain);

    return length >= n && strncasecmp(host + length - n, domain, n) == 0 &&
           (length == n || host[length - n - 1] == '.');
}

bool em_bundle_host_is_noise(const char *host, size_t length)
{
    static const char *const domains[] = {
        "w3.org",
        "reactjs.org",
        "react.dev",
        "nextjs.org",
        "vercel.com",
        "fb.me",
        "vuejs.org",
        "vite.dev",
        "vitejs.dev",
        "nuxt.com",
        "github.com",
        "github.io",
        "mozilla.org",
        "goo.gl",
        "bit.ly",
        "mths.be",
        "feross.org",
        "openjsf.org",
        "lodash.com",
        "json-schema.org",
        "schema.org",
        "momentjs.com",
        "mui.com",
        "angular.dev",
        "angular.io",
        "svelte.dev",
        "npmjs.com",
        "npms.io",
        "mit-license.org",
        "radix-ui.com",
        "whatwg.org",
        "ietf.org",
        "ecma-international.org",
        "opensource.org",
        "apache.org",
        "adobe.com",
        "purl.org",
        "stackoverflow.com",
    };

    if (length < 2) /* Next's router has "http://n" as a base of paths */
        return true;
    for (size_t i = 0; i < EM_COUNT(domains); i++)
        if (within(host, length, domains[i]))
            return true;
    return false;
}

static size_t without_port(const char *host, size_t length)
{
    const char *colon = memchr(host, ':', length);

    return colon && *host != '[' ? (size_t)(colon - host) : length;
}

static bool is_local(const char *host, size_t length)
{
    return within(host, length, "localhost") || within(host, length, "local") ||
           within(host, length, "internal") || strncmp(host, "[::", 3) == 0 ||
           (length > 4 && strncmp(host, "127.", 4) == 0) ||
           (length == 7 && strncmp(host, "0.0.0.0", 7) == 0) || !memchr(host, '.', length);
}

bool em_bundle_host_is_own_port(const char *host, size_t length)
{
    size_t n = without_port(host, length);

    return n < length &&
           (within(host, n, "localhost") || (n > 4 && strncmp(host, "127.", 4) == 0) ||
            (n == 7 && strncmp(host, "0.0.0.0", 7) == 0));
}

/* The last two labels: "example.com". */
static size_t domain_start(const char *host, size_t length)
{
    int dots = 0;

    while (length > 0 && !(host[length - 1] == '.' && ++dots == 2))
        length--;
    return length;
}

static bool same_domain(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t x = domain_start(a, a_length), y = domain_start(b, b_length);

    return a_length - x == b_length - y && strncasecmp(a + x, b + y, a_length - x) == 0;
}

int em_bundle_alike(const struct em_bundle_url *url, const char *wanted)
{
    const char *colon = strstr(wanted, "://"), *path;
    size_t host = without_port(url->host, url->host_length), path_length;
    struct em_bundle_url w;
    int points = 0;

    if (!colon || !em_bundle_url(wanted, strlen(wanted), (size_t)(colon - wanted), &w) ||
        em_bundle_host_is_noise(url->host, host))
        return 0;
    path = w.host + w.host_length;
    path_length = strlen(path);
    while (path_length && path[path_length - 1] == '/')
        path_length--;
    if (path_length &&
        (size_t)(url->text + url->length - url->host) >= url->host_length + path_length &&
        memcmp(url->host + url->host_length, path, path_length) == 0)
        points += 3;
    if (is_local(url->host, host))
        points += host < url->host_length ? 5 : 4; /* with a port: a server that was set up */
    else if (same_domain(url->host, host, w.host, without_port(w.host, w.host_length)))
        points += 2;
    return points;
}
