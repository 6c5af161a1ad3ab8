/* Becoming another user, as gosu and su-exec do. */
#ifndef EMBARK_OS_PROCESS_USER_H
#define EMBARK_OS_PROCESS_USER_H

#include <sys/types.h>

#include "embark/core/base/err.h"

struct em_user {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary ones, gid among them */
    size_t n;
    char *home;
    char *name; /* "": it has none */
};

/* NAME, UID, NAME:GROUP or UID:GROUP, by /etc/passwd and /etc/group. With a GROUP there are no
 * supplementary groups; a UID that has no entry has the group 0 otherwise, and the home /: Docker's
 * rules for USER. EM_EXIT_CONFIG: there is no such user or group. */
int em_user_find(const char *text, struct em_user *user, struct em_err *err);

/* All ids of this process, for good, and HOME. Nothing is done if it is that user already.
 * EM_EXIT_CONFIG: we may not. */
int em_user_become(const struct em_user *user, struct em_err *err);

void em_user_free(struct em_user *user);

#endif
