/* Which of a folder's SQL files are applied, by the records that embark keeps of them.
 *
 * What counts is a file's contents: one that was renamed or renumbered after it was applied is the
 * same file, and must not be applied a second time. A name that is recorded with other contents,
 * while its own contents are recorded nowhere, was edited after it was applied: it isn't applied
 * again either, and that is told.
 */
#ifndef EMBARK_CORE_MIGRATIONS_APPLIED_H
#define EMBARK_CORE_MIGRATIONS_APPLIED_H

#include "embark/core/migrations/filelist.h"

struct em_applied {
    struct em_list pending;  /* files that no record is of */
    struct em_list was, now; /* renamed: the record's name and the file's, of the same length */
    struct em_list changed;  /* files with other contents than the record of their name */
};
void em_applied_free(struct em_applied *applied);
#define EM_APPLIED_AUTO __attribute__((cleanup(em_applied_free))) struct em_applied

/* What a file was before it was edited is `former` (names don't matter): one that has these
 * contents and no record, as an older image's, is applied as well.
 *
 * Names are those of the files, without their folder. Each record stands for one file at most:
 * first for one of its name and contents, then for one of its contents whose name has no record of
 * its own, then for one of its name. Empty files are told apart by their names only. */
void em_applied_match(const struct em_filelist *files, const struct em_filelist *records,
                      const struct em_filelist *former, struct em_applied *applied);

#endif
