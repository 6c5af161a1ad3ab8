/* libpq's parameter `options`: command-line options for the server's process, as it reads them
 * (pg_split_opts() and process_postgres_switches() of PostgreSQL).
 *
 *     -c search_path=app -csearch_path=app --search_path=app --search-path=app
 *
 * Words are separated by white space; a backslash takes away the meaning of what follows it. A
 * setting's name is read without regard to case, - stands for _; of several values the last one
 * counts.
 */
#ifndef EMBARK_CORE_POSTGRES_OPTIONS_H
#define EMBARK_CORE_POSTGRES_OPTIONS_H

#include "embark/core/base/str.h"

/* The value that `options` (NULL: none) gives to the setting `name`. False: none, `value` (NULL
 * allowed) is as it was; else it is replaced. */
bool em_pg_options_get(const char *options, const char *name, struct em_str *value);

/* Whether a server would read all of it as options, so that others may be put behind. Not so are
 * words that start with no - (a proxy's own, as Neon's endpoint=NAME and Supavisor's
 * reference=NAME), an option without its value, and what stands behind --. */
bool em_pg_options_plain(const char *options);

/* `options`, if any, and behind it `-c name=value`. */
void em_pg_options_add(struct em_str *options, const char *name, const char *value);

#endif
