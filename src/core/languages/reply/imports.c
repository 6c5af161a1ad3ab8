#include "embark/core/languages/reply/imports.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/reply/missing_library.h"
#include "embark/core/languages/reply/reply.h"

static void keep(char **field, const char *value)
{
    free(*field);
    *field = em_strdup(value);
}

static void start(struct em_imports *imports, const char *name)
{
    imports->v = em_realloc(imports->v, imports->n + 1, sizeof(*imports->v));
    imports->v[imports->n++] = (struct em_import){.name = em_strdup(name)};
}

static void take(struct em_import *import, const char *key, const char *value)
{
    if (strcmp(key, "imported") == 0)
        import->done = true;
    else if (strcmp(key, "import-error") == 0)
        keep(&import->error, value);
    else if (strcmp(key, "import-type") == 0)
        keep(&import->type, value);
    else if (strcmp(key, "import-name") == 0)
        keep(&import->lacks, value);
    else if (strcmp(key, "import-at") == 0)
        keep(&import->at, value);
}

void em_imports_read(struct em_imports *imports, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    char *key, *value;

    *imports = (struct em_imports){0};
    while (em_reply_next(&bytes, end, &key, &value)) {
        if (strcmp(key, "importing") == 0)
            start(imports, value);
        else if (imports->n)
            take(&imports->v[imports->n - 1], key, value);
        free(key);
        free(value);
    }
}

void em_imports_free(struct em_imports *imports)
{
    for (size_t i = 0; i < imports->n; i++) {
        free(imports->v[i].name);
        free(imports->v[i].error);
        free(imports->v[i].type);
        free(imports->v[i].lacks);
        free(imports->v[i].at);
    }
    free(imports->v);
    *imports = (struct em_imports){0};
}

const struct em_import *em_imports_of(const struct em_imports *imports, const char *name)
{
    for (size_t i = 0; i < imports->n; i++)
        if (strcmp(imports->v[i].name, name) == 0)
            return &imports->v[i];
    return NULL;
}

const struct em_import *em_imports_hanging(const struct em_imports *imports)
{
    const struct em_import *last = imports->n ? &imports->v[imports->n - 1] : NULL;

    return last && !last->done && !last->error ? last : NULL;
}

static void say_error(const struct em_import *import, const char *interpreter, const char *try,
                      struct em_err *err)
{
    EM_STR_AUTO what = EM_STR_INIT;
    EM_STR_AUTO hint = EM_STR_INIT;
    const char *lacks = import->lacks ? import->lacks : "";

    if (em_missing_library_explain(import->error, &what, &hint))
        em_str_puts(&what, ": ");
    em_fail(err, EM_EXIT_REQUIREMENT, "import %s: fails in %s: %s%s: %s%s%s", import->name,
            interpreter, em_str_c(&what), import->type ? import->type : "Error", import->error,
            import->at && *import->at ? ", at " : "", import->at ? import->at : "");
    if (hint.len)
        em_hint(err, "%s", em_str_c(&hint));
    else if (*lacks && strcmp(lacks, import->name) != 0)
        em_hint(err, "it needs %s, which is not found: [require] module says why", lacks);
    else
        em_hint(err, "try %s", try);
}

bool em_import_check(const struct em_imports *imports, const char *name, const char *interpreter,
                     const char *ended, const char *try, struct em_err *err)
{
    const struct em_import *import = em_imports_of(imports, name);

    if (import && import->done)
        return true;
    if (!import) {
        em_fail(err, EM_EXIT_REQUIREMENT, "import %s: not tried, as %s %s before it", name,
                interpreter, ended);
    } else if (!import->error) {
        em_fail(err, EM_EXIT_REQUIREMENT, "import %s: %s %s while importing it", name, interpreter,
                ended);
        em_hint(err, "try %s", try);
    } else {
        say_error(import, interpreter, try, err);
    }
    return false;
}
