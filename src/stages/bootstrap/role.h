/* The service's role before the set-up: whether there is one, and whether its password may be
 * touched. A role that exists with another password is no missing role: it may be somebody else's.
 */
#ifndef EMBARK_STAGES_BOOTSTRAP_ROLE_H
#define EMBARK_STAGES_BOOTSTRAP_ROLE_H

#include "embark/core/config/config.h"
#include "embark/core/sql/bootstrap_sql.h"
#include "embark/db/connection.h"

enum em_role_state {
    EM_ROLE_MISSING,
    EM_ROLE_OPEN,   /* it has no password, or may not log in and nobody can tell: none is lost */
    EM_ROLE_SAME,   /* it has the one that it is to have */
    EM_ROLE_OTHER,  /* it has another one */
    EM_ROLE_UNKNOWN /* it has one, and may log in; `db`'s role may not read the verifier, or it is
                       of a kind that says nothing here */
};

/* Over a superuser's login, or that of a role which may make roles. Reads only. */
int em_bootstrap_role(struct em_db *db, const struct em_bootstrap_plan *setup, em_time until,
                      enum em_role_state *state, struct em_err *err);

/* 0: the set-up may give the role its login; EM_EXIT_REFUSED: it would replace the role's password,
 * and [bootstrap] replace_password doesn't say so. `refused`: the server has refused the service's
 * login with 28P01, which tells what the verifier doesn't. */
int em_bootstrap_may(const struct em_config *config, const struct em_bootstrap_plan *setup,
                     enum em_role_state state, bool refused, struct em_err *err);

#endif
