/* The files that libpq and OpenSSL open by themselves, without a look at what they are: a FIFO
 * would hold embark for ever, a device fill its memory. */
#ifndef EMBARK_DB_FILES_H
#define EMBARK_DB_FILES_H

#include "embark/core/url/url.h"

/* Of the service that the URL, or PGSERVICE, names. */
int em_db_check_service_file(const struct em_url *url, struct em_err *err);

/* passfile, or ~/.pgpass, where no password is known. */
int em_db_check_password_file(const struct em_url *url, struct em_err *err);

/* sslrootcert, sslcert, sslcrl and what stands in their place in ~/.postgresql, and OpenSSL's own
 * configuration. One that isn't there
 * is left to libpq. EM_EXIT_CONFIG. */
int em_db_check_tls_files(const struct em_url *url, struct em_err *err);

#endif
