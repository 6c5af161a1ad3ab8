#include "embark/stages/wait/database.h"

#include <string.h>

#include "embark/db/connection.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/net/turn.h"
#include "embark/stages/wait/retry.h"

int em_wait_primary(struct em_db *db, const struct em_url *url, em_time until,
                    struct em_db_failure *failure, struct em_err *err)
{
    if (em_db_standby_ok(url))
        return 0;
    const char *standby = em_db_parameter(db, "in_hot_standby");
    if (!standby) {
        int code =
            em_db_query(db, until, failure, err, "SELECT pg_catalog.pg_is_in_recovery()", 0, NULL);
        if (code)
            return code;
        standby = em_db_value(db, 0, 0);
    }
    if (!standby) {
        *failure = (struct em_db_failure){EM_DB_RETRY, ""};
        return em_fail(
            err, EM_EXIT_UNREACHABLE,
            "%s does not say whether it is a primary, which every PostgreSQL server does",
            em_db_where(db));
    }
    if (strcmp(standby, "on") != 0 && strcmp(standby, "t") != 0)
        return 0;
    *failure = (struct em_db_failure){EM_DB_RETRY, ""};
    em_fail(err, EM_EXIT_UNREACHABLE, "%s is a standby (in recovery), and a primary is needed",
            em_db_where(db));
    em_hint(err, "if a standby will do, say so in the URL: target_session_attrs=any");
    return EM_EXIT_UNREACHABLE;
}

static int try_once(const struct em_url *url, struct em_db_patience *patience, struct em_db **kept,
                    struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    struct em_db *db = NULL;
    em_application_name("wait", &application);
    *failure = (struct em_db_failure){EM_DB_RETRY, ""};
    int code =
        em_db_open_patiently(EM_DB_OWN, url, em_str_c(&application), patience, &db, failure, err);
    if (code == 0)
        code = em_wait_primary(db, url, patience->until, failure, err);
    if (code == 0 && kept)
        *kept = db;
    else
        em_db_close(db);
    return code;
}

static void name_source(struct em_err *err, const char *name)
{
    if (err->code == EM_EXIT_REFUSED && name)
        em_str_printf(&err->text, ", as %s asks", name);
}

static void keep_state(struct em_err *state, struct em_err *now, em_time took, em_time deadline)
{
    if (em_retry_was_cut_short(took, deadline) && state->code == EM_EXIT_UNREACHABLE)
        return;
    em_err_free(state);
    *state = *now;
    *now = (struct em_err)EM_ERR_INIT;
}

static int give_up(const struct em_config *config, struct em_err *err)
{
    EM_STR_AUTO limit = EM_STR_INIT;
    em_time_print(&limit, config->database_timeout);
    em_context(err, "gave up after %s", em_str_c(&limit));
    if (!err->hint.len)
        em_hint(err, "is the server running, and is this its name and port from inside of this "
                     "container? [database] timeout sets how long it is waited for");
    err->code = EM_EXIT_UNREACHABLE;
    return EM_EXIT_UNREACHABLE;
}

/* "starting up" comes right before ready: short gaps again. A server that is too busy says now
 * this, now that, which is no news. */
static void note_change(struct em_retry *tries, char before[6], const char *now,
                        enum em_try_outcome tried)
{
    if (strcmp(before, now) != 0 && (tried == EM_TRY_ABSENT || tried == EM_TRY_ANSWERED))
        em_pace_again(&tries->pace);
    memcpy(before, now, 6);
}

static void on_silence(void *ctx, const char *where)
{
    EM_STR_AUTO state = EM_STR_INIT;
    em_str_printf(&state, "%s does not answer", where);
    em_progress_log(ctx, em_str_c(&state));
}

int em_wait_database(const struct em_config *config, const struct em_url *url, const char *name,
                     struct em_db **kept, struct em_db_failure *last, struct em_err *err)
{
    struct em_db_failure failure = {EM_DB_RETRY, ""};
    struct em_retry tries;
    struct em_progress progress;
    char last_state[6] = "";
    em_time deadline = em_in(config->database_timeout);
    EM_ERR_AUTO now = EM_ERR_INIT;
    int code;
    em_retry_start(&tries, EM_PACE_LOGIN, config->database_connect_timeout);
    em_progress_start(&progress, "wait", config->database_timeout);
    for (;;) {
        em_retry_take_turn(&tries, url, deadline);
        em_time began = em_now();
        struct em_db_patience patience = em_retry_patience(&tries, deadline);
        patience.silence = on_silence;
        patience.ctx = &progress;
        code = try_once(url, &patience, kept, &failure, &now);
        if (code || !kept)
            em_turn_end();
        if (code == 0 || em_loop_stopped())
            break;
        keep_state(err, &now, em_now() - began, deadline);
        if (em_retry_is_final(&tries, config, &failure)) {
            name_source(err, name);
            break;
        }
        em_progress_log(&progress, em_str_c(&err->text));
        enum em_try_outcome tried = em_try_outcome_of(&failure, &patience);
        note_change(&tries, last_state, failure.sqlstate, tried);
        if (!em_retry_wait(&tries, began, tried, patience.heard, deadline))
            break;
        if (em_now() >= deadline) {
            code = give_up(config, err);
            break;
        }
    }
    em_progress_free(&progress);
    if (last)
        *last = failure;
    return em_loop_stopped() && code ? em_fail_stopped(err) : code;
}
