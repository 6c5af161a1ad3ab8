/* What to do about migrations, from what the ledger says and the image holds. Pure: the whole
 * decision is here, and nothing else decides.
 *
 * The rule (embark-migrate(1), "When nothing is run"): lock and command are skipped only on proof, and what
 * is not known proves nothing.
 *
 *   a  the scope's newest run is done
 *   b  it did what this start would do: the same command, files and place
 *      (core/migrations/identity.h)
 *   c  the list of files is known to be complete; or the done run was made by the same [image] build
 *   d  the migration tool's own table is as that run left it; for a command whose tool isn't known
 *      there is no d
 */
#ifndef EMBARK_CORE_MIGRATIONS_DECISION_H
#define EMBARK_CORE_MIGRATIONS_DECISION_H

#include "embark/core/base/time.h"
#include "embark/core/migrations/filelist.h"

/* One row of the ledger, as text. All NULL: there is no such row. */
struct em_run_row {
    char *id, *run, *outcome; /* outcome: running, done, failed, interrupted */
    char *host, *build, *started;
    char *identity; /* em_identity_digest(); NULL: noted by an embark that kept none */
    char *files;    /* em_filelist_print(); NULL: not read (em_ledger_read_rows()) */
    char *digest;   /* of the tool's table at its end */
    char *tables;   /* of a command whose tool isn't known: the tools' tables that its runs have
                       changed, a line each; their contents are in digest then */
    char *error, *output;
    char *command; /* as it is shown to people; NULL: not read */
    em_time age;   /* since its end (its start, while running); negative where the server's
                      clock was set back; 0 where it was not read (em_ledger_read_rows()) */
};
void em_run_row_free(struct em_run_row *row);

/* What is known of the tool's table now. */
enum em_table_state {
    EM_TABLE_UNKNOWN, /* there is none, or it can't be read without running what others wrote */
    EM_TABLE_READ,    /* its digest is in em_ledger_state.digest */
};

struct em_ledger_state {
    bool has_ledger;          /* false: no table, or it may not be read */
    bool is_old;              /* it lacks the columns that this embark adds */
    struct em_str ledger;     /* its name, with its schema, quoted; "": there is none */
    struct em_str ledger_why; /* there is a table of that name that isn't used: why */
    /* Where the migration acts: the first schema that the URL, its options or the role's
     * search_path name, and the first of them that is there, as the server sees it. */
    struct em_str place, acts_in;
    struct em_run_row newest; /* of the scope */
    struct em_run_row good;   /* the newest with outcome done; with em_ledger_read_rows() only */
    enum em_table_state table;
    struct em_str table_why; /* EM_TABLE_UNKNOWN: why, for people */
    struct em_str digest;    /* of the tool's table now */
};
void em_ledger_state_free(struct em_ledger_state *state);
#define EM_LEDGER_STATE_AUTO __attribute__((cleanup(em_ledger_state_free))) struct em_ledger_state

enum em_migrate_action {
    EM_RUN,      /* take the lock and run */
    EM_SKIP,     /* everything is applied */
    EM_IS_OLDER, /* the image is older than the database */
    EM_FAILED,   /* the newest run failed with these very files, less than retry_after ago */
};

struct em_decision {
    enum em_migrate_action decision;
    bool diverged;
    bool half_way; /* EM_IS_OLDER against the newest run, which failed, not the last good one */
    bool by_table; /* EM_IS_OLDER by what the tool's own table says, not by a run */
    bool was_done; /* the last good run had this command, and all files of this image */
    bool unproved; /* EM_IS_OLDER, but whether all of this image's own migrations are applied isn't
                      known: not served, whatever on_newer_database says */
    struct em_list lacking, added, changed; /* file names, against that run */
    struct em_list renamed;                 /* "old name → new name": the same contents */
    struct em_str why;                      /* one line for people: "nothing was run yet" */
    struct em_str hint; /* EM_RUN only since something isn't known: what would make it known */
};
void em_decision_free(struct em_decision *verdict);

/* What this start would run. */
struct em_planned_run {
    const struct em_filelist *files;
    const char *identity; /* em_identity_digest() */
    const char *command;  /* as a row of the ledger has it */
    const char *build;    /* [image] build; NULL or "": not known */
    bool complete;        /* the files are all that there are; else why, and what would help */
    const char *incomplete_why, *incomplete_hint;
    bool has_tool;       /* the command's tool is known, or it is embark itself: d counts */
    bool goes_on;        /* on_newer_database = continue: older, it is served without a run */
    em_time retry_after; /* [migrate] retry_after */
};

/* The rule itself, from what is known of a, b, c and d. */
struct em_proof {
    bool newest_done;           /* a */
    bool same_identity;         /* b */
    bool complete, same_build;  /* c: one of them */
    bool has_table, same_table; /* d: same_table, where has_table */
};
bool em_proof_holds(const struct em_proof *proof);
/* The proof for this start. */
struct em_proof em_proof_of(const struct em_planned_run *ours, const struct em_ledger_state *state);

/* Decides. Before em_ledger_read_rows() the files of the runs are not known, and neither is whether
 * the image is older: where nothing can be skipped, the caller reads the rows and asks again. */
void em_decide(const struct em_planned_run *ours, const struct em_ledger_state *state,
               struct em_decision *verdict);

/* EM_IS_OLDER, but the migration tool's own table has nothing that no file here has: the newer
 * image's run was taken back, or did not go as far, and the command is run. */
void em_decide_nothing_left(struct em_decision *verdict);

/* The migration tool's own table has rows (`unknown`: ids) that no file here has, and nothing here
 * is pending, though every file was seen: the image is older than the database, whether or not
 * there is a ledger. `unsure`: the rows don't tell what is pending (Alembic notes only where it
 * stands, so an unknown revision may as well be of another branch); then the last good run, which
 * em_decide() has looked at, is the only proof that all of ours are applied. */
void em_decide_by_table(const struct em_list *unknown, bool unsure, const char *table,
                        struct em_decision *verdict);

#endif
