#include "embark/core/languages/node/package_json.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

static void text_of(const json_t *root, const char *key, struct em_str *out)
{
    const char *text = json_string_value(json_object_get(root, key));

    if (text)
        em_str_puts(out, text);
}

void em_node_package_json_read(struct em_node_package_json *p, const char *bytes, size_t length)
{
    const json_t *exports;
    json_t *root;

    *p = (struct em_node_package_json){0};
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    root = json_loadb(bytes ? bytes : "", length, JSON_ALLOW_NUL, NULL);
    p->root = root;
    p->broken = !json_is_object(root);
    text_of(root, "name", &p->name);
    text_of(root, "version", &p->version);
    text_of(root, "main", &p->main);
    exports = json_object_get(root, "exports");
    p->has_exports = exports && !json_is_null(exports);
}

void em_node_package_json_free(struct em_node_package_json *p)
{
    em_str_free(&p->name);
    em_str_free(&p->version);
    em_str_free(&p->main);
    json_decref(p->root);
    *p = (struct em_node_package_json){0};
}

/* ---- exports --------------------------------------------------------------------------------- */

static bool condition(const char *key, const char *mode)
{
    static const char *const always[] = {"default", "node", "node-addons", "module-sync"};

    for (size_t i = 0; i < EM_COUNT(always); i++)
        if (strcmp(key, always[i]) == 0)
            return true;
    return strcmp(key, mode) == 0;
}

/* The first target that applies; `star` is what a pattern's * stands for. 1: found; 0: none; -1:
 * null, which forbids. */
static int target(const json_t *value, const char *mode, const char *star, int depth,
                  struct em_str *out)
{
    const char *key, *text = json_string_value(value);
    size_t i;
    json_t *inner;

    if (text) {
        for (; *text; text++) {
            if (*text == '*' && star)
                em_str_puts(out, star);
            else
                em_str_putc(out, *text);
        }
        return 1;
    }
    if (json_is_null(value))
        return -1;
    if (depth == DEPTH_MAX)
        return 0;
    if (json_is_object(value)) {
        /* jansson keeps the order of the file, as the rule wants it; it doesn't take const. */
        json_object_foreach((json_t *)(uintptr_t)value, key, inner)
        {
            int result = condition(key, mode) ? target(inner, mode, star, depth + 1, out) : 0;

            if (result)
                return result;
        }
    }
    json_array_foreach(value, i, inner)
    {
        int result = target(inner, mode, star, depth + 1, out);

        if (result > 0)
            return result;
    }
    return 0;
}

/* Whether "exports" is a table of subpaths rather than one target, or conditions for ".". */
static bool has_subpaths(const json_t *exports)
{
    const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)exports));

    return json_is_object(exports) && key && key[0] == '.';
}

/* A key with a star, or one that ends in a slash (a folder): the longest one that fits. */
static const json_t *pattern(const json_t *exports, const char *subpath, struct em_str *star)
{
    const json_t *best = NULL;
    size_t best_length = 0, length = strlen(subpath);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)exports, key, value)
    {
        const char *at = strchr(key, '*');
        size_t head = at ? (size_t)(at - key) : strlen(key), tail = at ? strlen(at + 1) : 0;

        if ((!at && !em_ends(key, "/")) || length < head + tail + (at != NULL) ||
            head <= best_length || strncmp(subpath, key, head) != 0 ||
            (at && !em_ends(subpath, at + 1)))
            continue;
        best = value;
        best_length = head;
        em_str_cut(star, 0);
        em_str_add(star, subpath + head, length - head - tail);
    }
    return best;
}

static void for_mode(const json_t *exports, const char *subpath, const char *mode,
                     struct em_list *targets)
{
    EM_STR_AUTO star = EM_STR_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    const json_t *value = NULL;
    bool starred = false;

    if (!has_subpaths(exports)) {
        value = strcmp(subpath, ".") == 0 ? exports : NULL;
    } else {
        value = json_object_get(exports, subpath);
        if (!value || strchr(subpath, '*')) {
            value = pattern(exports, subpath, &star);
            starred = value != NULL;
        }
    }
    if (!value || target(value, mode, starred ? em_str_c(&star) : NULL, 0, &out) <= 0)
        return;
    if (starred && em_ends(em_str_c(&out), "/")) /* a folder's mapping, which old packages have */
        em_str_puts(&out, em_str_c(&star));
    if (!em_list_has(targets, em_str_c(&out)))
        em_list_add(targets, em_str_c(&out));
}

void em_node_exports(const struct em_node_package_json *p, const char *subpath,
                     struct em_list *targets)
{
    const json_t *exports = json_object_get(p->root, "exports");

    for_mode(exports, subpath, "require", targets);
    for_mode(exports, subpath, "import", targets);
}
