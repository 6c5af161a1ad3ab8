/* What is read off a project's files, as text: for em_infer() (stages/require/infer.h). Pure. */
#ifndef EMBARK_CORE_CONFIG_INFER_H
#define EMBARK_CORE_CONFIG_INFER_H

#include "embark/core/base/str.h"

/* script_location of an alembic.ini, relative to it where it can be; false: it has none that is a
 * path ("package:folder", "%(name)s/x"). */
bool em_infer_script_location(const char *ini, struct em_str *out);

/* The gems of a Gemfile that are there in production: not those of the groups development and test,
 * nor those that have their own (require: false is fine). Their names only. */
void em_infer_gems(const char *gemfile, struct em_list *out);

/* Adds "KEY = WORD WORD…", the words quoted for the configuration (WORDS of core/config/keys.h) and
 * over several lines where one would be too long. False, with nothing added: there is a word that
 * no configuration can hold (one with " ;" or a control character). */
bool em_infer_words(const char *key, const struct em_list *words, struct em_str *out);

#endif
