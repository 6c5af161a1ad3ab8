/* Inside of core: what the linter (lint.h) makes of meta-commands. */
#ifndef EMBARK_CORE_SQL_LINT_LINT_META_H
#define EMBARK_CORE_SQL_LINT_LINT_META_H

#include "embark/core/sql/conditional.h"
#include "embark/core/sql/lint/lint_findings.h"
#include "embark/core/sql/splitter.h"
#include "statement.h"

/* A string in dollar quotes. */
struct em_sql_dollar {
    size_t start, end;
    bool body; /* behind AS, or a DO's */
};

/* One file being looked at. */
struct em_sql_walk {
    struct em_sql_lint *lint;
    struct em_sql_source *source;
    struct em_sql_split split;
    struct em_sql_conds conds;
    bool quit;      /* \q */
    bool statement; /* the meta-command ends the statement (\g, \gexec, \gset) */

    struct em_sql_dollar *dollars; /* the statement's: what they are is known at its end */
    size_t n, cap;
    size_t words;    /* in the statement */
    char first[4];   /* first letters of its first words, of those that matter */
    bool as;         /* the last token is AS */
    bool language;   /* … is LANGUAGE */
    bool body;       /* what is in quotes stands behind AS or is a DO's */
    bool other_code; /* in a language that isn't SQL's or PL/pgSQL's */

    struct em_str opening; /* transaction.c's: the first words of the statement, or of its part */
    size_t tokens, opening_at;

    /* For blocking.c: */
    struct em_sql_statement row;
    size_t behind; /* where its last token ends */
    bool accepted; /* -- embark: ok */
};

/* Each token that isn't blank, if lint->alone is set. */
void em_sql_lint_transaction(struct em_sql_walk *walk, const struct em_sql_token *token,
                             size_t offset);
/* The statement's end, or that of the part that \; ends. */
void em_sql_lint_transaction_end(struct em_sql_walk *walk);

/* The meta-command at split.lex.at; takes it with its arguments. */
void em_sql_lint_meta(struct em_sql_walk *walk);

/* A variable that nobody has set, at the file's `offset`. */
void em_sql_lint_unset(struct em_sql_walk *walk, const char *name, size_t length, size_t offset);

#endif
