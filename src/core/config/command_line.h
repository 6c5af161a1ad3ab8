/* A command line of the configuration into words (em_command_line_split() of config.h is the plain
 * form).
 */
#ifndef EMBARK_CORE_CONFIG_COMMAND_LINE_H
#define EMBARK_CORE_CONFIG_COMMAND_LINE_H

#include "expand.h"

/* As em_command_line_split(), with ${…} expanded everywhere but in '…'. What it expands to stays in
 * the word in which it stands, whatever blanks and quotes it holds; a word that is nothing but an
 * unquoted ${…} and turns out empty is left out, as a shell would. Mistakes are added to e->errs:
 * an unclosed quote, those of expansion, and what only a shell would understand (an unquoted &&, |,
 * ;, >FILE, $(…) or `…`), since embark runs none. False if there were any; `words` is incomplete
 * then. */
bool em_command_line_expand(const struct em_expansion *e, const char *text, struct em_list *words);

#endif
