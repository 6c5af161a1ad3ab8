/* Reads the configuration of a file's bytes and of the environment; config.h has the syntax. */
#ifndef EMBARK_CORE_CONFIG_PARSE_H
#define EMBARK_CORE_CONFIG_PARSE_H

#include "embark/core/config/config.h"

/* Fills `config` (zeroed by the caller). `path` names the bytes in messages; bytes NULL: no file.
 * Every mistake of the file and the environment is added to `errs` (code EM_EXIT_CONFIG, text
 * starts with its place): the file's in the order of its lines, then the environment's. After the
 * first EM_CONFIG_MISTAKES one more says that there are others: the wrong kind of file has one a
 * line. Warnings go to `warnings`. What came from ${file:…} or a _FILE variable is added to
 * `secrets`, but for [image], which is there to be shown. No message shows what a SECRET key holds
 * or what an expansion came to. True if there was no error; `config` must be freed in any case. */
bool em_config_parse(struct em_config *config, const char *path, const char *bytes, size_t length,
                     const struct em_config_source *world, struct em_secrets *secrets,
                     struct em_errs *errs, struct em_errs *warnings);
void em_config_free(struct em_config *config); /* SECRET values are zeroed */

/* Takes what a build lacks, the deployment's variables and secrets, out of `warnings` and adds one
 * line of all of it. False: there was nothing. */
bool em_config_unseen(struct em_errs *warnings, struct em_str *line);

#endif
