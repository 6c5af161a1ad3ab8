/* A SQL file into statements and meta-commands, as psql splits it.
 *
 * psql (mainloop.c) takes a file line by line. Text gathers in a buffer until a semicolon ends the
 * statement: one that is not in quotes, comments, parentheses, or the body BEGIN ATOMIC … END of a
 * CREATE [OR REPLACE] {FUNCTION|PROCEDURE}; CASE … END within such a body is counted. White space
 * and
 * -- comments before a statement are dropped; comments within it, and C's kind of comments, are
 * kept. Empty lines outside of quotes are dropped. What is left at the file's end is a statement
 * too. A backslash starts a meta-command, also in the middle of a line and of a statement.
 *
 *     struct em_sql_split split;
 *
 *     em_sql_split_start(&split, &source, &vars);
 *     while ((event = em_sql_split_next(&split)) != EM_SQL_END) {
 *         if (event == EM_SQL_META)
 *             …                         // reads the command from split.lex.at on (meta_words.h)
 *         else
 *             …                         // split.text is the statement
 *         em_sql_split_clear(&split);   // after a statement
 *     }
 *     em_sql_split_free(&split);
 */
#ifndef EMBARK_CORE_SQL_SPLITTER_H
#define EMBARK_CORE_SQL_SPLITTER_H

#include <stdint.h>

#include "embark/core/sql/colons.h"
#include "embark/core/sql/lexer.h"
#include "embark/core/sql/position.h"
#include "embark/core/sql/variables.h"

enum em_sql_event {
    EM_SQL_END,       /* the file's end, nothing is left */
    EM_SQL_STATEMENT, /* text is a statement, its semicolon included */
    EM_SQL_REST,      /* text is what stands behind the last semicolon */
    EM_SQL_META,      /* a backslash; text is what came before it */
};

/* Why a statement can't be sent as it is. */
enum em_sql_trouble {
    EM_SQL_FINE,
    EM_SQL_UNSET,     /* a variable that isn't set, in no place where SQL has colons of its own */
    EM_SQL_RECURSIVE, /* a variable whose value holds itself */
    EM_SQL_TOO_LONG,  /* variables make it larger than EM_SQL_LONGEST */
};
#define EM_SQL_LONGEST ((size_t)256 * 1024 * 1024)
#define EM_SQL_NOWHERE SIZE_MAX

struct em_sql_split {
    struct em_sql_source *source;
    const struct em_sql_vars *vars; /* NULL: nothing is expanded, and no variable is unset */
    bool active;      /* set by the caller: in an inactive branch of \if nothing is expanded */
    bool std_strings; /* set by the caller: standard_conforming_strings, from the next line on */

    struct em_sql_text text; /* expanded, since the last clear */
    size_t statement;        /* where it starts, comments not counted; EM_SQL_NOWHERE */
    enum em_sql_trouble trouble;
    size_t trouble_at;
    struct em_str trouble_name;
    size_t copies; /* how many COPY … FROM STDIN are in text */
    bool compound; /* text holds a \; */
    bool in_value; /* the meta-command stands in a variable's value */

    struct em_sql_lex lex;
    size_t parens, begins;     /* open parentheses; BEGINs (and CASEs within) of a body */
    size_t paren_at, begin_at; /* where the outermost one that is open stands */
    size_t opened_at;          /* where what lex.mode is in was opened */

    /* Called for every token before it is dealt with (NULL: nobody asks). `offset` is the file's;
     * the tokens of a variable's value have the variable's. */
    void (*token)(void *ctx, struct em_sql_split *split, const struct em_sql_token *token,
                  size_t offset);
    void *ctx;

    /* Internal. */
    struct em_sql_colons colons;
    struct em_sql_value *values; /* that are being lexed, the innermost first */
    size_t expansions;
    size_t next;    /* start of the next line */
    size_t newline; /* text's length after a newline was added and nothing since; EM_SQL_NOWHERE */
    char words[4];  /* first letters of CREATE OR REPLACE FUNCTION at the statement's start */
    size_t word_count;
    bool copy, from; /* the first word is COPY; the last token is FROM */
};

/* `source` and `vars` must outlive it; `vars` may change between two calls. */
void em_sql_split_start(struct em_sql_split *split, struct em_sql_source *source,
                        const struct em_sql_vars *vars);
void em_sql_split_free(struct em_sql_split *split);

enum em_sql_event em_sql_split_next(struct em_sql_split *split);

/* After a statement: an empty buffer. */
void em_sql_split_clear(struct em_sql_split *split);
/* After \g or \r, and wherever else a statement is ended or dropped in its middle: open parentheses
 * are forgotten as well. */
void em_sql_split_reset(struct em_sql_split *split);

/* The data of a COPY … FROM STDIN: the lines behind the current one, up to a line \. (which is
 * taken, but not part of it) or the file's end (*closed is false then). It is behind the line, not
 * behind the semicolon: the rest of the line is read afterwards, and a second COPY in it has the
 * next block. */
void em_sql_split_data(struct em_sql_split *split, size_t *start, size_t *length, bool *closed);
/* Whether such lines look as if they followed, for a COPY that has failed: a line \. comes before
 * any line that ends with a semicolon. */
bool em_sql_split_has_data(const struct em_sql_split *split);

/* The file's offset of a pointer into the line that is being lexed. */
size_t em_sql_split_offset(const struct em_sql_split *split, const char *at);

#endif
