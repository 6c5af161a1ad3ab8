/* [migrate] sql = DIR: embark's own migrations, for services without a tool.
 *
 * Files are called NNN_name.sql and applied in the order of their numbers, each once, each in a
 * transaction of its own in which it is also recorded. A file whose first comment says "embark: no
 * transaction" (CREATE INDEX CONCURRENTLY, VACUUM, ALTER TYPE … ADD VALUE) is recorded as running
 * before and as applied after; one that fails half-way is recorded as failed, and nothing more is
 * applied until `embark migrate --resolve FILE` has said what became of it.
 *
 * The records stand in a table beside the ledger, named as it with _files behind.
 */
#ifndef EMBARK_STAGES_MIGRATE_OWN_SQL_H
#define EMBARK_STAGES_MIGRATE_OWN_SQL_H

#include "embark/core/config/config.h"
#include "embark/db/connection.h"
#include "embark/stages/migrate/files/own_sql.h"

/* Applies what is not applied, over a connection of its own. To be called in a child, with the lock
 * held by its parent. Logs what it does and what fails; the exit code. */
struct em_sql_migrations {
    const struct em_config *config;
    const struct em_url *url;
    const char *application, *run;
    const char *place; /* em_ledger_state.place: whose records count */
    int close_fd;      /* the lock's socket, which is not the child's; -1: none */
};
int em_sql_migrations_apply(void *sql_migrations);

/* What became of a file that failed half-way, be it in the hands of the tool whose files these are:
 * `applied` (it was finished by hand), or to be run again. EM_EXIT_CONFIG: there is no such failed
 * file. */
int em_sql_migrations_resolve(struct em_db *db, const struct em_config *config,
                              const struct em_url *url, const char *file, const char *place,
                              bool applied, struct em_err *err);
/* Records all up to and with `file` as applied, of a database that was made in another way; "all":
 * each one; "none": that nothing is. *count: how many that were not recorded yet. */
int em_sql_migrations_baseline(struct em_db *db, const struct em_config *config, const char *file,
                               const char *place, size_t *count, struct em_err *err);

/* Looks at the files' SQL before anything is sent. `all`: warns of statements that keep the service
 * waiting, too, be they applied already or not (core/sql/lint/blocking.h). True: no error was
 * added. */
bool em_sql_migrations_lint(const struct em_config *config, bool all, struct em_errs *errs,
                            struct em_errs *warnings);

#endif
