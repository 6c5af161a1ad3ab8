#include "embark/core/sql/conditional.h"

#include <stdlib.h>

void em_sql_conds_free(struct em_sql_conds *conds)
{
    free(conds->v);
    *conds = (struct em_sql_conds){.v = NULL};
}

static struct em_sql_cond *top(const struct em_sql_conds *conds)
{
    return conds->n ? &conds->v[conds->n - 1] : NULL;
}

static bool is_active(enum em_sql_branch branch)
{
    return branch == EM_SQL_TAKEN || branch == EM_SQL_ELSE_TAKEN;
}

bool em_sql_conds_active(const struct em_sql_conds *conds)
{
    return !conds->n || is_active(top(conds)->branch);
}

/* What was taken so far stays. */
static void keep(struct em_sql_cond *cond, const struct em_sql_split *split)
{
    cond->text = split->text.bytes.len;
    cond->parens = split->parens;
}

static void discard(const struct em_sql_cond *cond, struct em_sql_split *split)
{
    if (cond->text)
        em_sql_text_cut(&split->text, cond->text);
    else
        em_sql_split_clear(split);
    split->parens = cond->parens;
}

void em_sql_cond_if(struct em_sql_conds *conds, const struct em_sql_split *split, size_t offset,
                    bool value)
{
    enum em_sql_branch branch = value ? EM_SQL_TAKEN : EM_SQL_NOT_YET;

    if (!em_sql_conds_active(conds))
        branch = EM_SQL_IGNORED;
    if (conds->n == conds->cap) {
        conds->cap = conds->cap ? conds->cap * 2 : 4;
        conds->v = em_realloc(conds->v, conds->cap, sizeof(*conds->v));
    }
    conds->v[conds->n] = (struct em_sql_cond){branch, 0, 0, offset};
    keep(&conds->v[conds->n++], split);
}

/* At the end of a branch, whichever it was. */
static void end_branch(struct em_sql_cond *cond, struct em_sql_split *split)
{
    if (is_active(cond->branch))
        keep(cond, split);
    else
        discard(cond, split);
}

const char *em_sql_cond_elif(struct em_sql_conds *conds, struct em_sql_split *split, bool *ask)
{
    struct em_sql_cond *cond = top(conds);

    *ask = false;
    if (!cond)
        return "there is no \\if before it";
    if (cond->branch == EM_SQL_ELSE_TAKEN || cond->branch == EM_SQL_ELSE_NOT)
        return "it stands behind an \\else";
    end_branch(cond, split);
    *ask = cond->branch == EM_SQL_NOT_YET;
    cond->branch = *ask ? EM_SQL_TAKEN : EM_SQL_IGNORED;
    return NULL;
}

void em_sql_cond_decide(struct em_sql_conds *conds, bool value)
{
    struct em_sql_cond *cond = top(conds);

    if (cond)
        cond->branch = value ? EM_SQL_TAKEN : EM_SQL_NOT_YET;
}

const char *em_sql_cond_else(struct em_sql_conds *conds, struct em_sql_split *split)
{
    struct em_sql_cond *cond = top(conds);

    if (!cond)
        return "there is no \\if before it";
    if (cond->branch == EM_SQL_ELSE_TAKEN || cond->branch == EM_SQL_ELSE_NOT)
        return "there was an \\else already";
    end_branch(cond, split);
    cond->branch = cond->branch == EM_SQL_NOT_YET ? EM_SQL_ELSE_TAKEN : EM_SQL_ELSE_NOT;
    return NULL;
}

const char *em_sql_cond_endif(struct em_sql_conds *conds, struct em_sql_split *split)
{
    struct em_sql_cond *cond = top(conds);

    if (!cond)
        return "there is no \\if before it";
    end_branch(cond, split);
    conds->n--;
    return NULL;
}
