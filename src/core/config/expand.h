/* ${NAME}, ${NAME:-default}, ${NAME:url}, ${file:/path}, ${file:/path:url} and $${ in a value
 * (config.h tells what they mean).
 *
 * A default and a path may hold further ${…}: ${A:-${B}}. A default that isn't needed isn't looked
 * at, but for its braces.
 */
#ifndef EMBARK_CORE_CONFIG_EXPAND_H
#define EMBARK_CORE_CONFIG_EXPAND_H

#include "embark/core/config/config.h"

/* Whom to ask, and where what is found goes. */
struct em_expansion {
    const struct em_config_source *world;
    struct em_secrets *secrets; /* what comes from files is added; may be NULL */
    struct em_errs *errs;
    struct em_errs *warnings; /* may be NULL */
    const char *place;        /* starts every message: "embark.ini:12"; may be NULL */
};

/* Adds the expanded `text` to `out`. False: there were mistakes, all of them added to errs, and
 * what was added to `out` is incomplete. A $NAME without braces is a warning if there is such a
 * variable. */
bool em_expand(const struct em_expansion *e, const char *text, struct em_str *out);

/* The same for what stands at *text and starts with "$"; *text is moved behind it. A $ that starts
 * nothing adds itself. */
bool em_expand_dollar(const struct em_expansion *e, const char **text, struct em_str *out);

/* "place: text" added to errs or warnings; the result takes a hint and is valid until the next
 * addition. */
struct em_err *em_expansion_error(const struct em_expansion *e, const char *format, ...)
    EM_PRINTF(2, 3);
/* NULL where warnings aren't wanted. */
struct em_err *em_expansion_warn(const struct em_expansion *e, const char *format, ...)
    EM_PRINTF(2, 3);

/* em_config_source_get() of config.h with a place for its messages. */
int em_expansion_get(const struct em_expansion *e, const char *name, struct em_str *out);

/* The end of a warning of a build: a build need not have the variable or the file. */
#define EM_EXPANSION_UNSEEN " here, so this value isn't looked at"

#endif
