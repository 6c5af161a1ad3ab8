/* Inside of core: the linter's part that knows which statements keep a service waiting
 * (embark/core/sql/lint/blocking.h). */
#ifndef EMBARK_CORE_SQL_LINT_BLOCKING_RULES_H
#define EMBARK_CORE_SQL_LINT_BLOCKING_RULES_H

#include "embark/core/sql/lint/blocking.h"
#include "lint_meta.h"

/* A token of the file, blanks and comments included; its statement has ended. Nothing where nobody
 * wants to know (lint->blocking is NULL). */
void em_sql_blocking_token(struct em_sql_walk *walk, const struct em_sql_token *token,
                           size_t offset);
void em_sql_blocking_end(struct em_sql_walk *walk);

/* ---- What the parts share ---- */

/* What a statement does: an entry of the table in blocking.c. */
enum em_sql_rule {
    EM_RULE_VOLATILE,
    EM_RULE_FUNCTION,
    EM_RULE_SERIAL,
    EM_RULE_STORED,
    EM_RULE_TYPE,
    EM_RULE_NOT_NULL,
    EM_RULE_FOREIGN,
    EM_RULE_CHECK,
    EM_RULE_VALIDATE,
    EM_RULE_UNIQUE,
    EM_RULE_EXCLUDE,
    EM_RULE_LOGGED,
    EM_RULE_METHOD,
    EM_RULE_TABLESPACE,
    EM_RULE_INDEX,
    EM_RULE_REINDEX,
    EM_RULE_CLUSTER,
    EM_RULE_FULL,
    EM_RULE_REFRESH,
};

/* A statement that is judged. */
struct em_sql_judged {
    struct em_sql_walk *walk;
    struct em_sql_blocking *past;
    const char *name; /* whose table, for messages */
};
/* What is said of it, at `at`. */
void em_sql_blocks(const struct em_sql_judged *j, const struct em_sql_token *at,
                   enum em_sql_rule rule);
/* Whether a relation is among those that the files make: schemas count where both have one. */
bool em_sql_is_made(const struct em_list *made, const char *name);

/* Behind the words ALTER TABLE. */
void em_sql_blocking_alter(struct em_sql_judged *j, struct em_sql_reader r);
/* What ADD COLUMN's default does to a table; `r` begins behind the word. False: nothing is known
 * against it. */
bool em_sql_default_blocks(struct em_sql_reader r, enum em_sql_rule *rule);

#endif
