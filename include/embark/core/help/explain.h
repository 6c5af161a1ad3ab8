/* What can be looked up about a failure: `embark help 77`, `embark help 28P01`, `embark help
 * stale-image`.
 *
 * Every error of embark's ends in an exit code, and those of PostgreSQL have an SQLSTATE: both are
 * explained here, with what to do. What embark itself makes of an SQLSTATE is asked of
 * core/postgres/sqlstate.h, and what an exit code means of core/base/err.h.
 */
#ifndef EMBARK_CORE_HELP_EXPLAIN_H
#define EMBARK_CORE_HELP_EXPLAIN_H

#include "embark/core/base/str.h"

/* What an exit code of embark's says: "a requirement is missing from the image"; NULL: none has it.
 */
const char *em_exit_text(int code);

/* Adds what there is to say about an exit code ("77", "137"), an SQLSTATE ("28P01") or one of the
 * failures of em_explain_topics(), wrapped for a terminal. False: it is none of these. */
bool em_explain(const char *topic, struct em_str *out);
/* The i'th failure's name and title. False: there are no more. */
bool em_explain_topic(size_t i, const char **name, const char **title);

#endif
