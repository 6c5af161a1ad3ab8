/* Whether a password is the one of a role's SCRAM verifier (pg_authid.rolpassword; RFC 5802):
 * "SCRAM-SHA-256$ROUNDS:SALT$STOREDKEY:SERVERKEY", the last three in base64.
 */
#ifndef EMBARK_CORE_POSTGRES_VERIFIER_H
#define EMBARK_CORE_POSTGRES_VERIFIER_H

/* EM_VERIFIER_UNKNOWN: it is of another kind (md5), has more than a million rounds, or it doesn't
 * match and the password has bytes beyond ASCII, which SASLprep (RFC 4013) may have changed. */
enum em_verifier { EM_VERIFIER_SAME, EM_VERIFIER_OTHER, EM_VERIFIER_UNKNOWN };

enum em_verifier em_verifier_check(const char *verifier, const char *password);

#endif
