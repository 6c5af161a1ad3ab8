/* [migrate] set: server settings of the sessions that migrate.
 *
 * They say how the migration's statements wait and work, not what they do, so that they are no part
 * of a run's identity: another value runs nothing again. Those that would say where or as whom a
 * file acts, or how its text is read, are refused.
 *
 * libpq's clients, and those that read what it reads, get them by PGOPTIONS (PostgreSQL manual,
 * 34.15). libpq reads that only where the URL has no options of its own.
 */
#ifndef EMBARK_STAGES_MIGRATE_SESSIONS_SETTINGS_H
#define EMBARK_STAGES_MIGRATE_SESSIONS_SETTINGS_H

#include "embark/core/config/config.h"
#include "embark/db/connection.h"

/* Names and values as far as they can be judged without a server, and lock_retries. EM_EXIT_CONFIG,
 * each with its place; true: none. */
bool em_migration_settings_validate(const struct em_config *config, struct em_errs *errs);
/* [migrate] lock_retries, once it is valid. */
unsigned em_migration_retries(const struct em_config *config);

/* Asks the server, over a session of EM_DB_OWN, whether it takes each, and where they are for a
 * command, whether a login may bring them along. EM_EXIT_CONFIG with the setting's place; else
 * em_db_query()'s codes. */
int em_migration_settings_try(const struct em_config *config, const struct em_url *url,
                              struct em_db *db, em_time until, struct em_err *err);

enum em_setting_how {
    EM_SET_LOCAL, /* for the transaction */
    EM_SET_SESSION,
    EM_SET_BACK /* RESET */
};
/* As em_db_query(). */
int em_migration_settings_send(const struct em_config *config, enum em_setting_how how,
                               struct em_db *db, em_time until, struct em_err *err);

/* What PGOPTIONS is to be for a command: what `url` has, and these. */
void em_migration_settings_options(const struct em_config *config, const struct em_url *url,
                                   struct em_str *out);

#endif
