#include "role.h"

#include <string.h>

#include "embark/core/postgres/verifier.h"

static bool is_true(const struct em_db *db)
{
    const char *value = em_db_value(db, 0, 0);
    return value && strcmp(value, "t") == 0;
}

/* Of a role that exists. The right to read verifiers is asked for, since a statement that is
 * refused stands in the server's log as an error. */
static int look_at_password(struct em_db *db, const struct em_bootstrap_plan *setup, bool logs_in,
                            em_time until, enum em_role_state *state, struct em_err *err)
{
    static const enum em_role_state states[] = {EM_ROLE_SAME, EM_ROLE_OTHER, EM_ROLE_UNKNOWN};
    *state = logs_in ? EM_ROLE_UNKNOWN : EM_ROLE_OPEN;
    int code = em_db_query(
        db, until, NULL, err,
        "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')", 0, NULL);
    if (code || !is_true(db))
        return code;
    code = em_db_query(db, until, NULL, err,
                       "SELECT rolpassword FROM pg_catalog.pg_authid"
                       " WHERE rolname OPERATOR(pg_catalog.=) $1",
                       1, &setup->role);
    if (code)
        return code;
    const char *verifier = em_db_value(db, 0, 0);
    if (!em_db_rows(db))
        *state = EM_ROLE_MISSING;
    else if (!verifier)
        *state = EM_ROLE_OPEN;
    else if (setup->password)
        *state = states[em_verifier_check(verifier, setup->password)];
    return 0;
}

int em_bootstrap_role(struct em_db *db, const struct em_bootstrap_plan *setup, em_time until,
                      enum em_role_state *state, struct em_err *err)
{
    *state = EM_ROLE_MISSING;
    if (!setup->role)
        return 0;
    int code = em_db_query(db, until, NULL, err,
                           "SELECT rolcanlogin FROM pg_catalog.pg_roles"
                           " WHERE rolname OPERATOR(pg_catalog.=) $1",
                           1, &setup->role);
    if (code || !em_db_rows(db))
        return code;
    return look_at_password(db, setup, is_true(db), until, state, err);
}

int em_bootstrap_may(const struct em_config *config, const struct em_bootstrap_plan *setup,
                     enum em_role_state state, bool refused, struct em_err *err)
{
    bool other = state == EM_ROLE_OTHER || (state == EM_ROLE_UNKNOWN && refused);
    if (!setup->password || !other || config->bootstrap_replace_password ||
        config->bootstrap_when == 1)
        return 0;
    em_fail(err, EM_EXIT_REFUSED, "the role %s exists already, and has another password than %s",
            setup->role,
            config->bootstrap_password && *config->bootstrap_password ? "[bootstrap] password"
                                                                      : "the service's URL");
    em_hint(err,
            "nothing was changed: give the service the password that %s has; or [bootstrap] "
            "replace_password = yes has it replaced, and whoever logs in with the old one is "
            "locked out",
            setup->role);
    return err->code;
}
