/* A migration's files: names and SHA-256 of contents, and how two such lists relate.
 *
 * What tells an image that is older than the database from one that is newer: the ledger keeps the
 * list of the last good run, a replica compares it with its own.
 */
#ifndef EMBARK_CORE_MIGRATIONS_FILELIST_H
#define EMBARK_CORE_MIGRATIONS_FILELIST_H

#include "embark/core/base/sha256.h"
#include "embark/core/base/str.h"

struct em_filelist {
    struct em_file {
        char *name; /* as found: relative to the working directory where the pattern was */
        char hash[EM_HEX_DIGEST];
    } * v;
    size_t n;
};
#define EM_FILELIST_INIT \
    {                    \
        NULL, 0          \
    }
#define EM_FILELIST_AUTO __attribute__((cleanup(em_filelist_free))) struct em_filelist

/* Adds a file, in the order of names (bytes); a name that is there already is left alone. */
void em_filelist_add(struct em_filelist *list, const char *name, const char *bytes, size_t length);
/* The same with a digest that is known already; one that isn't 64 digits long is left out. */
void em_filelist_add_hash(struct em_filelist *list, const char *name, const char *hash);
void em_filelist_free(struct em_filelist *list);

/* One digest for all of it: SHA-256 of em_filelist_print()'s text, which isn't `ascii`. */
void em_filelist_digest(const struct em_filelist *list, char hex[EM_HEX_DIGEST]);
/* "HASH  NAME\n" a line, as sha256sum(1) prints and people can check; in a name, backslash and
 * newline are written \\ and \n, as there (which also puts a backslash in front of the line).
 * `ascii`: for a database whose encoding lacks the names; other bytes are written \xNN. */
void em_filelist_print(const struct em_filelist *list, bool ascii, struct em_str *out);
/* The reverse. False: not such a text; list is empty then. */
bool em_filelist_parse(struct em_filelist *list, const char *text);

/* A file that was renamed is the same file: contents that both lists have under names that the
 * other lacks. */
enum em_relation {
    EM_SAME,     /* the same contents, under the same names but for those that were renamed */
    EM_CHANGED,  /* the same names; some contents differ */
    EM_NEWER,    /* ours has all of theirs and more (contents may differ too) */
    EM_OLDER,    /* theirs has all of ours and more */
    EM_DIVERGED, /* each has some that the other lacks: a squash, another branch */
};
/* `lacking`, `added` and `changed` (NULL allowed) get the names that only theirs has, that only
 * ours has, and that both have with different contents; `renamed` gets "theirs → ours". */
enum em_relation em_filelist_compare(const struct em_filelist *ours,
                                     const struct em_filelist *theirs, struct em_list *lacking,
                                     struct em_list *added, struct em_list *changed,
                                     struct em_list *renamed);

#endif
