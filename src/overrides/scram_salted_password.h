/* The salted password of the last SCRAM login, kept by this process for the next one. */
#ifndef EMBARK_OVERRIDES_SCRAM_SALTED_PASSWORD_H
#define EMBARK_OVERRIDES_SCRAM_SALTED_PASSWORD_H

#include <stdint.h>

/* Hi(password, salt, rounds) of RFC 5802, 2.2: 32 bytes to *result. Called by libpq, in the place
 * of libpgcommon's scram_SaltedPassword() (src/common/scram-common.c), whose contract it has: 0 or
 * -1 with *error, a static text: too many rounds, or the login's deadline has passed or a signal
 * asks to end meanwhile (embark/db/peer.h). */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): ld's --wrap names it */
int __wrap_scram_SaltedPassword(const char *password, const char *salt, int salt_size, int rounds,
                                uint8_t *result, const char **error);

#endif
