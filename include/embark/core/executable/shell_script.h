/* The simple commands of a shell's text, for look-ups of which program runs in which folder. It is
 * no shell: nothing is expanded ($NAME stays as it stands), quotes go, redirections and comments
 * are left out, lists, pipelines and groups are taken apart, and the words of if, while and the
 * like in front of a command are dropped.
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_EXECUTABLE_SHELL_SCRIPT_H
#define EMBARK_CORE_EXECUTABLE_SHELL_SCRIPT_H

#include "embark/core/base/str.h"

/* Adds the words of the next command, at least one, to an empty list, and moves *text behind it.
 * False: there is none, or a quote isn't closed. */
bool em_shell_next(const char **text, struct em_list *words);

/* NAME of NAME=VALUE: its length; 0: the word is no assignment. */
size_t em_shell_assigns(const char *word);

#endif
