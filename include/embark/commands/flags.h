/* A command's own options: the words in front of its others that start with a dash. `--` ends them.
 */
#ifndef EMBARK_COMMANDS_FLAGS_H
#define EMBARK_COMMANDS_FLAGS_H

#include "embark/commands/commands.h"

struct em_flag {
    const char *name;    /* "--dry-run", "-v" */
    bool *set;           /* an option without a value; NULL otherwise */
    const char **value;  /* an option with a value, "--resolve FILE" or "--resolve=FILE": the last
                            one; NULL otherwise */
    struct em_list *all; /* an option that may be repeated; NULL otherwise */
};

/* Reads the options off `argv` and returns the first other word's place in *rest. EM_EXIT_USAGE: an
 * unknown option, or a value that is missing. */
int em_flags(char *const *argv, const struct em_flag *flags, size_t count, char *const **rest,
             struct em_err *err);

/* The command takes no further words: EM_EXIT_USAGE when there are some. */
int em_no_words(const char *command, char *const *rest, struct em_err *err);

/* The service's command: the call's words, else [service] command, else NULL. `list` is a view of
 * the same words, and owns nothing. */
int em_service_words(const struct em_call *call, char *const **argv, struct em_list *list,
                     struct em_err *err);

#endif
