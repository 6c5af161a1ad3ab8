#include "embark/core/migrations/decision.h"

#include <stdlib.h>
#include <string.h>

void em_run_row_free(struct em_run_row *row)
{
    char **texts[] = {&row->id,       &row->run,    &row->outcome, &row->host,  &row->build,
                      &row->started,  &row->files,  &row->digest,  &row->error, &row->output,
                      &row->identity, &row->tables, &row->command};
    for (size_t i = 0; i < EM_COUNT(texts); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    row->age = 0;
}

void em_ledger_state_free(struct em_ledger_state *state)
{
    em_run_row_free(&state->newest);
    em_run_row_free(&state->good);
    em_str_free(&state->ledger);
    em_str_free(&state->ledger_why);
    em_str_free(&state->place);
    em_str_free(&state->acts_in);
    em_str_free(&state->table_why);
    em_str_free(&state->digest);
    state->has_ledger = state->is_old = false;
    state->table = EM_TABLE_UNKNOWN;
}

void em_decision_free(struct em_decision *verdict)
{
    em_list_free(&verdict->lacking);
    em_list_free(&verdict->added);
    em_list_free(&verdict->changed);
    em_list_free(&verdict->renamed);
    em_str_free(&verdict->why);
    em_str_free(&verdict->hint);
    verdict->decision = EM_RUN;
    verdict->diverged = verdict->half_way = verdict->by_table = false;
    verdict->was_done = verdict->unproved = false;
}

static void say(struct em_decision *verdict, enum em_migrate_action decision, const char *why)
{
    verdict->decision = decision;
    em_str_cut(&verdict->why, 0);
    em_str_puts(&verdict->why, why);
}

/* ---- The rule ------------------------------------------------------------------------------------ */

bool em_proof_holds(const struct em_proof *proof)
{
    return proof->newest_done && proof->same_identity && (proof->complete || proof->same_build) &&
           (!proof->has_table || proof->same_table);
}

static bool has_outcome(const struct em_run_row *row, const char *outcome)
{
    return row->outcome && strcmp(row->outcome, outcome) == 0;
}

static bool same_text(const char *a, const char *b)
{
    return a && *a && b && strcmp(a, b) == 0;
}

struct em_proof em_proof_of(const struct em_planned_run *ours, const struct em_ledger_state *state)
{
    const struct em_run_row *newest = &state->newest;
    return (struct em_proof){
        .newest_done = state->has_ledger && has_outcome(newest, "done"),
        .same_identity = same_text(ours->identity, newest->identity),
        /* Of a migration without a file nobody can say that all of them are there. */
        .complete = ours->complete && ours->files->n > 0,
        .same_build = same_text(ours->build, newest->build),
        .has_table = ours->has_tool,
        .same_table =
            state->table == EM_TABLE_READ && same_text(em_str_c(&state->digest), newest->digest)};
}

/* ---- Why something is run ------------------------------------------------------------------------ */

static bool table_is_as_left_by(const struct em_ledger_state *state, const struct em_run_row *run)
{
    return state->table == EM_TABLE_READ && same_text(em_str_c(&state->digest), run->digest);
}

/* The newest run failed on the same files a moment ago: trying again at once would only fail again,
 * unless somebody has changed the tool's table since. One that will end in the future is no moment
 * ago: the server's clock was set back, and nobody is to wait until it has caught up. */
static bool failed_just_now(const struct em_planned_run *ours, const struct em_ledger_state *state)
{
    const struct em_run_row *newest = &state->newest;
    return has_outcome(newest, "failed") && newest->age >= 0 && newest->age < ours->retry_after &&
           same_text(ours->identity, newest->identity) &&
           (state->table == EM_TABLE_UNKNOWN || !newest->digest ||
            table_is_as_left_by(state, newest));
}

/* The one entry that stands for all installed packages' migrations: those that are new are not told
 * apart. */
static bool has_packages(const struct em_list *changed)
{
    for (size_t i = 0; i < changed->n; i++)
        if (em_ends(changed->v[i], "/"))
            return true;
    return false;
}

/* What another command did with these files (alembic upgrade REVISION) doesn't tell that all of
 * them are applied. */
static bool other_command(const struct em_planned_run *ours, const struct em_ledger_state *state)
{
    return state->good.command && !same_text(ours->command, state->good.command);
}

/* The last good run had all of our files. Else some of them may never have been applied: nothing
 * is served then without a run. */
static bool was_done(const struct em_planned_run *ours, const struct em_ledger_state *state)
{
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    EM_LIST_AUTO changed = EM_LIST_INIT;
    if (!ours->files->n || other_command(ours, state) || !state->good.files ||
        !em_filelist_parse(&theirs, state->good.files))
        return false;
    enum em_relation relation =
        em_filelist_compare(ours->files, &theirs, NULL, NULL, &changed, NULL);
    return relation != EM_NEWER && relation != EM_DIVERGED && !has_packages(&changed);
}

/* A newer image's run failed half way, or was killed: the tool's table isn't as the last good run
 * left it, and holds migrations that we lack. */
static bool is_older_than_failed(const struct em_planned_run *ours,
                                 const struct em_ledger_state *state, struct em_decision *verdict)
{
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    const struct em_run_row *newest = &state->newest;
    if (!has_outcome(newest, "failed") && !has_outcome(newest, "interrupted"))
        return false;
    /* A table that can be read, and is as the last good run left it, tells that nothing was
     * applied. Nobody has noted how an interrupted run left it; one that is neither as the good run
     * nor as the failed one left it was put right since. Without a table, nothing tells that it is
     * all well. */
    if (state->table == EM_TABLE_READ &&
        (table_is_as_left_by(state, &state->good) ||
         (has_outcome(newest, "failed") && !table_is_as_left_by(state, newest))))
        return false;
    if (!ours->files->n || !em_filelist_parse(&theirs, newest->files ? newest->files : "") ||
        em_filelist_compare(ours->files, &theirs, NULL, NULL, NULL, NULL) != EM_OLDER ||
        (ours->goes_on && !verdict->was_done))
        return false;
    em_filelist_compare(ours->files, &theirs, &verdict->lacking, &verdict->added, &verdict->changed,
                        &verdict->renamed);
    verdict->half_way = true;
    say(verdict, EM_IS_OLDER,
        "the image is older than the database, which a newer one's run "
        "left half way");
    return true;
}

static void say_unknown_table(const struct em_ledger_state *state, struct em_decision *verdict)
{
    em_str_cut(&verdict->why, 0);
    verdict->decision = EM_RUN;
    em_str_printf(&verdict->why, "what the migration tool has noted is not known: %s",
                  state->table_why.len ? em_str_c(&state->table_why) : "its table is not known");
}

/* Nothing has changed that can be seen: what is it, then, that isn't proved? */
static void say_missing_proof(const struct em_planned_run *ours,
                              const struct em_ledger_state *state, struct em_decision *verdict)
{
    struct em_proof proof = em_proof_of(ours, state);
    if (verdict->renamed.n) {
        say(verdict, EM_RUN, "migration files were renamed since the last run");
    } else if (has_outcome(&state->newest, "running")) {
        say(verdict, EM_RUN, "another run has begun, and has not noted its end");
    } else if (!proof.newest_done) {
        say(verdict, EM_RUN, "the last run did not end well");
    } else if (!proof.same_identity) {
        say(verdict, EM_RUN,
            state->newest.identity ? "the command, its settings, or the schema in which it acts, "
                                     "have changed since the last run"
                                   : "the last run was noted by an older embark");
    } else if (!proof.complete && !proof.same_build) {
        em_str_cut(&verdict->why, 0);
        verdict->decision = EM_RUN;
        em_str_printf(&verdict->why, "whether it is all applied is not known: %s",
                      ours->incomplete_why && *ours->incomplete_why
                          ? ours->incomplete_why
                          : "the migration's files are not known");
        em_str_puts(&verdict->hint,
                    ours->incomplete_hint && *ours->incomplete_hint
                        ? ours->incomplete_hint
                        : "name them all in [migrate] files, or set [image] build, and a start "
                          "with everything applied runs nothing");
    } else if (state->table == EM_TABLE_UNKNOWN) {
        say_unknown_table(state, verdict);
    } else if (!same_text(em_str_c(&state->digest), state->newest.digest)) {
        say(verdict, EM_RUN,
            "the migration tool's table has changed since the last run (a restore, or a "
            "downgrade by hand?)");
    } else {
        say(verdict, EM_RUN, "there is no proof that everything is applied");
    }
}

static void judge_relation(enum em_relation relation, const struct em_planned_run *ours,
                           const struct em_ledger_state *state, struct em_decision *verdict)
{
    switch (relation) {
    case EM_SAME:
        say_missing_proof(ours, state, verdict);
        break;
    case EM_OLDER:
        /* A table that was changed by somebody else may well have been taken back for this very
         * image: the tool decides. And nothing is served unless all of ours are known to be
         * applied. */
        if (ours->goes_on && has_packages(&verdict->changed))
            say(verdict, EM_RUN,
                "the image lacks migrations of the last run, and its installed packages have "
                "others");
        else if (ours->goes_on && other_command(ours, state))
            say(verdict, EM_RUN,
                "the image lacks migrations of the last run, which had another command");
        else if (ours->goes_on && ours->has_tool && state->table == EM_TABLE_UNKNOWN)
            say_unknown_table(state, verdict);
        else if (table_is_as_left_by(state, &state->good) || state->table == EM_TABLE_UNKNOWN)
            say(verdict, EM_IS_OLDER, "the image is older than the database");
        else
            say(verdict, EM_RUN,
                "the image lacks migrations of the last run, but the migration tool's table has "
                "changed since");
        break;
    case EM_DIVERGED:
        verdict->diverged = true;
        say(verdict, EM_RUN,
            "the image lacks migrations of the last run and has new ones (a squash, another "
            "branch?)");
        break;
    case EM_CHANGED:
        say(verdict, EM_RUN, "migration files have changed since they were applied");
        break;
    case EM_NEWER:
    default:
        say(verdict, EM_RUN, "there are new migrations");
        break;
    }
}

void em_decide(const struct em_planned_run *ours, const struct em_ledger_state *state,
               struct em_decision *verdict)
{
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    struct em_proof proof = em_proof_of(ours, state);
    if (em_proof_holds(&proof)) {
        say(verdict, EM_SKIP, "everything is applied");
        return;
    }
    if (!state->has_ledger) {
        say(verdict, EM_RUN,
            state->ledger_why.len ? em_str_c(&state->ledger_why) : "there is no ledger yet");
        return;
    }
    verdict->was_done = was_done(ours, state);
    if (failed_just_now(ours, state)) {
        say(verdict, EM_FAILED, "the last run failed on these files");
        return;
    }
    if (is_older_than_failed(ours, state, verdict))
        return;
    if (!state->good.outcome) {
        say(verdict, EM_RUN, "no run has succeeded yet");
        return;
    }
    if (!ours->files->n) {
        say_missing_proof(ours, state, verdict);
        return;
    }
    if (!em_filelist_parse(&theirs, state->good.files ? state->good.files : "")) {
        say(verdict, EM_RUN, "the ledger's list of files is not readable");
        return;
    }
    enum em_relation relation =
        em_filelist_compare(ours->files, &theirs, &verdict->lacking, &verdict->added,
                            &verdict->changed, &verdict->renamed);
    judge_relation(relation, ours, state, verdict);
}

void em_decide_nothing_left(struct em_decision *verdict)
{
    bool half_way = verdict->half_way;
    em_decision_free(verdict);
    say(verdict, EM_RUN,
        half_way ? "a newer image's run did not end well, and the migration tool's table has "
                   "nothing of it"
                 : "the last run's image had more migrations, and the migration tool's table has "
                   "none of them");
}

void em_decide_by_table(const struct em_list *unknown, bool unsure, const char *table,
                        struct em_decision *verdict)
{
    bool proved = !unsure || verdict->was_done;
    em_decision_free(verdict);
    verdict->by_table = true;
    verdict->unproved = !proved;
    for (size_t i = 0; i < unknown->n; i++)
        em_list_add(&verdict->lacking, unknown->v[i]);
    verdict->decision = EM_IS_OLDER;
    em_str_printf(&verdict->why,
                  "the image is older than the database: %s has what no file here has", table);
}
