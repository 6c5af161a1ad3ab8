/* What the declarative bootstrap is to make, and the statements for it.
 *
 * The role is made without LOGIN first, and may log in when all else is there: a login that works
 * says that the set-up is complete, so one that was killed in its middle is taken up again, and no
 * replica's service runs while another one still sets up.
 */
#ifndef EMBARK_CORE_SQL_BOOTSTRAP_SQL_H
#define EMBARK_CORE_SQL_BOOTSTRAP_SQL_H

#include "embark/core/config/config.h"
#include "embark/core/url/url.h"

enum em_owns {
    EM_OWNS_DATABASE,
    EM_OWNS_SCHEMA,
    EM_OWNS_NOTHING
}; /* the order of [bootstrap] owns' words */

/* Views into the configuration and the service's URL. */
struct em_bootstrap_plan {
    const char *database;
    const char *schema;
    const char *role;     /* NULL: none is made, the SQL files do that */
    const char *password; /* NULL: the role gets none */
    enum em_owns owns;
};
void em_bootstrap_plan_make(const struct em_config *config, const struct em_url *service,
                            struct em_bootstrap_plan *setup);

void em_bootstrap_create_role_sql(const struct em_bootstrap_plan *setup, struct em_str *sql);
/* For a [bootstrap] url that is no superuser's: makes its role a member, so that it may give away
 * what it owns. `has_options`: the server knows the options of a membership (16). */
void em_bootstrap_member_sql(const struct em_bootstrap_plan *setup, bool has_options,
                             struct em_str *sql);
/* `verifier` is what stands for the password, or NULL. */
void em_bootstrap_login_sql(const struct em_bootstrap_plan *setup, const char *verifier,
                            struct em_str *sql);
/* `template`: NULL is the server's default, template1. */
void em_bootstrap_create_database_sql(const struct em_bootstrap_plan *setup, const char *template,
                                      struct em_str *sql);
/* In the database itself: ownership. Every statement may be repeated. */
void em_bootstrap_own_sql(const struct em_bootstrap_plan *setup, struct em_list *statements);

/* "read on SCHEMA", "write on SCHEMA"; false: neither. */
bool em_bootstrap_parse_grant(const char *text, bool *write, struct em_str *schema);
/* `owners`: the roles whose later tables the grant is for as well. */
void em_bootstrap_grant_sql(const struct em_bootstrap_plan *setup, const char *schema, bool write,
                            const struct em_list *owners, struct em_list *statements);

#endif
