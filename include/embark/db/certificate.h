/* The TLS of a connection, for people. A build without TLS knows of none. */
#ifndef EMBARK_DB_CERTIFICATE_H
#define EMBARK_DB_CERTIFICATE_H

#include <stdint.h>

#include "embark/db/connection.h"

struct em_tls {
    bool used;
    bool chain_checked;             /* the certificate is of an authority that is trusted */
    bool name_checked;              /* … and for the host that was asked for */
    struct em_str protocol, cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
    /* The server's certificate. Untrusted bytes. */
    bool has_certificate;
    struct em_str subject, issuer; /* common names, "" for none */
    struct em_list names;          /* subjectAltName: host names and addresses */
    int64_t from, until;           /* seconds since 1970; until 0: can't be told */
};
#define EM_TLS_AUTO __attribute__((cleanup(em_tls_free))) struct em_tls /* = {0} */
void em_tls_free(struct em_tls *tls);

/* Of a login. `tls` is empty before. */
void em_db_tls(const struct em_db *db, const struct em_url *url, struct em_tls *tls);

/* The certificate of a server that is not logged in to, since a login fails by it: a handshake in
 * which nothing is verified, nothing of the URL is sent, and which is given up before the login
 * starts. `address` may be NULL: the host is a numeric address. EM_EXIT_UNREACHABLE,
 * EM_EXIT_REFUSED: there is no TLS. */
int em_db_certificate(const char *host, const char *address, const char *port, em_time until,
                      struct em_tls *tls, struct em_err *err);

#endif
