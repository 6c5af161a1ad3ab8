#include "embark/core/languages/manifest.h"

#include <stdlib.h>
#include <string.h>

static bool kind_of(const char *file, enum em_manifest_kind *kind)
{
    const char *name = em_base_name(file);

    if (strcmp(name, "package.json") == 0)
        *kind = EM_MANIFEST_PACKAGE;
    else if (strcmp(name, "package-lock.json") == 0 || strcmp(name, "npm-shrinkwrap.json") == 0)
        *kind = EM_MANIFEST_LOCK;
    else if (em_ends(name, ".toml"))
        *kind = EM_MANIFEST_PYPROJECT;
    else if (em_ends(name, ".txt") || em_ends(name, ".in"))
        *kind = EM_MANIFEST_REQUIREMENTS;
    else
        return false;
    return true;
}

static char *without_blanks(const char *text, size_t length)
{
    struct em_str out = EM_STR_INIT;

    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && text[i] != '\t')
            em_str_putc(&out, text[i]);
    return em_str_take(&out);
}

int em_manifest_read(const char *value, struct em_manifest *manifest, struct em_err *err)
{
    size_t length = strlen(value);
    const char *bracket = em_ends(value, "]") ? strrchr(value, '[') : NULL;

    *manifest = (struct em_manifest){.extras = em_strdup("")};
    if (bracket) {
        free(manifest->extras);
        manifest->extras =
            without_blanks(bracket + 1, (size_t)(value + length - 1 - (bracket + 1)));
        length = (size_t)(bracket - value);
    }
    while (length && strchr(" \t", value[length - 1]))
        length--;
    manifest->file = em_strndup(value, length);
    if (!kind_of(manifest->file, &manifest->kind)) {
        em_fail(err, EM_EXIT_CONFIG,
                "%s is not supported, only requirements.txt (or another .txt), pyproject.toml, "
                "package.json and package-lock.json are",
                manifest->file);
        return err->code;
    }
    if (bracket && manifest->kind != EM_MANIFEST_PYPROJECT)
        return em_fail(err, EM_EXIT_CONFIG, "%s has no extras, only a pyproject.toml has",
                       manifest->file);
    return 0;
}

void em_manifest_free(struct em_manifest *manifest)
{
    free(manifest->file);
    free(manifest->extras);
    *manifest = (struct em_manifest){0};
}

void em_manifest_names(const struct em_list *names, size_t limit, struct em_str *out)
{
    size_t shown = names->n > limit + 1 ? limit : names->n;

    for (size_t i = 0; i < shown; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", names->v[i]);
    if (shown < names->n)
        em_str_printf(out, " and %zu others", names->n - shown);
}
