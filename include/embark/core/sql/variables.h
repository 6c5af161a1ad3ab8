/* psql's variables (manual, psql: Variables, SQL Interpolation).
 *
 * A name is made of letters, digits, _ and bytes from 128 on, and its case matters. In SQL, outside
 * of quotes and comments,
 *
 *     :name      the value as it is, lexed again: it may hold further variables
 *     :'name'    as a literal
 *     :"name"    as an identifier
 *     :{?name}   TRUE or FALSE: whether it is set
 */
#ifndef EMBARK_CORE_SQL_VARIABLES_H
#define EMBARK_CORE_SQL_VARIABLES_H

#include "embark/core/base/str.h"

struct em_sql_var {
    char *name, *value;
    bool changed;  /* since the caller last cleared it */
    bool undoable; /* the caller's */
};

/* Zero it to start. */
struct em_sql_vars {
    struct em_sql_var *v;
    size_t n;
};

void em_sql_vars_free(struct em_sql_vars *vars); /* values are zeroed */

bool em_sql_vars_set(struct em_sql_vars *vars, const char *name,
                     const char *value); /* false: no name */
void em_sql_vars_unset(struct em_sql_vars *vars, const char *name);
const char *em_sql_vars_get(const struct em_sql_vars *vars, const char *name); /* NULL: not set */
const char *em_sql_vars_find(const struct em_sql_vars *vars, const char *name, size_t length);

bool em_sql_vars_name(const char *name); /* whether a variable can be called so */

/* Whether psql and embark set `name` themselves: DBNAME, ROW_COUNT, SQLSTATE… */
bool em_sql_vars_builtin(const char *name);

/* Whether a name sounds as if the value must not be shown: it holds pass, pwd, secret, token,
 * credential, apikey, api_key or private_key, in any case. */
bool em_sql_vars_secret(const char *name);

/* Whether embark.NAME is a name that set_config() and current_setting() take (guc.c,
 * valid_custom_variable_name: a letter, _ or a byte >= 128 first). */
bool em_sql_vars_setting(const char *name);

/* As PQescapeLiteral (with a backslash in it:  E'…', with a blank in front) and PQescapeIdentifier.
 * The client encoding must be one in which no byte below 128 is part of another character. */
void em_sql_quote_literal(struct em_str *out, const char *value);
void em_sql_quote_ident(struct em_str *out, const char *value);

/* A boolean of \if and of psql's own variables: true, false, yes, no, on, off, their beginnings, 1,
 * 0 (variables.c, ParseVariableBool). False: it is none. */
bool em_sql_bool(const char *text, bool *value);

#endif
