/* First-time set-up: the service's role and database are made with a superuser's login, by one
 * replica at a time.
 *
 * With [bootstrap] url set, a service login that is refused with 28P01, 28000 or 3D000 is no
 * failure: the role, the database, its ownership and the grants are made (or mended: a half-made
 * set-up has the role with another password, or the database without its privileges), the SQL files
 * are run, and the service logs in again. All of it under an advisory lock of its own in a
 * maintenance database (postgres, else template1, else the URL's own), since locks are per
 * database.
 *
 * A set-up that was interrupted is taken up by the next start: the role may log in last, and where
 * it could before, a setting of the maintenance database (make.h) says so.
 *
 * Passwords reach the server as SCRAM verifiers that are computed here, so that no server log holds
 * them.
 */
#ifndef EMBARK_STAGES_BOOTSTRAP_BOOTSTRAP_H
#define EMBARK_STAGES_BOOTSTRAP_BOOTSTRAP_H

#include "embark/core/config/config.h"
#include "embark/db/connection.h"

/* Whether there is a superuser's URL. */
bool em_bootstrap_any(const struct em_config *config);
/* Whether a login that failed so is one for the bootstrap. */
bool em_bootstrap_mends(const struct em_db_failure *failure);

/* The service's login works, over `db`: is anything left to do? A set-up that was interrupted, or a
 * database without its schema's privileges; `why` is for the log then. One query. */
int em_bootstrap_check(const struct em_config *config, const struct em_url *service,
                       struct em_db *db, em_time until, bool *needed, struct em_str *why,
                       struct em_err *err);
#define EM_BOOTSTRAP_CHECK_LIMIT EM_SEC(15) /* a start gives it so long */

/* Whether the section's values are well-formed; adds one error (EM_EXIT_CONFIG, with its place) for
 * each that isn't. */
bool em_bootstrap_validate(const struct em_config *config, struct em_errs *errs);

/* `superuser` is [bootstrap] url, `service` the service's URL. EM_EXIT_SQL: a statement failed;
 * EM_EXIT_REFUSED, EM_EXIT_UNREACHABLE, EM_EXIT_LOCK, EM_EXIT_CONFIG, 128 + n. */
int em_bootstrap(const struct em_config *config, const struct em_url *superuser,
                 const struct em_url *service, struct em_err *err);

/* Waits for the server with the superuser's login: `found` is its URL for the first of the
 * databases postgres, template1 and the URL's own that it can log in to. em_wait_database()'s
 * codes. */
int em_bootstrap_maintenance(const struct em_config *config, const struct em_url *superuser,
                             struct em_url *found, struct em_err *err);

/* After it, the service's login is still refused: what the superuser can see of the reason is put
 * into the hint. */
void em_bootstrap_explain(const struct em_config *config, const struct em_url *superuser,
                          const struct em_url *service, struct em_err *err);

/* One try of the superuser's login, to the first of the same databases. */
int em_bootstrap_login(const struct em_url *superuser, const char *application, em_time until,
                       struct em_url *found, struct em_db **db, struct em_err *err);

/* What a start's bootstrap would come to, for doctor. */
struct em_foreseen {
    struct em_str login; /* the superuser's, that worked: "as postgres to the database postgres" */
    struct em_str news;  /* what a first start makes, or "" */
    int code;            /* EM_EXIT_REFUSED: it would have to replace a password; `err` says so */
    struct em_err err;
};
/* `refused`: how the service's login failed; NULL: it didn't. Not 0: the superuser's login has
 * failed, as `err` says. Reads only. */
int em_bootstrap_foresee(const struct em_config *config, const struct em_url *superuser,
                         const struct em_url *service, const struct em_db_failure *refused,
                         em_time until, struct em_foreseen *foreseen, struct em_err *err);
void em_foreseen_free(struct em_foreseen *foreseen);

/* Adds to the hint of a login that a bootstrap would mend that there is such a thing. */
void em_bootstrap_suggest(struct em_err *err);

/* The statements that em_bootstrap would send for role, database, ownership and grants, passwords
 * left out. */
void em_bootstrap_print(const struct em_config *config, const struct em_url *service,
                        struct em_str *out);

#endif
