/* What [wait] and [health] have in common of the keys beside a URL. */
#ifndef EMBARK_STAGES_WAIT_HTTP_H
#define EMBARK_STAGES_WAIT_HTTP_H

#include "embark/core/config/config.h"
#include "embark/os/net/net.h"

enum { EM_HTTP_REDIRECTS = 10, EM_HTTP_BODY_MAX = 65536 };

/* How a section's URLs are asked; what it points to is the configuration's. */
struct em_http_how em_wait_http_how(const struct em_config *config);
struct em_http_how em_health_http_how(const struct em_config *config);

/* Each header of both sections that is none, an error with its place. */
void em_http_check_headers(const struct em_config *config, struct em_errs *errs);

/* Whether the body holds `text`; NULL and "" are in any. */
bool em_http_holds(const struct em_http *answer, const char *text);

#endif
