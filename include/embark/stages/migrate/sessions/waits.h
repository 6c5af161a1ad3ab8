/* Who keeps the statements of [migrate] sql waiting for a lock.
 *
 * Once a statement has given up, the server no longer knows what it has waited for: so it is asked
 * while the statement waits, on a connection of its own, from within em_wait_fd()
 * (os/loop/loop.h, em_guard). The connection that holds the migration lock is not used. */
#ifndef EMBARK_STAGES_MIGRATE_SESSIONS_WAITS_H
#define EMBARK_STAGES_MIGRATE_SESSIONS_WAITS_H

#include "embark/db/connection.h"

struct em_waits {
    struct em_str seen; /* the last one: "psql (pid 9, …), which holds … on …"; "": nobody yet */
    /* Internal. */
    struct em_db *db;
    struct em_guard guard;
    struct em_str sql;
    em_time next; /* when it is asked; EM_NEVER: it has been, or can't be */
};

/* Watches the backends with this application_name until em_waits_end(), in every em_wait_fd(). Where
 * there is no connection left for it, nobody is ever seen. Must not move. */
void em_waits_start(struct em_waits *waits, const struct em_url *url, const char *application);
void em_waits_end(struct em_waits *waits);

#endif
