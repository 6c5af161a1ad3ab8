/* What the checks of SQL files share: what is known of variables, and the errors and warnings
 * found. */
#ifndef EMBARK_CORE_SQL_LINT_LINT_FINDINGS_H
#define EMBARK_CORE_SQL_LINT_LINT_FINDINGS_H

#include "embark/core/base/err.h"
#include "embark/core/sql/lint/blocking.h"
#include "embark/core/sql/position.h"
#include "embark/core/sql/variables.h"

/* What is known between the files of one session, in the order in which they are run. Zero it to
 * start, then set what is given. */
struct em_sql_lint {
    struct em_sql_vars vars; /* what is set: the caller's -v, then what the files set */
    bool guess;              /* the caller doesn't know all variables: none counts as unset */
    bool
        names; /* … but those that it knows: one that isn't set and is called nearly so is misspelt */
    const char *alone; /* not NULL: the files are run in a transaction (transaction.h), and this is
                          how one is marked that isn't */
    struct em_sql_blocking *blocking; /* for statements that keep a service waiting, which are
                                         warnings; NULL: nobody asks */
    struct em_errs errs, warnings;    /* texts start with "file:line:column: " */

    /* Called for \i and \ir with a constant file name, at their place, so that the caller can read
     * it and call em_sql_lint() again (nested). NULL: included files aren't looked at, and what
     * they may set is taken for set. */
    void (*include)(void *ctx, struct em_sql_lint *lint, const char *from, const char *path,
                    bool relative, const char *place);
    void *ctx;

    struct em_list labels; /* internal: that ALTER TYPE … ADD VALUE has added in this transaction */
};
enum { EM_SQL_LINT_MOST = 100 }; /* after that many errors one more says that there are others */

void em_sql_lint_free(struct em_sql_lint *lint);

/* What follows is run in another transaction than what came before, or (NULL) in none. */
void em_sql_lint_next(struct em_sql_lint *lint, const char *alone);

/* "name:line:column: …" added to the errors or, not `fatal`, the warnings; takes a hint and is
 * valid until the next one. NULL: there are too many. */
struct em_err *em_sql_finding(struct em_sql_lint *lint, struct em_sql_source *source, bool fatal,
                              size_t offset, const char *format, ...) EM_PRINTF(5, 6);

#endif
