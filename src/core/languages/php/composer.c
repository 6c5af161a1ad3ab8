#include "embark/core/languages/php/composer.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* ---- Versions -------------------------------------------------------------------------------- */

/* 1.2.3.4-beta5: a stability ranks below none (and a patch above). */
struct version {
    uint64_t n[4];
    size_t parts;
    int rank; /* dev -4, alpha -3, beta -2, RC -1, stable 0, patch 1 */
    uint64_t number;
};

static const char *blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static uint64_t number(const char **p)
{
    uint64_t n = 0;

    for (; em_is_digit(**p); (*p)++)
        n = n > UINT64_MAX / 16 ? n : n * 10 + (uint64_t)(**p - '0');
    return n;
}

static bool read_stability(const char **p, struct version *v)
{
    static const struct {
        const char *word;
        int rank;
    } words[] = {{"dev", -4}, {"alpha", -3}, {"a", -3},    {"beta", -2}, {"b", -2},
                 {"rc", -1},  {"stable", 0}, {"patch", 1}, {"pl", 1},    {"p", 1}};
    const char *at = *p + strspn(*p, "-._");

    for (size_t i = 0; i < EM_COUNT(words); i++) {
        size_t n = strlen(words[i].word);

        if (strncasecmp(at, words[i].word, n) != 0)
            continue;
        at += n;
        at += (*at == '.' || *at == '-') && em_is_digit(at[1]);
        v->rank = words[i].rank;
        v->number = number(&at);
        *p = at;
        return true;
    }
    return **p != '-';
}

static bool read_version(const char **p, struct version *v)
{
    *v = (struct version){0};
    *p += **p == 'v' || **p == 'V';
    do {
        if (!em_is_digit(**p) || v->parts == 4)
            return false;
        v->n[v->parts++] = number(p);
    } while (**p == '.' && em_is_digit((*p)[1]) && (*p)++);
    if (**p == '.' && ((*p)[1] == '*' || (*p)[1] == 'x'))
        return true;
    if (!read_stability(p, v))
        return false;
    if (**p == '+')
        *p += strcspn(*p, " ,|");
    if (**p == '@')
        *p += 1 + strspn(*p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return true;
}

static int compare(const struct version *a, const struct version *b)
{
    for (size_t i = 0; i < 4; i++)
        if (a->n[i] != b->n[i])
            return a->n[i] < b->n[i] ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

/* The next one of part i, and below it: without its dev versions. */
static bool below_next(const struct version *v, const struct version *base, size_t i)
{
    struct version next = {.rank = -4};

    memcpy(next.n, base->n, (i + 1) * sizeof(next.n[0]));
    next.n[i]++;
    return compare(v, &next) < 0;
}

static bool caret(const struct version *v, const struct version *base)
{
    size_t i = 0;

    while (i + 1 < base->parts && i < 2 && base->n[i] == 0)
        i++;
    return compare(v, base) >= 0 && below_next(v, base, i);
}

static bool tilde(const struct version *v, const struct version *base)
{
    return compare(v, base) >= 0 && below_next(v, base, base->parts > 1 ? base->parts - 2 : 0);
}

static bool wildcard(const struct version *v, struct version *base)
{
    base->rank = -4;
    return compare(v, base) >= 0 && below_next(v, base, base->parts - 1);
}

static bool plain(const struct version *v, const struct version *base, const char *op)
{
    int result = compare(v, base);

    if (op[0] == '!' || strcmp(op, "<>") == 0)
        return result != 0;
    if (op[0] == '<' || op[0] == '>')
        return (result == 0 && op[1] == '=') || (op[0] == '<' ? result < 0 : result > 0);
    return result == 0;
}

/* 1, 0, -1: malformed. `op` is "" for a bare version, which may be the start of "1.0 - 2.0". */
static int with_version(const char **p, const char *op, const struct version *v)
{
    struct version base, to;
    const char *dash;

    if (!read_version(p, &base))
        return -1;
    if ((*p)[0] == '.' && ((*p)[1] == '*' || (*p)[1] == 'x')) {
        *p += 2;
        return *op && strcmp(op, "=") != 0 && strcmp(op, "==") != 0 ? -1 : wildcard(v, &base);
    }
    dash = blanks(*p);
    if (!*op && dash > *p && dash[0] == '-' && dash[1] == ' ') {
        *p = blanks(dash + 1);
        if (!read_version(p, &to))
            return -1;
        return compare(v, &base) >= 0 &&
               (to.parts < 3 ? below_next(v, &to, to.parts - 1) : compare(v, &to) <= 0);
    }
    if (*op == '^')
        return caret(v, &base);
    return *op == '~' ? tilde(v, &base) : plain(v, &base, op);
}

static int one(const char **p, const struct version *v)
{
    char op[3] = "";
    size_t n = strspn(*p, "<>=!~^");

    if (n > 2 || (n && !strstr(" < <= > >= = == != <> ~ ^ ", memcpy(op, *p, n))))
        return -1;
    *p = blanks(*p + n);
    if ((**p == '*' || **p == 'x') && n == 0) {
        *p += 1;
        return 1;
    }
    return with_version(p, op, v);
}

static int in_range(const char *p, const struct version *v)
{
    bool any = false, all = true, empty = true;

    for (p = blanks(p);; p = blanks(p)) {
        int result;

        if (*p == '\0' || *p == '|') {
            any = any || (all && !empty);
            if (empty)
                return -1;
            if (*p == '\0')
                return any;
            p += p[1] == '|' ? 2 : 1;
            all = empty = true;
            continue;
        }
        result = one(&p, v);
        if (result < 0 || (*p && !strchr(" ,|\t", *p)))
            return -1;
        p = blanks(p);
        p += *p == ',';
        all = all && result;
        empty = false;
    }
}

bool em_composer_is_range(const char *range)
{
    struct version any = {0};

    return in_range(range, &any) >= 0;
}

enum em_tristate em_composer_allows(const char *range, const char *version)
{
    const char *p = blanks(version);
    struct version v;
    int result;

    if (!read_version(&p, &v) || *blanks(p) || v.rank == -4)
        return EM_UNKNOWN;
    result = in_range(range, &v);
    return result < 0 ? EM_UNKNOWN : result ? EM_YES : EM_NO;
}

/* ---- installed.json -------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* What replaces or provides a name: its version is the package's own ("self.version") or what it
 * says. */
static bool stands_for(const json_t *package, const char *key, const char *name,
                       struct em_str *version)
{
    const char *says = json_string_value(json_object_get(json_object_get(package, key), name));

    if (!says)
        return false;
    em_str_puts(version, strcmp(says, "self.version") == 0 ? text_of(package, "version") : says);
    return true;
}

static bool in_packages(const json_t *packages, const char *name, struct em_str *version,
                        struct em_str *path)
{
    size_t i;
    json_t *package;

    json_array_foreach(packages, i, package)
    {
        if (strcasecmp(text_of(package, "name"), name) != 0)
            continue;
        em_str_puts(version, text_of(package, "version"));
        em_str_puts(path, text_of(package, "install-path"));
        return true;
    }
    json_array_foreach(packages, i,
                       package) if (stands_for(package, "replace", name, version) ||
                                    stands_for(package, "provide", name, version)) return true;
    return false;
}

enum em_tristate em_composer_installed(const char *json, size_t length, const char *name,
                                       struct em_str *version, struct em_str *path)
{
    json_t *root = json_loadb(json, length, 0, NULL);
    /* Composer 1 wrote the list itself. */
    const json_t *packages = json_is_object(root) ? json_object_get(root, "packages") : root;
    enum em_tristate result = EM_UNKNOWN;

    if (json_is_array(packages))
        result = in_packages(packages, name, version, path) ? EM_YES : EM_NO;
    json_decref(root);
    return result;
}

void em_composer_vendor_dir(const char *json, size_t length, struct em_str *folder)
{
    json_t *root = json_loadb(json, length, 0, NULL);

    em_str_puts(folder, text_of(json_object_get(root, "config"), "vendor-dir"));
    json_decref(root);
}

/* What stands in a file that is made of it: no more than a package's name may hold. */
static bool is_package(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return n && name[n] == '/' &&
           name[n + 1 + strspn(name + n + 1, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

void em_composer_requires(const char *json, size_t length, struct em_list *packages)
{
    json_t *root = json_loadb(json, length, 0, NULL), *range;
    const char *name;

    json_object_foreach(json_object_get(root, "require"), name, range)
    {
        if (is_package(name))
            em_list_add(packages, name);
    }
    json_decref(root);
}
