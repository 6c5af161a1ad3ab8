/* A value of [require] module or import: "python: alembic>=1.14, psycopg2".
 *
 * Names are separated by commas; what begins with an operator goes on with the version of the name
 * before it, so that "alembic>=1.14,<2" is one. What a name and a version may be depends on the
 * language:
 *
 *     python   alembic, alembic.config               PEP 440: >=1.14,<2
 *     node     express, @scope/pkg, pkg/sub,
 *              ./dist/main.js, node:fs               semver: express@^4.18, express>=4 <6
 *     ruby     pg (a gem's name)                     Gem::Requirement: ~>7.1
 *     php      monolog/monolog, ext-pdo              Composer: ^3, >=3 <4
 *              (import: a class, or ext-pdo)
 *     java     org.postgresql.Driver                 none
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_MODULE_H
#define EMBARK_CORE_LANGUAGES_MODULE_H

#include "embark/core/base/err.h"

enum em_language {
    EM_LANGUAGE_UNKNOWN,
    EM_LANGUAGE_PYTHON,
    EM_LANGUAGE_NODE,
    EM_LANGUAGE_RUBY,
    EM_LANGUAGE_PHP,
    EM_LANGUAGE_JAVA,
};

/* Of "python", "python3.11", "/venv/bin/python", "node", "nodejs", "ruby3.1", "php8.2", "java"…: an
 * interpreter's name or path. */
enum em_language em_language_of(const char *word);

struct em_module {
    char *name;
    char *allowed; /* the versions, as the language writes them; "": any */
};

struct em_modules {
    char *word; /* in the language's place: "python", "/venv/bin/python" */
    enum em_language language;
    struct em_module *v;
    size_t n;
};

/* EM_EXIT_CONFIG: no colon, an unknown language, no name, a name or version that can't be one; a
 * version of what is only imported. The texts have no place. Release in any case:
 * em_modules_free(). */
int em_modules_read(const char *value, bool import, struct em_modules *modules, struct em_err *err);
void em_modules_free(struct em_modules *modules);

#endif
