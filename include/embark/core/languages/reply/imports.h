/* What an interpreter that was to import modules told, in "@embark KEY VALUE" lines
 * (core/languages/reply/reply.h has their form):
 *
 *     importing NAME      before it
 *     imported NAME       it worked
 *     import-error TEXT, import-type CLASS, import-name NAME (what is missing), import-at FILE:LINE
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_REPLY_IMPORTS_H
#define EMBARK_CORE_LANGUAGES_REPLY_IMPORTS_H

#include "embark/core/base/err.h"

struct em_import {
    char *name;
    bool done;
    char *error, *type, *lacks, *at; /* or NULL: it didn't come back */
};

struct em_imports {
    struct em_import *v;
    size_t n;
};

void em_imports_read(struct em_imports *imports, const char *bytes, size_t length);
void em_imports_free(struct em_imports *imports);
/* NULL: it was not tried. */
const struct em_import *em_imports_of(const struct em_imports *imports, const char *name);
/* The import in whose middle the answer stops; NULL: none. */
const struct em_import *em_imports_hanging(const struct em_imports *imports);

/* Whether it was imported; if not, err says why (EM_EXIT_REQUIREMENT): a missing shared library by
 * its name. `interpreter`: what was started; `ended`: how it ended ("was killed by SIGSEGV"), for
 * an import that didn't come back; `try`: the command of the hint, of what nothing better is known.
 * The text has no place. */
bool em_import_check(const struct em_imports *imports, const char *name, const char *interpreter,
                     const char *ended, const char *try, struct em_err *err);

#endif
