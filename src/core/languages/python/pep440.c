#include "embark/core/languages/python/pep440.h"

#include <string.h>
#include <strings.h>

/* ---- Reading --------------------------------------------------------------------------------- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool alphanumeric(char c)
{
    return em_is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool separator(char c)
{
    return c == '-' || c == '_' || c == '.';
}

/* A number of any length, at most UINT64_MAX. */
static uint64_t number(const char **p)
{
    uint64_t n = 0;

    for (; em_is_digit(**p); (*p)++) {
        uint64_t d = (uint64_t)(**p - '0');

        n = n > (UINT64_MAX - d) / 10 ? UINT64_MAX : n * 10 + d;
    }
    return n;
}

/* One of the words, the longest spellings first, with a separator before and behind it and a
 * number, all of which may be left out. NULL: none of them. */
static const char *suffix(const char **p, const char *const *words, uint64_t *n)
{
    const char *at = *p + separator(**p);

    for (; *words; words++) {
        size_t length = strlen(*words);

        if (strncasecmp(at, *words, length) != 0)
            continue;
        at += length;
        at += separator(*at); /* also where no number follows: "1.0a." */
        *n = number(&at);
        *p = at;
        return *words;
    }
    return NULL;
}

static bool read_release(const char **p, struct em_pep440 *v)
{
    do {
        if (!em_is_digit(**p) || v->parts == EM_PEP440_PARTS)
            return false;
        v->release[v->parts++] = number(p);
    } while (**p == '.' && em_is_digit((*p)[1]) && (*p)++);
    return true;
}

static bool read_local(const char **p, struct em_pep440 *v)
{
    size_t n = 0;

    do {
        (*p)++;
        if (!alphanumeric(**p))
            return false;
        if (n && n < sizeof(v->local) - 1)
            v->local[n++] = '.';
        for (; alphanumeric(**p); (*p)++)
            if (n < sizeof(v->local) - 1)
                v->local[n++] = lower(**p);
    } while (separator(**p));
    v->local[n] = '\0';
    return n < sizeof(v->local) - 1;
}

static void read_suffixes(const char **p, struct em_pep440 *v)
{
    static const char *const pres[] = {"alpha", "a",  "beta", "b", "preview",
                                       "pre",   "rc", "c",    NULL};
    static const char *const posts[] = {"post", "rev", "r", NULL};
    static const char *const devs[] = {"dev", NULL};
    const char *word = suffix(p, pres, &v->pre_number);

    if (word)
        v->pre = (char)(word[0] == 'a' || word[0] == 'b' ? word[0] : 'c');
    if ((*p)[0] == '-' && em_is_digit((*p)[1])) {
        (*p)++;
        v->post = number(p);
        v->has_post = true;
    } else {
        v->has_post = suffix(p, posts, &v->post) != NULL;
    }
    v->has_dev = suffix(p, devs, &v->dev) != NULL;
}

/* Reads a version up to what doesn't belong to it. */
static bool read_some(const char **p, struct em_pep440 *v)
{
    const char *start;

    *v = (struct em_pep440){0};
    *p += lower(**p) == 'v';
    start = *p;
    v->epoch = number(p);
    if (**p == '!' && *p > start) {
        (*p)++;
    } else {
        v->epoch = 0;
        *p = start;
    }
    if (!read_release(p, v))
        return false;
    read_suffixes(p, v);
    return **p != '+' || read_local(p, v);
}

static const char *blanks(const char *p)
{
    return p + strspn(p, " \t\r\n\f\v");
}

bool em_pep440_read(const char *text, struct em_pep440 *version)
{
    const char *p = blanks(text);

    return read_some(&p, version) && *blanks(p) == '\0';
}

/* ---- Order ----------------------------------------------------------------------------------- */

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_release(const struct em_pep440 *a, const struct em_pep440 *b)
{
    int result = order(a->epoch, b->epoch);

    for (size_t i = 0; i < EM_PEP440_PARTS && result == 0; i++)
        result = order(a->release[i], b->release[i]);
    return result;
}

/* 1.0.dev1 < 1.0a1 < 1.0: a dev release alone stands before all pre-releases, no pre-release behind
 * them. */
static int pre_rank(const struct em_pep440 *v)
{
    if (v->pre)
        return v->pre;
    return v->has_dev && !v->has_post ? 0 : 'z';
}

/* Parts that are numbers are above those with letters. */
static int compare_part(const char *a, size_t na, const char *b, size_t nb)
{
    size_t i = strspn(a, "0123456789"), j = strspn(b, "0123456789");
    int result;

    if ((i >= na) != (j >= nb))
        return i >= na ? 1 : -1;
    if (i >= na) {
        const char *p = a, *q = b;

        return order(number(&p), number(&q));
    }
    result = strncmp(a, b, na < nb ? na : nb);
    return result ? result : order(na, nb);
}

static int compare_local(const char *a, const char *b)
{
    while (*a && *b) {
        size_t na = strcspn(a, "."), nb = strcspn(b, ".");
        int result = compare_part(a, na, b, nb);

        if (result)
            return result;
        a += na + (a[na] == '.');
        b += nb + (b[nb] == '.');
    }
    return (*a != '\0') - (*b != '\0');
}

static int compare_public(const struct em_pep440 *a, const struct em_pep440 *b)
{
    int result = compare_release(a, b);

    if (result == 0)
        result = pre_rank(a) - pre_rank(b);
    if (result == 0)
        result = order(a->pre_number, b->pre_number);
    if (result == 0)
        result = a->has_post - b->has_post;
    if (result == 0)
        result = order(a->post, b->post);
    if (result == 0)
        result = b->has_dev - a->has_dev;
    return result ? result : order(a->dev, b->dev);
}

int em_pep440_compare(const struct em_pep440 *a, const struct em_pep440 *b)
{
    int result = compare_public(a, b);

    return result ? result : compare_local(a->local, b->local);
}

/* ---- Specifiers ------------------------------------------------------------------------------ */

enum op {
    OP_COMPATIBLE,
    OP_ARBITRARY,
    OP_EQUAL,
    OP_UNEQUAL,
    OP_AT_MOST,
    OP_AT_LEAST,
    OP_BELOW,
    OP_ABOVE,
    OP_NONE
};

struct clause {
    enum op op;
    bool wildcard;
    struct em_pep440 version;
    const char *text; /* of ===: as it stands */
    size_t length;
};

static enum op read_op(const char **p)
{
    static const char *const ops[] = {"~=", "===", "==", "!=", "<=", ">=", "<", ">"};

    for (size_t i = 0; i < EM_COUNT(ops); i++)
        if (em_starts(*p, ops[i])) {
            *p += strlen(ops[i]);
            return (enum op)i;
        }
    return OP_NONE;
}

/* One clause, up to its comma. */
static bool read_clause(const char **p, struct clause *c)
{
    *p = blanks(*p);
    c->op = read_op(p);
    c->wildcard = false;
    *p = blanks(*p);
    if (c->op == OP_NONE)
        return false;
    if (c->op == OP_ARBITRARY) {
        c->text = *p;
        c->length = strcspn(*p, ", \t\r\n\f\v);");
        *p += c->length;
        return c->length > 0;
    }
    if (!read_some(p, &c->version))
        return false;
    if (em_starts(*p, ".*")) {
        const struct em_pep440 *v = &c->version;

        c->wildcard = true;
        *p += 2;
        if ((c->op != OP_EQUAL && c->op != OP_UNEQUAL) || v->pre || v->has_post || v->has_dev ||
            v->local[0])
            return false;
    }
    if (c->op == OP_COMPATIBLE && c->version.parts < 2)
        return false;
    return !c->version.local[0] || c->op == OP_EQUAL || c->op == OP_UNEQUAL;
}

/* The next clause: 1; the end: 0; malformed: -1. A comma at the end is allowed, as packaging does.
 */
static int next_clause(const char **p, struct clause *c)
{
    *p = blanks(*p);
    if (**p == '\0')
        return 0;
    if (!read_clause(p, c))
        return -1;
    *p = blanks(*p);
    if (**p == ',')
        (*p)++;
    else if (**p)
        return -1;
    return 1;
}

bool em_pep440_is_spec(const char *spec)
{
    struct clause c;
    int more;

    while ((more = next_clause(&spec, &c)) > 0)
        ;
    return more == 0;
}

static bool has_prefix(const struct em_pep440 *v, const struct em_pep440 *prefix, size_t parts)
{
    for (size_t i = 0; i < parts; i++)
        if (v->release[i] != prefix->release[i])
            return false;
    return v->epoch == prefix->epoch;
}

static bool equals(const struct clause *c, const struct em_pep440 *v)
{
    if (c->wildcard)
        return has_prefix(v, &c->version, c->version.parts);
    /* A local version counts only where the specifier has one. */
    return c->version.local[0] ? em_pep440_compare(v, &c->version) == 0
                               : compare_public(v, &c->version) == 0;
}

/* <3.1 doesn't take 3.1.dev0, nor >3.1 3.1.post1 and 3.1+local. */
static bool strictly(const struct clause *c, const struct em_pep440 *v)
{
    const struct em_pep440 *than = &c->version;
    int result = em_pep440_compare(v, than);
    bool same_base = compare_release(v, than) == 0;

    if (c->op == OP_BELOW)
        return result < 0 && (than->pre || than->has_dev || !same_base || !(v->pre || v->has_dev));
    return result > 0 && (than->has_post || !same_base || !v->has_post) &&
           (!same_base || !v->local[0]);
}

static bool clause_allows(const struct clause *c, const struct em_pep440 *v)
{
    switch (c->op) {
    case OP_COMPATIBLE:
        return compare_public(v, &c->version) >= 0 &&
               has_prefix(v, &c->version, c->version.parts - 1);
    case OP_EQUAL:
        return equals(c, v);
    case OP_UNEQUAL:
        return !equals(c, v);
    case OP_AT_MOST:
        return compare_public(v, &c->version) <= 0;
    case OP_AT_LEAST:
        return compare_public(v, &c->version) >= 0;
    default:
        return strictly(c, v);
    }
}

static bool same_text(const struct clause *c, const char *version)
{
    version = blanks(version);
    return strncasecmp(version, c->text, c->length) == 0 && *blanks(version + c->length) == '\0';
}

enum em_tristate em_pep440_allows(const char *spec, const char *version)
{
    struct em_pep440 v;
    enum em_tristate all = EM_YES, one;
    bool known = em_pep440_read(version, &v);
    struct clause c;
    int more;

    while ((more = next_clause(&spec, &c)) > 0) {
        if (c.op == OP_ARBITRARY)
            one = same_text(&c, version) ? EM_YES : EM_NO;
        else
            one = !known ? EM_UNKNOWN : clause_allows(&c, &v) ? EM_YES : EM_NO;
        all = em_tristate_and(all, one);
    }
    return more < 0 ? EM_UNKNOWN : all;
}
