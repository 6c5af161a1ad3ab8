/* What `embark doctor` sees of the image, the database and the migrations: looked at, and nothing
 * changed.
 *
 * Rows are added to `looks` in the sections of these names. A row is EM_MARK_BAD when
 * a start would fail of it, with that start's exit code and a hint; what a start would mend itself
 * ([bootstrap] makes the role) or wait for (a migration that runs elsewhere) is EM_MARK_WARN. All
 * is read in read-only transactions, and no lock is taken.
 */
#ifndef EMBARK_STAGES_DOCTOR_DOCTOR_H
#define EMBARK_STAGES_DOCTOR_DOCTOR_H

#include "embark/core/config/config.h"
#include "embark/core/report/rows.h"
#include "embark/db/connection.h"

/* The image: its system, C library and machine, and the user that we run as. */
void em_doctor_image(struct em_doctor_rows *looks);

/* `url` is the service's database, NULL: there is none; `direct` the lock's and the migrations',
 * NULL: the same; `superuser` [bootstrap] url, NULL: there is none, or it is skipped. All of it
 * ends at `deadline`. *db is the login (the direct one, where there are two), for
 * em_doctor_migrations(), or NULL; the caller closes it. It has default_transaction_read_only on,
 * but not behind a pooler, where the next client would find that set: only read by it. */
void em_doctor_database(const struct em_config *config, const struct em_url *url,
                        const struct em_url *direct, const struct em_url *superuser,
                        em_time deadline, struct em_doctor_rows *looks, struct em_db **db);

/* What is pending, and what the ledger says of the last run. `db` is a login by `direct`; NULL: as
 * far as the image's files tell. */
void em_doctor_migrations(const struct em_config *config, const struct em_url *direct,
                          struct em_db *db, em_time deadline, struct em_doctor_rows *looks);

/* What the running container's start came to, in the section "container": whether one still goes
 * on, or what the last one's report (core/report/last_start.h) says, and whether its process runs.
 * Rows only where there is something to tell: a report, a folder for it that was named, or a
 * container that we were brought into (docker exec). `all`: all lines that the start said, not only
 * the last ones.
 */
void em_doctor_start(bool all, struct em_doctor_rows *looks);

#endif
