#include "embark/core/verdict.h"

#include <stdlib.h>
#include <string.h>

void em_run_row_free(struct em_run_row *row)
{
    char **texts[] = {&row->id,      &row->run,   &row->outcome, &row->host,  &row->build,
                      &row->started, &row->files, &row->digest,  &row->error, &row->output};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    row->age = 0;
}

void em_state_free(struct em_state *state)
{
    em_run_row_free(&state->newest);
    em_run_row_free(&state->good);
    em_str_free(&state->digest);
    state->has_ledger = false;
}

void em_verdict_free(struct em_verdict *verdict)
{
    em_list_free(&verdict->lacking);
    em_list_free(&verdict->added);
    em_list_free(&verdict->changed);
    em_str_free(&verdict->why);
    verdict->decision = EM_RUN;
    verdict->diverged = verdict->half_way = false;
}

static void say(struct em_verdict *verdict, enum em_decision decision, const char *why)
{
    verdict->decision = decision;
    em_str_cut(&verdict->why, 0);
    em_str_puts(&verdict->why, why);
}

/* The newest run failed on the same files a moment ago: trying again at once would only fail again.
 */
static bool failed_just_now(const struct em_filelist *ours, const struct em_state *state,
                            em_time retry_after)
{
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    const struct em_run_row *newest = &state->newest;
    if (!newest->outcome || strcmp(newest->outcome, "failed") != 0 || newest->age >= retry_after)
        return false;
    if (!em_filelist_parse(&theirs, newest->files ? newest->files : ""))
        return false;
    return em_filelist_compare(ours, &theirs, NULL, NULL, NULL) == EM_SAME;
}

/* The tools' tables are as the last good run left them. */
static bool state_is_known(const struct em_state *state)
{
    return state->digest.len && state->good.digest &&
           strcmp(em_str_c(&state->digest), state->good.digest) == 0;
}

/* A newer image's run failed half way: the tools' tables are as it left them, and hold migrations
 * that we lack. */
static bool is_older_than_failed(const struct em_filelist *ours, const struct em_state *state,
                                 struct em_verdict *verdict)
{
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    const struct em_run_row *newest = &state->newest;
    if (!newest->outcome || strcmp(newest->outcome, "failed") != 0 || !newest->digest ||
        !state->digest.len || strcmp(newest->digest, em_str_c(&state->digest)) != 0 ||
        state_is_known(state))
        return false;
    if (!ours->n || !em_filelist_parse(&theirs, newest->files ? newest->files : "") ||
        em_filelist_compare(ours, &theirs, NULL, NULL, NULL) != EM_OLDER)
        return false;
    em_filelist_compare(ours, &theirs, &verdict->lacking, &verdict->added, &verdict->changed);
    verdict->half_way = true;
    say(verdict, EM_IS_OLDER,
        "the image is older than the database, which a newer one's failed run "
        "left half way");
    return true;
}

static void judge_relation(enum em_relation relation, const struct em_state *state,
                           struct em_verdict *verdict)
{
    bool known = state_is_known(state);
    switch (relation) {
    case EM_SAME:
        if (known)
            say(verdict, EM_SKIP, "everything is applied");
        else if (!state->digest.len)
            say(verdict, EM_RUN, "no known tool's table tells the database's state");
        else
            say(verdict, EM_RUN,
                "the migration tool's table has changed since the last run (a restore, or a "
                "downgrade by hand?)");
        break;
    case EM_OLDER:
        /* A table that was changed by somebody else may well have been taken back for this very
         * image: the tool decides. */
        if (known || !state->digest.len)
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

void em_judge(const struct em_filelist *ours, const struct em_state *state, em_time retry_after,
              struct em_verdict *verdict)
{
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    if (!state->has_ledger) {
        say(verdict, EM_RUN, "there is no ledger yet");
        return;
    }
    if (failed_just_now(ours, state, retry_after)) {
        say(verdict, EM_FAILED, "the last run failed on these files");
        return;
    }
    if (is_older_than_failed(ours, state, verdict))
        return;
    if (!state->good.outcome) {
        say(verdict, EM_RUN, "no run has succeeded yet");
        return;
    }
    if (!ours->n) {
        say(verdict, EM_RUN, "the migration's files are not known ([migrate] files)");
        return;
    }
    if (!em_filelist_parse(&theirs, state->good.files ? state->good.files : "")) {
        say(verdict, EM_RUN, "the ledger's list of files is not readable");
        return;
    }
    enum em_relation relation =
        em_filelist_compare(ours, &theirs, &verdict->lacking, &verdict->added, &verdict->changed);
    judge_relation(relation, state, verdict);
}
