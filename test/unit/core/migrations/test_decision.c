#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/decision.h"

#define RETRY EM_SEC(30)

/* A list of files as words; "a=2" has other contents than "a". */
static void fill(struct em_filelist *list, const char *spec)
{
    char copy[256], *rest = copy;

    snprintf(copy, sizeof copy, "%s", spec);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *text = strchr(word, '=');
        if (text)
            *text++ = '\0';
        if (*word)
            em_filelist_add(list, word, text ? text : "", text ? strlen(text) : 0);
    }
}

static void row(struct em_run_row *row, const char *outcome, const char *files, const char *digest,
                em_time age)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;
    EM_STR_AUTO text = EM_STR_INIT;

    fill(&list, files);
    em_filelist_print(&list, false, &text);
    row->outcome = em_strdup(outcome);
    row->files = em_strdup(em_str_c(&text));
    row->digest = digest ? em_strdup(digest) : NULL;
    row->age = age;
}

/* What there is: a ledger with a good run of these files (NULL: none) and its digest, the newest
 * run (NULL: the good one), and the tool's digest now. The identity of a run is its list of files,
 * unless it is given. */
struct given {
    const char *good, *good_digest;
    const char *newest, *newest_files, *newest_digest;
    em_time age;
    const char *digest;
    bool no_ledger, incomplete, no_tool;
    const char *identity, *build, *newest_build;
    const char *good_command, *command;
    bool goes_on;
};

static void set_identity(struct em_run_row *run, const char *identity)
{
    char hex[EM_HEX_DIGEST];

    em_hex_sha256(run->files, strlen(run->files), hex);
    run->identity = em_strdup(identity ? identity : hex);
}

static enum em_migrate_action judged(const char *ours, const struct given *given,
                                     struct em_decision *verdict)
{
    EM_FILELIST_AUTO files = EM_FILELIST_INIT;
    struct em_ledger_state state = {.has_ledger = !given->no_ledger};
    char hex[EM_HEX_DIGEST];

    fill(&files, ours);
    if (given->good) {
        row(&state.good, "done", given->good, given->good_digest, EM_SEC(1000));
        set_identity(&state.good, given->identity);
        state.good.command = given->good_command ? em_strdup(given->good_command) : NULL;
    }
    if (given->newest)
        row(&state.newest, given->newest, given->newest_files, given->newest_digest, given->age);
    else if (given->good)
        row(&state.newest, "done", given->good, given->good_digest, EM_SEC(1000));
    if (state.newest.outcome) {
        set_identity(&state.newest, given->identity);
        if (given->newest_build)
            state.newest.build = em_strdup(given->newest_build);
    }
    em_str_puts(&state.digest, given->digest ? given->digest : "");
    state.table = given->digest && *given->digest ? EM_TABLE_READ : EM_TABLE_UNKNOWN;
    em_filelist_digest(&files, hex);
    struct em_planned_run mine = {.files = &files,
                                  .identity = hex,
                                  .command = given->command,
                                  .build = given->build,
                                  .complete = !given->incomplete,
                                  .has_tool = !given->no_tool,
                                  .goes_on = given->goes_on,
                                  .retry_after = RETRY};
    em_decide(&mine, &state, verdict);
    assert_true(verdict->why.len > 0);
    em_ledger_state_free(&state);
    return verdict->decision;
}

#define EXPECT(ours, decision, ...)                                 \
    do {                                                            \
        struct em_decision v_ = {0};                                \
        struct given given_ = {__VA_ARGS__};                        \
        assert_int_equal(judged((ours), &given_, &v_), (decision)); \
        em_decision_free(&v_);                                      \
    } while (0)

static void test_nothing_known(void **state)
{
    (void)state;
    EXPECT("a", EM_RUN, .no_ledger = true);
    EXPECT("", EM_RUN, .no_ledger = true, .digest = "d");
    EXPECT("a", EM_RUN, .good = NULL);
    EXPECT("a", EM_RUN, .good = NULL, .digest = "d");
}

static void test_everything_applied(void **state)
{
    (void)state;
    EXPECT("a b", EM_SKIP, .good = "a b", .good_digest = "d", .digest = "d");
    EXPECT("b a", EM_SKIP, .good = "a b", .good_digest = "d", .digest = "d");
}

/* Files that nobody knows of can't be compared: "" equals "" says nothing. */
static void test_unknown_files_never_skip(void **state)
{
    (void)state;
    EXPECT("", EM_RUN, .good = "", .good_digest = "d", .digest = "d");
    EXPECT("", EM_RUN, .good = "a", .good_digest = "d", .digest = "d");
    EXPECT("a", EM_RUN, .good = "", .good_digest = "d", .digest = "d");
}

static void test_unknown_state_never_skips(void **state)
{
    (void)state;
    EXPECT("a", EM_RUN, .good = "a", .good_digest = NULL, .digest = "");
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "", .digest = "");
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "");
    EXPECT("a", EM_RUN, .good = "a", .good_digest = NULL, .digest = "d");
}

static void test_table_changed(void **state)
{
    (void)state;
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "e");
}

static void test_older(void **state)
{
    struct em_decision v = {0};
    struct given given = {.good = "a b c", .good_digest = "d", .digest = "d"};

    (void)state;
    assert_int_equal(judged("a", &given, &v), EM_IS_OLDER);
    assert_int_equal(v.lacking.n, 2);
    assert_string_equal(v.lacking.v[0], "b");
    assert_string_equal(v.lacking.v[1], "c");
    assert_false(v.diverged);
    em_decision_free(&v);
    /* also where no table tells the database's state: the ledger does */
    EXPECT("a", EM_IS_OLDER, .good = "a b", .good_digest = NULL, .digest = "");
    /* somebody took the database back, perhaps for this very image */
    EXPECT("a", EM_RUN, .good = "a b", .good_digest = "d", .digest = "e");
    /* a file's contents differ as well: older all the same */
    EXPECT("a=2", EM_IS_OLDER, .good = "a b", .good_digest = "d", .digest = "d");
}

static void test_newer_changed_diverged(void **state)
{
    struct em_decision v = {0};
    struct given given = {.good = "a b=1 c", .good_digest = "d", .digest = "d"};

    (void)state;
    EXPECT("a b", EM_RUN, .good = "a", .good_digest = "d", .digest = "d");
    EXPECT("a=2", EM_RUN, .good = "a", .good_digest = "d", .digest = "d");
    assert_int_equal(judged("a b=2 x", &given, &v), EM_RUN);
    assert_true(v.diverged);
    assert_int_equal(v.lacking.n, 1);
    assert_string_equal(v.lacking.v[0], "c");
    assert_int_equal(v.added.n, 1);
    assert_string_equal(v.added.v[0], "x");
    assert_int_equal(v.changed.n, 1);
    assert_string_equal(v.changed.v[0], "b");
    em_decision_free(&v);
    assert_int_equal(v.lacking.n, 0);
}

static void test_failed_just_now(void **state)
{
    (void)state;
    EXPECT("a b", EM_FAILED, .good = "a", .good_digest = "d", .digest = "d", .newest = "failed",
           .newest_files = "a b", .age = EM_SEC(1));
    EXPECT("a b", EM_FAILED, .newest = "failed", .newest_files = "a b", .age = 0);
    EXPECT("a b", EM_FAILED, .newest = "failed", .newest_files = "a b", .age = RETRY - 1);
    EXPECT("a b", EM_RUN, .newest = "failed", .newest_files = "a b", .age = RETRY);
    /* the server's clock was set back */
    EXPECT("a b", EM_RUN, .newest = "failed", .newest_files = "a b", .age = -1);
    EXPECT("a b", EM_RUN, .newest = "failed", .newest_files = "a b", .age = -EM_SEC(3600));
    /* other files are another try: the fixed image must not wait */
    EXPECT("a b=2", EM_RUN, .newest = "failed", .newest_files = "a b", .age = EM_SEC(1));
    EXPECT("a b c", EM_RUN, .newest = "failed", .newest_files = "a b", .age = EM_SEC(1));
}

/* Somebody has changed the tool's table since, so the failure says nothing about the next try. */
static void test_failed_and_changed_since(void **state)
{
    (void)state;
    EXPECT("a", EM_RUN, .newest = "failed", .newest_files = "a", .newest_digest = "e",
           .digest = "f");
    EXPECT("a", EM_FAILED, .newest = "failed", .newest_files = "a", .newest_digest = "e",
           .digest = "e");
    EXPECT("a", EM_FAILED, .newest = "failed", .newest_files = "a", .newest_digest = "e",
           .digest = "");
    EXPECT("a", EM_FAILED, .newest = "failed", .newest_files = "a", .newest_digest = NULL,
           .digest = "e");
}

/* A failed run of files that nobody knows of is not hammered either. */
static void test_failed_with_unknown_files(void **state)
{
    (void)state;
    EXPECT("", EM_FAILED, .newest = "failed", .newest_files = "", .age = EM_SEC(1));
    EXPECT("a", EM_RUN, .newest = "failed", .newest_files = "", .age = EM_SEC(1));
}

static void test_interrupted_and_running(void **state)
{
    (void)state;
    EXPECT("a b", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .newest = "interrupted",
           .newest_files = "a b", .age = EM_SEC(1));
    EXPECT("a b", EM_RUN, .newest = "running", .newest_files = "a b", .age = EM_SEC(1));
}

/* A newer image's run that failed, was killed or still goes on says that the database is not known
 * to be as the older one left it: nothing is skipped. */
static void test_old_image_beside_a_newer_ones_failure(void **state)
{
    (void)state;
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .newest = "failed",
           .newest_files = "a b", .age = EM_SEC(1));
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .newest = "running",
           .newest_files = "a b", .age = EM_SEC(1));
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .newest = "interrupted",
           .newest_files = "a b", .age = EM_SEC(1));
}

/* A newer image's run failed with some of its migrations applied: what the database holds is newer
 * than the older image. */
static void test_old_image_after_a_run_that_failed_half_way(void **state)
{
    struct em_decision v = {0};
    struct given given = {.good = "a",
                          .good_digest = "d",
                          .digest = "e",
                          .newest = "failed",
                          .newest_files = "a b c",
                          .newest_digest = "e",
                          .age = EM_SEC(100)};

    (void)state;
    assert_int_equal(judged("a", &given, &v), EM_IS_OLDER);
    assert_true(v.half_way);
    assert_int_equal(v.lacking.n, 2);
    em_decision_free(&v);
    assert_false(v.half_way);
    /* the very first run, too */
    EXPECT("a", EM_IS_OLDER, .digest = "e", .newest = "failed", .newest_files = "a b",
           .newest_digest = "e");
    /* the newer image itself goes on */
    EXPECT("a b c", EM_RUN, .good = "a", .good_digest = "d", .digest = "e", .newest = "failed",
           .newest_files = "a b c", .newest_digest = "e", .age = EM_SEC(100));
    /* somebody has put it right since */
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .newest = "failed",
           .newest_files = "a b", .newest_digest = "e", .age = EM_SEC(100));
    /* it was killed: nobody has noted how it left the table, but that isn't as before */
    EXPECT("a", EM_IS_OLDER, .good = "a", .good_digest = "d", .digest = "e",
           .newest = "interrupted", .newest_files = "a b", .age = EM_SEC(100));
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "f", .newest = "failed",
           .newest_files = "a b", .newest_digest = "e", .age = EM_SEC(100));
    /* nothing tells the database's state, so it may well be half way */
    EXPECT("a", EM_IS_OLDER, .good = "a", .good_digest = NULL, .digest = "", .newest = "failed",
           .newest_files = "a b", .newest_digest = NULL, .age = EM_SEC(100));
    EXPECT("", EM_RUN, .good = "a", .good_digest = "d", .digest = "e", .newest = "failed",
           .newest_files = "a b", .newest_digest = "e", .age = EM_SEC(100));
}

/* With on_newer_database = continue nothing is served that has a migration which never ran. */
static void test_older_that_goes_on(void **state)
{
    (void)state;
    EXPECT("a", EM_IS_OLDER, .good = "a", .good_digest = "d", .digest = "e", .newest = "failed",
           .newest_files = "a b", .newest_digest = "e", .age = EM_SEC(100), .goes_on = true);
    EXPECT("a c", EM_RUN, .good = "a b", .good_digest = "d", .digest = "e", .newest = "failed",
           .newest_files = "a b c", .newest_digest = "e", .age = EM_SEC(100), .goes_on = true);
    EXPECT("a c", EM_IS_OLDER, .good = "a b", .good_digest = "d", .digest = "e", .newest = "failed",
           .newest_files = "a b c", .newest_digest = "e", .age = EM_SEC(100));
    EXPECT("a", EM_RUN, .digest = "e", .newest = "failed", .newest_files = "a b",
           .newest_digest = "e", .goes_on = true);
#define AS_LEFT .good_digest = "d", .digest = "d"
    EXPECT("a x/=1", EM_IS_OLDER, .good = "a b x/=1", .goes_on = true, AS_LEFT);
    EXPECT("a x/=2", EM_RUN, .good = "a b x/=1", .goes_on = true, AS_LEFT);
    EXPECT("a x/=2", EM_IS_OLDER, .good = "a b x/=1");
    /* the tool's table isn't known, so that it may have been taken back since; a command whose tool
     * isn't known has none */
    EXPECT("a", EM_RUN, .good = "a b", .goes_on = true);
    EXPECT("a", EM_IS_OLDER, .good = "a b", .goes_on = true, .no_tool = true);
    EXPECT("a", EM_IS_OLDER, .good = "a b");
    EXPECT("a b", EM_IS_OLDER, .good = "a b c", .goes_on = true, .good_command = "tool up",
           .command = "tool up", AS_LEFT);
    /* the good run's command may have gone to a file in between only */
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "e", .newest = "failed",
           .newest_files = "a b", .newest_digest = "e", .age = EM_SEC(100), .goes_on = true,
           .good_command = "tool up 1", .command = "tool up");
    EXPECT("a", EM_IS_OLDER, .good = "a", .good_digest = "d", .digest = "e", .newest = "failed",
           .newest_files = "a b", .newest_digest = "e", .age = EM_SEC(100), .goes_on = true,
           .good_command = "tool up", .command = "tool up");
    EXPECT("a b", EM_RUN, .good = "a b c", .goes_on = true, .good_command = "tool up 1",
           .command = "tool up");
    EXPECT("a b", EM_IS_OLDER, .good = "a b c", .good_command = "tool up 1", .command = "tool up");
}

static void test_damaged_ledger(void **state)
{
    struct em_decision v = {0};
    struct em_ledger_state damaged = {.has_ledger = true};
    EM_FILELIST_AUTO files = EM_FILELIST_INIT;

    (void)state;
    struct em_planned_run ours = {
        .files = &files, .identity = "i", .complete = true, .has_tool = true};

    fill(&files, "a");
    row(&damaged.good, "done", "a", "d", 0);
    free(damaged.good.files);
    damaged.good.files = em_strdup("not a list\n");
    em_str_puts(&damaged.digest, "d");
    em_decide(&ours, &damaged, &v);
    assert_int_equal(v.decision, EM_RUN);
    em_decision_free(&v);
    row(&damaged.newest, "failed", "a", NULL, 0);
    free(damaged.newest.files);
    damaged.newest.files = NULL;
    em_decide(&ours, &damaged, &v);
    assert_int_equal(v.decision, EM_RUN);
    em_decision_free(&v);
    em_ledger_state_free(&damaged);
    em_ledger_state_free(&damaged);
}

static void test_incomplete_list(void **state)
{
    (void)state;
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .incomplete = true);
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .incomplete = true,
           .build = "1");
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .incomplete = true,
           .newest_build = "1");
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .incomplete = true,
           .newest_build = "1", .build = "2");
    EXPECT("a", EM_SKIP, .good = "a", .good_digest = "d", .digest = "d", .incomplete = true,
           .newest_build = "1", .build = "1");
    EXPECT("", EM_SKIP, .good = "", .good_digest = "d", .digest = "d", .incomplete = true,
           .newest_build = "1", .build = "1");
}

static void test_other_command_or_place(void **state)
{
    (void)state;
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .identity = "other");
    EXPECT("a", EM_RUN, .good = "a", .good_digest = "d", .digest = "d", .identity = "");
}

static void test_command_without_a_known_tool(void **state)
{
    (void)state;
    EXPECT("a", EM_SKIP, .good = "a", .good_digest = NULL, .digest = "", .no_tool = true);
    EXPECT("", EM_RUN, .good = "", .good_digest = NULL, .digest = "", .no_tool = true);
    EXPECT("a b", EM_RUN, .good = "a", .digest = "", .no_tool = true);
    EXPECT("a", EM_RUN, .good = "a", .digest = "", .no_tool = true, .incomplete = true);
}

static void test_renamed(void **state)
{
    struct em_decision v = {0};
    struct given given = {.good = "a=1 b=2", .good_digest = "d", .digest = "d"};

    (void)state;
    assert_int_equal(judged("a=1 c=2", &given, &v), EM_RUN);
    assert_false(v.diverged);
    assert_int_equal(v.renamed.n, 1);
    assert_string_equal(v.renamed.v[0], "b → c");
    assert_int_equal(v.lacking.n, 0);
    em_decision_free(&v);
    /* renamed, and one is lacking: older */
    given.good = "a=1 b=2 d=3";
    assert_int_equal(judged("a=1 c=2", &given, &v), EM_IS_OLDER);
    assert_int_equal(v.lacking.n, 1);
    assert_string_equal(v.lacking.v[0], "d");
    em_decision_free(&v);
}

/* Every combination of what is known: 64 of them. */
static void test_the_rule(void **state)
{
    int holds = 0;

    (void)state;
    for (int i = 0; i < 64; i++) {
        struct em_proof p = {.newest_done = i & 1,
                             .same_identity = i & 2,
                             .complete = i & 4,
                             .same_build = i & 8,
                             .has_table = i & 16,
                             .same_table = i & 32};
        bool a = i & 1, b = i & 2, c = (i & 4) || (i & 8), d = !(i & 16) || (i & 32);

        assert_int_equal(em_proof_holds(&p), a && b && c && d);
        holds += em_proof_holds(&p);
    }
    /* a and b, three of four c, three of four d */
    assert_int_equal(holds, 9);
}

/* Where the tool's table doesn't tell what is pending, only a good run with all of our files, by
 * this command, proves that all of ours are applied. */
static void test_by_table_that_does_not_tell(void **state)
{
    static const struct {
        struct given given;
        bool unsure, proved;
    } cases[] = {
        {{.no_ledger = true}, false, true},
        {{.no_ledger = true}, true, false},
        {{.good = "a b", .good_digest = "d", .digest = "e"}, true, true},
        {{.good = "a b c", .good_digest = "d", .digest = "e"}, true, true},
        {{.good = "a", .good_digest = "d", .digest = "e"}, true, false},
        {{.good = "a c", .good_digest = "d", .digest = "e"}, true, false},
        {{.good = "a b", .good_command = "up", .command = "up"}, true, true},
        {{.good = "a b", .good_command = "up 1", .command = "up"}, true, false},
        {{.digest = "e", .newest = "failed", .newest_files = "a b", .newest_digest = "e"},
         true,
         false},
        {{.digest = "e", .newest = "interrupted", .newest_files = "a b"}, true, false},
    };
    EM_LIST_AUTO unknown = EM_LIST_INIT;

    (void)state;
    em_list_add(&unknown, "9c1b");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct em_decision v = {0};
        judged("a b", &cases[i].given, &v);
        em_decide_by_table(&unknown, cases[i].unsure, "t", &v);
        assert_int_equal(v.decision, EM_IS_OLDER);
        assert_int_equal(v.unproved, !cases[i].proved);
        em_decision_free(&v);
        assert_false(v.unproved || v.was_done);
    }
}

static void test_by_table(void **state)
{
    struct em_decision v = {0};
    EM_LIST_AUTO unknown = EM_LIST_INIT;

    (void)state;
    em_list_add(&unknown, "9c1b");
    em_decide_by_table(&unknown, false, "public.alembic_version", &v);
    assert_int_equal(v.decision, EM_IS_OLDER);
    assert_true(v.by_table);
    assert_string_equal(v.lacking.v[0], "9c1b");
    assert_non_null(strstr(em_str_c(&v.why), "public.alembic_version"));
    em_decision_free(&v);
    assert_false(v.by_table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_everything_applied),
        cmocka_unit_test(test_unknown_files_never_skip),
        cmocka_unit_test(test_unknown_state_never_skips),
        cmocka_unit_test(test_table_changed),
        cmocka_unit_test(test_older),
        cmocka_unit_test(test_newer_changed_diverged),
        cmocka_unit_test(test_failed_just_now),
        cmocka_unit_test(test_failed_with_unknown_files),
        cmocka_unit_test(test_interrupted_and_running),
        cmocka_unit_test(test_old_image_beside_a_newer_ones_failure),
        cmocka_unit_test(test_old_image_after_a_run_that_failed_half_way),
        cmocka_unit_test(test_older_that_goes_on),
        cmocka_unit_test(test_damaged_ledger),
        cmocka_unit_test(test_failed_and_changed_since),
        cmocka_unit_test(test_incomplete_list),
        cmocka_unit_test(test_other_command_or_place),
        cmocka_unit_test(test_command_without_a_known_tool),
        cmocka_unit_test(test_renamed),
        cmocka_unit_test(test_the_rule),
        cmocka_unit_test(test_by_table),
        cmocka_unit_test(test_by_table_that_does_not_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
