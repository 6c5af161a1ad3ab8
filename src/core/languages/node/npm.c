#include "embark/core/languages/node/npm.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/node/semver.h"

enum { DEPTH_MAX = 64 };

static json_t *read_object(const char *json, size_t length, struct em_str *why)
{
    json_error_t error;
    json_t *root;

    if (length >= 3 && memcmp(json, "\xef\xbb\xbf", 3) == 0) {
        json += 3;
        length -= 3;
    }
    root = json_loadb(json ? json : "", length, JSON_ALLOW_NUL, &error);
    if (!root)
        em_str_printf(why, "is no JSON: line %d: %s", error.line, error.text);
    else if (!json_is_object(root))
        em_str_puts(why, "holds no JSON object");
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

static void add(struct em_npm_needs *needs, const char *name, const char *range, const char *path,
                bool link)
{
    needs->v = em_realloc(needs->v, needs->n + 1, sizeof(*needs->v));
    needs->v[needs->n++] = (struct em_npm_need){em_strdup(name), em_strdup(range),
                                                path ? em_strdup(path) : NULL, link};
}

void em_npm_needs_free(struct em_npm_needs *needs)
{
    for (size_t i = 0; i < needs->n; i++) {
        free(needs->v[i].name);
        free(needs->v[i].range);
        free(needs->v[i].path);
    }
    free(needs->v);
    *needs = (struct em_npm_needs){0};
}

bool em_npm_read_package(const char *json, size_t length, struct em_npm_needs *needs,
                         struct em_str *why)
{
    json_t *root = read_object(json, length, why), *range;
    const json_t *optional = json_object_get(root, "optionalDependencies");
    const char *name;

    *needs = (struct em_npm_needs){0};
    json_object_foreach(json_object_get(root, "dependencies"), name,
                        range) if (!json_object_get(optional, name))
        add(needs, name, json_is_string(range) ? json_string_value(range) : "?", NULL, false);
    json_decref(root);
    return why->len == 0;
}

/* ---- Lock files ------------------------------------------------------------------------------ */

static bool left_out(const json_t *entry)
{
    static const char *const marks[] = {"dev", "optional", "devOptional", "peer", "extraneous"};

    for (size_t i = 0; i < EM_COUNT(marks); i++)
        if (json_is_true(json_object_get(entry, marks[i])))
            return true;
    return false;
}

static const char *version_of(const json_t *entry)
{
    const char *version = json_string_value(json_object_get(entry, "version"));

    return version ? version : "";
}

/* "packages": a flat table of paths. */
static void read_packages(json_t *packages, struct em_npm_needs *needs)
{
    static const char modules[] = "node_modules/";
    const char *path;
    json_t *entry;

    json_object_foreach(packages, path, entry)
    {
        const char *name = NULL, *next = path;

        while ((next = strstr(next, modules))) {
            next += sizeof(modules) - 1;
            name = next;
        }
        if (name && *name && !left_out(entry))
            add(needs, name, version_of(entry), path, json_is_true(json_object_get(entry, "link")));
    }
}

/* "dependencies" of version 1: a tree. */
static void read_tree(json_t *tree, const char *base, int depth, struct em_npm_needs *needs)
{
    const char *name;
    json_t *entry;

    json_object_foreach(tree, name, entry)
    {
        EM_STR_AUTO path = EM_STR_INIT;
        const char *version = version_of(entry);

        em_str_printf(&path, "%snode_modules/%s", base, name);
        if (!left_out(entry))
            add(needs, name, version, em_str_c(&path), strchr(version, ':') != NULL);
        em_str_putc(&path, '/');
        if (depth < DEPTH_MAX)
            read_tree(json_object_get(entry, "dependencies"), em_str_c(&path), depth + 1, needs);
    }
}

bool em_npm_read_lock(const char *json, size_t length, struct em_npm_needs *needs,
                      struct em_str *why)
{
    json_t *root = read_object(json, length, why), *packages = json_object_get(root, "packages");

    *needs = (struct em_npm_needs){0};
    if (json_is_object(packages))
        read_packages(packages, needs);
    else
        read_tree(json_object_get(root, "dependencies"), "", 0, needs);
    json_decref(root);
    return why->len == 0;
}

/* ---- Names and scripts ----------------------------------------------------------------------- */

static bool take_text(const char *json, size_t length, const char *object, const char *key,
                      struct em_str *out)
{
    EM_STR_AUTO why = EM_STR_INIT;
    json_t *root = read_object(json, length, &why);
    const char *text =
        json_string_value(json_object_get(object ? json_object_get(root, object) : root, key));

    if (text)
        em_str_puts(out, text);
    json_decref(root);
    return text != NULL;
}

bool em_npm_depends(const char *json, size_t length, const char *package, bool dev)
{
    EM_STR_AUTO version = EM_STR_INIT;

    return take_text(json, length, "dependencies", package, &version) ||
           (dev && take_text(json, length, "devDependencies", package, &version));
}

bool em_npm_name(const char *json, size_t length, struct em_str *name)
{
    return take_text(json, length, NULL, "name", name);
}

bool em_npm_script(const char *json, size_t length, const char *script, struct em_str *text)
{
    return take_text(json, length, "scripts", script, text);
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

enum em_tristate em_npm_allows(const char *range, const char *version)
{
    const char *at;

    if (em_starts(range, "npm:")) {
        at = strrchr(range, '@');
        return at && at > range + 4 ? em_semver_allows(at + 1, version) : EM_UNKNOWN;
    }
    if (em_starts(range, "workspace:")) {
        range += 10;
        if (strcmp(range, "^") == 0 || strcmp(range, "~") == 0)
            return EM_YES;
    }
    /* Any, but a pre-release too: "*" is what is written for something of one's own. */
    if (*range == '\0' || strcmp(range, "*") == 0)
        return EM_YES;
    return em_semver_allows(range, version);
}
