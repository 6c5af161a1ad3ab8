#include "embark/stages/wait/http.h"

#include <string.h>

static struct em_http_how make(const struct em_items *headers, bool redirects, bool verify,
                               const char *ca)
{
    return (struct em_http_how){.request = {NULL, headers->v, headers->n},
                                .trust = {!verify, ca},
                                .redirects = redirects ? EM_HTTP_REDIRECTS : 0};
}

struct em_http_how em_wait_http_how(const struct em_config *config)
{
    return make(&config->wait_header, config->wait_redirects, config->wait_tls_verify,
                config->wait_tls_ca);
}

struct em_http_how em_health_http_how(const struct em_config *config)
{
    struct em_http_how how = make(&config->health_header, config->health_redirects,
                                  config->health_tls_verify, config->health_tls_ca);
    if (config->health_host_header && *config->health_host_header)
        how.request.host = config->health_host_header;
    return how;
}

static void check(const struct em_items *headers, const char *section, struct em_errs *errs)
{
    for (size_t i = 0; i < headers->n; i++) {
        if (em_http_is_header(headers->v[i]))
            continue;
        struct em_err *err = em_errs_add(errs, EM_EXIT_CONFIG, "%s: [%s] header: not NAME: VALUE",
                                         headers->where[i], section);
        em_hint(err, "such as Accept: application/json; Connection is embark's own");
    }
}

void em_http_check_headers(const struct em_config *config, struct em_errs *errs)
{
    check(&config->wait_header, "wait", errs);
    check(&config->health_header, "health", errs);
}

bool em_http_holds(const struct em_http *answer, const char *text)
{
    const struct em_str *body = &answer->body;
    if (!text || !*text)
        return true;
    return body->len >= strlen(text) &&
           memmem(em_str_c(body), body->len, text, strlen(text)) != NULL;
}
