/* Which of the image's migrations the database lacks, by name: told from their files and from the
 * rows of the table in which their tool notes what it applied. The tool itself isn't run.
 *
 *     struct em_pending p = {.kind = em_pending_kind("Alembic")};
 *     em_pending_file(&p, path, bytes, length);     each file
 *     em_pending_row(&p, "3f2a", 'a');              each row, oldest first
 *     em_pending_resolve(&p, "head");
 *     … p.v[i].name, .state
 *     em_pending_free(&p);
 *
 * What the files don't tell, nobody is told: a revision that is computed, a Django app that is an
 * installed package.
 *
 * Pure; files and rows are hostile.
 */
#ifndef EMBARK_CORE_MIGRATIONS_PENDING_PENDING_H
#define EMBARK_CORE_MIGRATIONS_PENDING_PENDING_H

#include "embark/core/base/str.h"

/* How a tool names its migrations, and where it notes them. */
struct em_pending_kind {
    const char *tool;    /* as in core/tools/tools.h; "embark" for [migrate] sql */
    const char *table;   /* NULL: the one beside the ledger */
    const char *columns; /* of a SELECT: the migration's id as text, and a letter for its row: below
                          */
    const char *order;   /* of the rows, oldest first */
    int form;            /* pending.c's business */
};

/* By the tool's name. NULL: not known, or its files say nothing (Entity Framework's are compiled
 * in). */
const struct em_pending_kind *em_pending_kind(const char *tool);
/* By a file, where the command tells no tool: Alembic's, Django's, Prisma's, Flyway's, dbmate's and
 * goose's are known by their look. NULL: none of these. */
const struct em_pending_kind *em_pending_guess(const char *path, const char *bytes, size_t length);
/* Whether em_pending_file() needs the file's bytes, not only its name. */
bool em_pending_wants_bytes(const struct em_pending_kind *kind);

enum em_migration_state {
    EM_MIGRATION_PENDING,
    EM_MIGRATION_APPLIED,
    EM_MIGRATION_FAILED, /* half way, as the tool noted: it goes on only when that is settled */
};

struct em_migration {
    char *id;   /* as the tool's table has it; Django's with its app: "notes.0001_initial" */
    char *name; /* for people: "3f2a add users" */
    char *file;
    enum em_migration_state state;
    bool off;              /* not of the plan: squashed, or beside the target */
    struct em_list before; /* ids that come first: down_revision, dependencies */
    struct em_list needs;  /* Alembic's depends_on */
    struct em_list labels; /* Alembic's branch_labels */
    struct em_list replaces;
    struct em_list after; /* Django's run_before */
};

struct em_pending {
    const struct em_pending_kind *kind;
    struct em_migration *v; /* after em_pending_resolve(): in the order of applying */
    size_t n;
    struct em_pending_row {
        char *id;
        char letter;
    } * rows;
    size_t row_count;
    bool ordered; /* the files came in the order in which they are applied, by em_pending_add() */
    struct em_list apps; /* Django: folders and what the apps in them are called, in turns */
    /* Made by em_pending_resolve(): */
    size_t total, pending; /* of those that are not off */
    struct em_list heads; /* names; Alembic, Django: that no other one follows. Else the last one */
    struct em_list at;    /* the database's: Alembic's revisions; else the last that was applied */
    struct em_list unknown; /* rows that no file belongs to, and that look newer */
    struct em_list failed;
    struct em_list odd; /* what can't be told, or will fail: a line each */
    size_t elsewhere;   /* Django: rows of apps that no file is of */
    bool unsure; /* Alembic: the database is at a revision that no file has: what comes before it
                    can't be told, and neither what is pending */
    bool forked; /* Alembic: several heads, nothing broken, and `upgrade head` means one */
    bool broken; /* Alembic: a revision that no file has, a loop: the tool will refuse */
};

/* A file of the image. Those that are no migrations (env.py, a .down.sql) are passed over. `bytes`
 * may be NULL unless em_pending_wants_bytes(). */
void em_pending_file(struct em_pending *p, const char *path, const char *bytes, size_t length);
/* One whose id is its name; they come in the order in which they are applied, and rows only of what
 * comes after the first of them. */
void em_pending_add(struct em_pending *p, const char *name);
/* Django: the file that may say that the app of the migration at `path` is not called as its folder
 * is; to be read, if there is one, and given to em_pending_app() before em_pending_file() (with no
 * bytes, where there is none). The caller frees it. NULL: nothing is to be read, or not again. */
char *em_pending_app_file(const struct em_pending *p, const char *path);
void em_pending_app(struct em_pending *p, const char *path, const char *bytes, size_t length);
/* A row of the tool's table. `letter`: 'a' applied; 'f' failed half way; 'u' taken back; 'b' this
 * and all before it count as applied. Of several rows for one id the last one counts. */
void em_pending_row(struct em_pending *p, const char *id, char letter);
/* Orders and marks them. `target`: the word behind Alembic's `upgrade`, or NULL. */
void em_pending_resolve(struct em_pending *p, const char *target);
void em_pending_free(struct em_pending *p);

/* "3f2a add users, 9c1b add index and 32 more": those in that state, at most `most`. */
void em_pending_names(const struct em_pending *p, enum em_migration_state state, size_t most,
                      struct em_str *out);

#endif
