/* The migration's command, run while the lock is held. */
#ifndef EMBARK_STAGES_MIGRATE_RUN_COMMAND_H
#define EMBARK_STAGES_MIGRATE_RUN_COMMAND_H

#include "embark/core/config/config.h"
#include "embark/stages/lock/lock.h"

struct em_migrate_command {
    const struct em_config *config;
    struct em_lock *lock;
    const struct em_url *direct; /* its login; where it is asked what the command's backend does */
    const char *direct_raw;      /* for the variables of [migrate] env; "" sets none */
    const char *application;     /* PGAPPNAME for the child, by which its backends are found */
    int (*body)(void *ctx); /* run in a child instead of [migrate] command; NULL: the command */
    void *ctx;
    struct em_str output; /* its last lines, once it ran */
    bool failed;          /* it ran, and ended by itself with something else than 0 */
};

/* Runs [migrate] command to its end with everything it started. Signals are passed on; the lock is
 * watched. 0: it exited with 0. EM_EXIT_MIGRATION, EM_EXIT_NOT_FOUND, EM_EXIT_NOT_EXECUTABLE,
 * EM_EXIT_SYSTEM, 128 + n. The lock was still held when the command had ended well, unless
 * EM_EXIT_MIGRATION says that it was lost. Every 5 s a line says what its backend does, which is
 * asked on a connection of its own. */
int em_migrate_run_command(struct em_migrate_command *command, struct em_err *err);

/* application_name of a run's connections: "embark:run KEY RUN HOST", of which em_run_prefix is
 * "embark:run KEY ", the same for all runs of a lock. */
void em_run_application(int64_t key, const char *run, struct em_str *out);
void em_run_prefix(int64_t key, struct em_str *out);

#endif
