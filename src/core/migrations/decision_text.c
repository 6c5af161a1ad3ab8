#include "embark/core/migrations/decision_text.h"

#include <string.h>

static void add_names(struct em_str *out, const struct em_list *names)
{
    enum { SHOWN = 5 };
    for (size_t i = 0; i < names->n && i < SHOWN; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", names->v[i]);
    if (names->n > SHOWN)
        em_str_printf(out, " and %zu more", names->n - SHOWN);
}

void em_decision_run(const struct em_run_row *row, struct em_str *out)
{
    em_str_printf(out, "on %s, %s", row->host ? row->host : "?", row->started ? row->started : "?");
    if (row->build)
        em_str_printf(out, ", build %s", row->build);
}

int em_decision_older(const struct em_config *config, const struct em_ledger_state *state,
                      const struct em_decision *verdict, struct em_err *err)
{
    bool goes_on = config->migrate_on_newer_database == 1 && !verdict->unproved;
    EM_STR_AUTO text = EM_STR_INIT;
    em_str_printf(&text, "the image is older than the database: it lacks ");
    add_names(&text, &verdict->lacking);
    if (verdict->by_table) {
        em_str_puts(&text, ", which the migration tool's table has");
    } else {
        em_str_puts(&text, verdict->half_way ? ", of a run that did not end well " : ", applied ");
        em_decision_run(verdict->half_way ? &state->newest : &state->good, &text);
    }
    if (goes_on)
        return em_fail(err, 0, "%s; the migrations are skipped (on_newer_database = continue)",
                       em_str_c(&text));
    if (verdict->unproved)
        em_str_puts(&text,
                    "; or it is of another branch: no run in the ledger shows that all of this "
                    "image's own migrations are applied");
    em_fail(err, EM_EXIT_OLDER, "%s", em_str_c(&text));
    if (verdict->unproved)
        em_hint(err,
                "deploy the newer image, whose run proves it; or, if you know that all of this "
                "image's migrations are applied, say it once: embark migrate --baseline all");
    else
        em_hint(
            err,
            "deploy the newer image, or set [migrate] on_newer_database = continue if the old code "
            "runs on the new schema; if these "
            "are another service's migrations, give each service a [migrate] lock name of its own "
            "(here: \"%s\")",
            config->migrate_lock);
    return EM_EXIT_OLDER;
}

int em_decision_failed(const struct em_config *config, const struct em_run_row *run,
                       struct em_err *err)
{
    EM_STR_AUTO ago = EM_STR_INIT;
    EM_STR_AUTO after = EM_STR_INIT;
    EM_STR_AUTO who = EM_STR_INIT;
    em_time_print(&ago, run->age);
    em_time_print(&after, config->migrate_retry_after);
    em_decision_run(run, &who);
    em_fail(err, EM_EXIT_MIGRATION, "not run: with these files it failed %s ago %s: %s",
            em_str_c(&ago), em_str_c(&who), run->error ? run->error : "?");
    em_hint(err,
            "its last lines are above; one replica tries again %s after a failure ([migrate] "
            "retry_after)",
            em_str_c(&after));
    return EM_EXIT_MIGRATION;
}

/* Flyway's R__name.sql is meant to change, and is applied again then. */
static void add_for_once(const struct em_list *names, struct em_list *out)
{
    for (size_t i = 0; i < names->n; i++)
        if (!em_starts(em_base_name(names->v[i]), "R__") || !em_ends(names->v[i], ".sql"))
            em_list_add(out, names->v[i]);
}

void em_decision_oddities(const struct em_ledger_state *state, const struct em_decision *verdict,
                          struct em_errs *odd)
{
    EM_LIST_AUTO changed = EM_LIST_INIT;
    if (state->newest.outcome && strcmp(state->newest.outcome, "interrupted") == 0) {
        EM_STR_AUTO who = EM_STR_INIT;
        em_decision_run(&state->newest, &who);
        em_errs_add(odd, 0,
                    "the last run was interrupted (%s): it was killed, or lost the lock; the tool "
                    "goes on from what is there",
                    em_str_c(&who));
    }
    if (verdict->diverged) {
        EM_STR_AUTO names = EM_STR_INIT;
        add_names(&names, &verdict->lacking);
        em_errs_add(odd, 0,
                    "the image and the database have diverged: the image lacks %s, and has new "
                    "ones; the tool decides",
                    em_str_c(&names));
    }
    if (verdict->renamed.n) {
        EM_STR_AUTO names = EM_STR_INIT;
        add_names(&names, &verdict->renamed);
        em_errs_add(odd, 0, "renamed since the last run: %s", em_str_c(&names));
    }
    add_for_once(&verdict->changed, &changed);
    if (changed.n) {
        EM_STR_AUTO names = EM_STR_INIT;
        add_names(&names, &changed);
        struct em_err *err =
            em_errs_add(odd, 0, "changed after they were applied: %s", em_str_c(&names));
        em_hint(err,
                "the tool will not apply them again: a new migration is what changes a database");
    }
}
