/* A value of [require] manifest: a file, and for pyproject.toml the extras that are wanted too.
 *
 *     requirements.txt   deploy/requirements-prod.txt   pyproject.toml
 *     pyproject.toml[postgres,tracing]   package.json   package-lock.json   npm-shrinkwrap.json
 *
 * Pure.
 */
#ifndef EMBARK_CORE_LANGUAGES_MANIFEST_H
#define EMBARK_CORE_LANGUAGES_MANIFEST_H

#include "embark/core/base/err.h"

enum em_manifest_kind {
    EM_MANIFEST_REQUIREMENTS, /* *.txt, *.in */
    EM_MANIFEST_PYPROJECT,    /* *.toml */
    EM_MANIFEST_PACKAGE,      /* package.json */
    EM_MANIFEST_LOCK,         /* package-lock.json, npm-shrinkwrap.json */
};

struct em_manifest {
    enum em_manifest_kind kind;
    char *file;
    char *extras; /* "postgres,tracing"; "" */
};

/* EM_EXIT_CONFIG: another kind of file. Release in any case: em_manifest_free(). */
int em_manifest_read(const char *value, struct em_manifest *manifest, struct em_err *err);
void em_manifest_free(struct em_manifest *manifest);

/* "a, b, c" of a list, at most `limit` of them, then "and N others". */
void em_manifest_names(const struct em_list *names, size_t limit, struct em_str *out);

#endif
