/* What src/stages/require/python/probe.py and why.py tell, and the sentences that are made of it.
 *
 * It is lines of core/languages/reply/reply.h, of which the last one is "@embark end ".
 *
 * Once:
 *     version 3.11.2
 *     executable /usr/bin/python3
 *     suffix .abi3.so                 how an extension module's name may end, several
 *     path DIR, gone DIR, path-end    sys.path without the standard library; gone: doesn't exist
 * For each name:
 *     found NAME, origin FILE
 *     missing NAME                    what follows belongs to it:
 *     part PREFIX                     the shortest part that wasn't found: alembic.config
 *     folder DIR                      what stands in its place, or in its parent's: a folder
 *                                     without __init__.py (a namespace package)
 *     library DIR                     the same inside site-packages: a real namespace package,
 *                                     which lacks the rest
 *     file FILE, package FILE         … a module that isn't a package, or one without the rest
 *     hollow                          the whole name was found, but is only such a folder
 *     hidden FILE                     where it is in a later folder of sys.path
 *     env DIR, env-version V,         the virtual environment was made by another minor version,
 *     env-python FILE                 and FILE is its interpreter now
 *     editable NAME, source DIR,      an editable install (NAME may be "") whose code is to be in
 *     source-by FILE, source-there    DIR, as FILE says; there: it is, without the module
 *     metadata DIR                    its .dist-info, although its files are gone
 *     distribution NAME, brings M, M  an installed distribution of that name brings these instead
 *     built FILE                      an extension module for another Python, libc or machine
 *     near NAME                       a name like it that exists
 *     other DIR, other-version X.Y    where else it is, up to three; made for that version, and
 *     other-python FILE               the interpreter that looks there, or
 *     other-link FILE, other-real X.Y the one of that place, which is another version, or
 *     other-link FILE, other-gone F   … a link that ends at F, which doesn't exist
 *     error TEXT, doubt TEXT          a finder failed; the search for reasons failed
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_PYTHON_LOOKUP_H
#define EMBARK_CORE_LANGUAGES_PYTHON_LOOKUP_H

#include "embark/core/base/err.h"

/* Another folder in which a module is; fields that the answer does not have are NULL. */
struct em_python_other {
    char *folder, *version, *python, *link, *real, *gone;
};

struct em_python_name {
    char *name;
    bool found, hollow, source_there;
    char *origin; /* where, if found; may be NULL */
    char *part, *file, *package, *hidden, *metadata, *distribution, *brings, *built, *near, *error,
        *doubt, *env, *env_version, *env_python, *editable, *source, *source_by; /* or NULL */
    struct em_list folders, libraries;
    struct em_python_other *others;
    size_t other_count;
};

struct em_python_lookup {
    char *version, *executable; /* or NULL */
    bool complete;              /* the end was there */
    struct em_list path, gone, suffixes;
    struct em_python_name *names;
    size_t count;
};

/* Fills `answer`, which em_python_lookup_free() releases. */
void em_python_lookup_read(struct em_python_lookup *answer, const char *bytes, size_t length);
void em_python_lookup_free(struct em_python_lookup *answer);
/* The answer about `name`, or NULL. */
const struct em_python_name *em_python_lookup_of(const struct em_python_lookup *answer,
                                                 const char *name);

/* "module alembic.config: not found by /usr/bin/python3 (Python 3.11.2): …" with a hint,
 * EM_EXIT_REQUIREMENT. `python` is the interpreter as it was started; `unlisted`
 * names the manifests that were to have a requirement of that name and have none; NULL. */
int em_python_lookup_explain(const struct em_python_lookup *answer,
                             const struct em_python_name *name, const char *python,
                             const char *unlisted, struct em_err *err);

#endif
