/* migrate --wait: somebody else's run is waited for; nothing here takes the lock or runs anything.
 */
#include <string.h>

#include "conclude.h"
#include "embark/core/base/backoff.h"
#include "embark/core/migrations/decision_text.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"
#include "embark/os/machine/host.h"
#include "embark/os/process/spawn.h"
#include "embark/stages/migrate/ledger/ledger.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/migrate/own_sql.h"
#include "embark/stages/wait/database.h"

/* Each look is a login, of what may be hundreds of replicas. */
#define FIRST_GAP   EM_MS(250)
#define LARGEST_GAP EM_SEC(5)

static void say_state(const struct em_migration_status *look, struct em_str *state)
{
    const struct em_run_row *newest = &look->state.newest;
    EM_STR_AUTO who = EM_STR_INIT;
    em_str_printf(state, "not applied yet: %s", em_str_c(&look->verdict.why));
    if (!newest->outcome || strcmp(newest->outcome, "done") == 0)
        return;
    em_decision_run(newest, &who);
    em_str_printf(state, " (the newest run is %s: %s)", newest->outcome, em_str_c(&who));
}

/* One look. *over: there is nothing to be waited for any more, and `code` is returned. */
static int look_once(struct em_migration_status *look, bool *over, struct em_str *state,
                     struct em_err *err)
{
    struct em_db *db = NULL;
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    int code = em_migration_status_open(look->config, look->direct, &db, &failure, err);
    if (code == 0)
        code = em_migration_status_read(look, db, em_in(EM_LEDGER_LIMIT), &failure, err);
    em_db_close(db);
    if (code) {
        *over = failure.kind != EM_DB_RETRY || em_loop_stopped();
        em_str_puts(state, em_str_c(&err->text));
        return code;
    }
    *over = look->verdict.decision != EM_RUN;
    if (*over)
        return em_migration_conclude(look, err);
    say_state(look, state);
    return 0;
}

static int too_late(const struct em_migration_status *look, int code, const struct em_str *state,
                    struct em_err *err)
{
    EM_STR_AUTO limit = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    em_str_puts(&why, em_str_c(state));
    em_err_free(err);
    em_time_print(&limit, look->config->migrate_lock_timeout);
    em_fail(err, code ? EM_EXIT_UNREACHABLE : EM_EXIT_LOCK, "gave up after %s: %s",
            em_str_c(&limit), em_str_c(&why));
    em_hint(err,
            "embark migrate, or a start, runs them; it must have this command, these files, this "
            "schema and this [migrate] lock (\"%s\"); [migrate] lock_timeout sets how long they "
            "are waited for",
            look->config->migrate_lock);
    return err->code;
}

static int wait_for_run(struct em_migration_status *look, struct em_err *err)
{
    struct em_backoff backoff;
    struct em_progress progress;
    em_time until = em_in(look->config->migrate_lock_timeout);
    int code;
    bool over = false;
    em_backoff_start(&backoff, FIRST_GAP, LARGEST_GAP, em_random_seed());
    em_progress_start(&progress, "migrate", look->config->migrate_lock_timeout);
    for (;;) {
        EM_STR_AUTO state = EM_STR_INIT;
        code = look_once(look, &over, &state, err);
        if (em_loop_stopped())
            code = em_fail_stopped(err);
        if (over || em_loop_stopped())
            break;
        if (em_now() >= until) {
            code = too_late(look, code, &state, err);
            break;
        }
        em_err_free(err);
        em_progress_log(&progress, em_str_c(&state));
        if (em_wait_fd(-1, 0, em_time_min(until, em_in(em_backoff_next(&backoff)))) ==
            EM_WAKE_SIGNAL) {
            code = em_fail_stopped(err);
            break;
        }
    }
    em_progress_free(&progress);
    return code;
}

int em_migrate_await(const struct em_config *config, const struct em_url *direct,
                     struct em_err *err)
{
    EM_OUTLOOK_AUTO look = {.config = config, .direct = direct};
    em_title_long("migrate");
    int code = em_migration_files(config, &look.files, err);
    if (code == 0)
        code = em_migration_status_provable(&look, err);
    return code ? code : wait_for_run(&look, err);
}
