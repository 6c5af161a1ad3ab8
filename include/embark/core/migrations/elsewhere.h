/* Files of [migrate] sql that are recorded under another lock's name, in the same schema.
 *
 * Records belong to a scope, the lock's name. Where somebody changes that name, its new scope knows
 * of nothing, and all files would be applied a second time; and where the name is changed back, what
 * was applied meanwhile. Two services in one schema, on the other hand, have records of their own,
 * some of which may look alike.
 *
 * A scope is the same folder under another name if one has taken records over from the other, which
 * their origin tells; or, for a scope without any record, if it has one of our files by name and
 * contents. Of such a scope:
 *  - a file whose contents it has is applied, and taken over
 *  - a file of which it has the name with other contents is another service's, if its records are:
 *    they have a name that our folder lacks, or one under which we have applied other contents.
 *    Else the file may have been edited, and nobody knows
 *  - a file that it has begun, and not ended, isn't known either
 *
 *     struct em_elsewhere e = {.scope = lock, .files = &files, .repeated = &names};
 *     em_elsewhere_record(&e, …);    each record of the schema, in the order of scopes
 *     em_elsewhere_judge(&e);
 *     em_elsewhere_free(&e);
 *
 * Pure. */
#ifndef EMBARK_CORE_MIGRATIONS_ELSEWHERE_H
#define EMBARK_CORE_MIGRATIONS_ELSEWHERE_H

#include "embark/core/migrations/filelist.h"

/* How the name of a record begins that says what a file was before it was edited; its hash and name
 * follow. */
#define EM_FORMER "former: "

struct em_elsewhere {
    const char *scope;               /* ours */
    const struct em_filelist *files; /* the folder's */
    const struct em_list *repeated;  /* names of those that are applied whenever they change */
    struct em_scope_records {
        char *name;
        struct em_filelist applied, former; /* what files are; what they were */
        struct em_filelist begun;           /* and not ended, or failed half-way */
        struct em_list again;               /* names: somebody wants them applied again */
        struct em_list family; /* scopes that are the same: its own name, and those of origins */
    } * v;
    size_t n;
    /* Made by em_elsewhere_judge(): */
    struct em_list take, from, origin; /* of the same length: the file, its record's scope, and what
                                          the origin of our record is to be */
    struct em_list scopes; /* all that are the same folder, where one of our files has no record */
    struct em_str unclear; /* why what is applied isn't known; "": it is */
};
#define EM_ELSEWHERE_AUTO __attribute__((cleanup(em_elsewhere_free))) struct em_elsewhere

/* `hash` and `origin` may be NULL. `state`: applied, pending, running or failed. */
void em_elsewhere_record(struct em_elsewhere *e, const char *scope, const char *name,
                         const char *hash, const char *state, const char *origin);
void em_elsewhere_judge(struct em_elsewhere *e);
void em_elsewhere_free(struct em_elsewhere *e);

#endif
