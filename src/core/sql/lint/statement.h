/* One statement's tokens, without blanks and comments, read from the left. */
#ifndef EMBARK_CORE_SQL_LINT_STATEMENT_H
#define EMBARK_CORE_SQL_LINT_STATEMENT_H

#include "embark/core/sql/lexer.h"

/* The tokens point into the file. Zero it to start; free v. */
struct em_sql_statement {
    struct em_sql_token *v;
    size_t n, cap;
};
void em_sql_statement_add(struct em_sql_statement *s, const struct em_sql_token *token);

struct em_sql_reader {
    const struct em_sql_token *at, *end;
};

/* Whether these words, with one blank between, come next; eat: goes behind them. */
bool em_sql_see(const struct em_sql_reader *r, const char *words);
bool em_sql_eat(struct em_sql_reader *r, const char *words);
bool em_sql_eat_sign(struct em_sql_reader *r, char sign);
/* A name, as the server folds it: "schema.table". A dot within quotes is another byte in `name`,
 * which is replaced. False: there is none, and nothing is eaten. */
bool em_sql_eat_name(struct em_sql_reader *r, struct em_str *name);
/* ( … ), if it comes next: `inside` (NULL allowed) is what stands in it. */
bool em_sql_eat_group(struct em_sql_reader *r, struct em_sql_reader *inside);
/* What stands before the next comma that isn't in parentheses; goes behind that comma. */
struct em_sql_reader em_sql_eat_item(struct em_sql_reader *r);
/* Goes to the first place, not in parentheses, where these words stand, and behind them. False:
 * there is none, and it stays where it is. */
bool em_sql_seek(struct em_sql_reader *r, const char *words);

#endif
