/* Words as a POSIX shell would read them again: em_command_line_split() of core/config/config.h
 * gives them back.
 *
 * Pure.
 */
#ifndef EMBARK_CORE_BASE_SHELL_QUOTE_H
#define EMBARK_CORE_BASE_SHELL_QUOTE_H

#include "embark/core/base/str.h"

/* Adds the words to `out`, a blank between them, quoted where they have to be. */
void em_shell_quote_words(const struct em_list *words, struct em_str *out);
void em_shell_quote_word(const char *word, struct em_str *out); /* one of them */

#endif
