/* Environments for children. */
#ifndef EMBARK_OS_PROCESS_CHILD_ENV_H
#define EMBARK_OS_PROCESS_CHILD_ENV_H

#include "embark/core/base/str.h"

void em_env_copy(struct em_list *env); /* all of embark's own, as NAME=VALUE */
/* Sets NAME, in place if it's there. NAME_FILE goes away: with both, a child that follows the same
 * convention would refuse or take the wrong one. */
void em_env_set(struct em_list *env, const char *name, const char *value);
/* NAME, if it is there, is called `as` from here on. */
void em_env_rename(struct em_list *env, const char *name, const char *as);

int em_open_null(void); /* /dev/null for a child's stdin; where there is none, the end of a pipe
                           that nobody writes to. -1: neither */

#endif
