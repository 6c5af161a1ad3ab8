/* Colons that are SQL's own, where psql would see a variable.
 *
 * psql takes anything that looks like :name for a variable and leaves it as it stands if there is
 * no such variable; embark refuses a variable that isn't set, since a script that is sent with
 * ":name" in it can only fail, or worse, not fail. So it has to know the places where SQL has
 * colons itself:
 *
 *     a[1:2]  a[lo:hi]          slices (manual, 8.15.3): a name of digits only; in a subscript,
 * behind something. ARRAY[:a, :b] is no subscript. json_object('a':b, c:d)   (manual, 9.16.1,
 * PostgreSQL 16): behind something in its parentheses 'a':'b'                   a colon that
 * touches a string before it
 */
#ifndef EMBARK_CORE_SQL_COLONS_H
#define EMBARK_CORE_SQL_COLONS_H

#include "embark/core/sql/lexer.h"

enum { EM_SQL_COLON_DEPTH = 64 }; /* brackets deeper than that aren't told apart */

/* Zero it to start. */
struct em_sql_colons {
    struct em_sql_bracket {
        bool colons; /* a subscript, or json_object's parentheses */
        bool fresh;  /* nothing since the bracket or the last comma */
    } v[EM_SQL_COLON_DEPTH];
    size_t depth;
    const char *end;  /* of the token before */
    bool string;      /* … is a string */
    bool question;    /* … ends in a question mark */
    bool value;       /* the last one that isn't white space ends an expression */
    bool array, json; /* … is ARRAY, json_object or json_objectagg */
};

/* Every token, in order. */
void em_sql_colons_feed(struct em_sql_colons *colons, const struct em_sql_token *token);

/* Whether the variable token that comes next can be none: to be asked before it is fed. */
bool em_sql_colons_own(const struct em_sql_colons *colons, const struct em_sql_token *token);

#endif
