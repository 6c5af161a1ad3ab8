#include "embark/os/files/roots.h"

#include <stdlib.h>
#include <unistd.h>

#include "embark/core/base/text.h"

const char *em_system_roots(void)
{
    const char *const places[] = {getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt",
                                  "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                  "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < EM_COUNT(places); i++)
        if (places[i] && *places[i] && access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}
