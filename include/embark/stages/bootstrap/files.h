/* [bootstrap] sql: files run with the superuser's login in the service's database. */
#ifndef EMBARK_STAGES_BOOTSTRAP_FILES_H
#define EMBARK_STAGES_BOOTSTRAP_FILES_H

#include "embark/core/config/config.h"
#include "embark/db/connection.h"

/* In the order of the configuration, with [bootstrap] var. Stops at the first statement that fails,
 * and says which it was. EM_EXIT_SQL, EM_EXIT_CONFIG, db's codes. */
int em_bootstrap_files(const struct em_config *config, struct em_db *db, struct em_err *err);

/* Keeps what this session sends from here on out of the server's log: a secret variable ends up in
 * a statement's text (PASSWORD :'app_password'), and a role's verifier is as good as its password
 * to whoever guesses at it, or, with md5, as such. A superuser may; another role can't, and is let
 * go on. em_db_query()'s codes. */
int em_bootstrap_keep_out_of_log(struct em_db *db, struct em_err *err);

/* Looks at the files before anything is sent (core/sql/lint/lint.h). True: no error was added.
 * `build_time`: variables may be unknown. */
bool em_bootstrap_lint(const struct em_config *config, bool build_time, struct em_errs *errs,
                       struct em_errs *warnings);

#endif
