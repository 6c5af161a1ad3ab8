/* The certificate authorities that the system trusts. */
#ifndef EMBARK_OS_FILES_ROOTS_H
#define EMBARK_OS_FILES_ROOTS_H

/* The file of them that can be read: SSL_CERT_FILE, which is what OpenSSL's own defaults look at,
 * or the place of Debian, Alpine, Red Hat or SUSE. NULL: there is none. */
const char *em_system_roots(void);

#endif
