/* The words of a meta-command, as psql reads them (psqlscanslash.l; manual, psql: Meta-Commands).
 *
 * The name goes up to white space or another backslash. An argument goes up to white space or a
 * backslash, and may hold
 *
 *     '…'                       with '', \n, \t, \b, \r, \f, \ooo, \xhh and \c for a character c
 *     "…"                       kept with its quotes; nothing is special within
 *     :name :'name' :"name"     a variable, outside of quotes; what it holds is not looked at again
 *     :{?name}
 *     `…`                       a shell command in psql; embark runs none
 *
 * A command ends with its line, or at the next backslash: \\ ends it and SQL goes on behind it.
 */
#ifndef EMBARK_CORE_SQL_META_WORDS_H
#define EMBARK_CORE_SQL_META_WORDS_H

#include "embark/core/sql/variables.h"

struct em_sql_meta_words {
    const char *at, *end;           /* what is left of the line */
    const struct em_sql_vars *vars; /* NULL: variables stay as they stand */
    bool strip;                     /* semicolons at an argument's unquoted end are dropped */

    /* Of the last argument. */
    bool quoted;         /* it holds quotes or a variable: an empty one counts */
    const char *unset;   /* a variable that isn't set: where it stands; NULL: none */
    size_t unset_length; /* … of its name */
    const char *unset_name;
    bool shell; /* a `…` in it */
};

/* Adds the command's name. */
void em_sql_meta_words_name(struct em_sql_meta_words *slash, struct em_str *name);

enum em_sql_arg {
    EM_SQL_ARG_NONE, /* no more of them */
    EM_SQL_ARG_OK,
    EM_SQL_ARG_OPEN, /* an unclosed quote: the rest of the line is taken */
};
enum em_sql_arg em_sql_meta_words_arg(struct em_sql_meta_words *slash, struct em_str *out);

/* Drops the rest of the line. */
void em_sql_meta_words_drop(struct em_sql_meta_words *slash);
/* At a command's end: takes a \\. */
void em_sql_meta_words_end(struct em_sql_meta_words *slash);

#endif
