/* \if, \elif, \else, \endif: which branch is active, and what becomes of the text in the others.
 *
 * They may stand in the middle of a statement. Text that was added in a branch that isn't taken is
 * cut off again at the branch's end, and the count of open parentheses goes back to what it was
 * (psql, command.c: save_query_text_state, discard_query_text).
 */
#ifndef EMBARK_CORE_SQL_CONDITIONAL_H
#define EMBARK_CORE_SQL_CONDITIONAL_H

#include "embark/core/sql/splitter.h"

enum em_sql_branch {
    EM_SQL_TAKEN,      /* this branch is active */
    EM_SQL_NOT_YET,    /* no branch was, so far */
    EM_SQL_IGNORED,    /* one was already, or the \if itself stands in an inactive branch */
    EM_SQL_ELSE_TAKEN, /* behind \else */
    EM_SQL_ELSE_NOT,
};

struct em_sql_cond {
    enum em_sql_branch branch;
    size_t text, parens; /* to go back to */
    size_t offset;       /* of the \if */
};

/* Zero it to start; each file has its own. */
struct em_sql_conds {
    struct em_sql_cond *v;
    size_t n, cap;
};

void em_sql_conds_free(struct em_sql_conds *conds);
bool em_sql_conds_active(const struct em_sql_conds *conds);

/* `value`: of the expression; not looked at where the \if itself is inactive. */
void em_sql_cond_if(struct em_sql_conds *conds, const struct em_sql_split *split, size_t offset,
                    bool value);
/* Each returns NULL, or what is wrong ("no \\if before it"). *ask: the expression decides, then
 * em_sql_cond_decide() has to be told. split->active is the caller's to set afterwards. */
const char *em_sql_cond_elif(struct em_sql_conds *conds, struct em_sql_split *split, bool *ask);
void em_sql_cond_decide(struct em_sql_conds *conds, bool value);
const char *em_sql_cond_else(struct em_sql_conds *conds, struct em_sql_split *split);
const char *em_sql_cond_endif(struct em_sql_conds *conds, struct em_sql_split *split);

#endif
