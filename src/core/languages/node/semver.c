#include "embark/core/languages/node/semver.h"

#include <string.h>

/* ---- Reading --------------------------------------------------------------------------------- */

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1)

/* A version of which parts may be left out or be x, X or *: "1", "1.x", "1.2.3-beta". */
struct partial {
    struct em_semver v;
    size_t known; /* of major, minor, patch: those before the first x */
};

static bool identifier(char c)
{
    return em_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static const char *blanks(const char *p)
{
    return p + strspn(p, " \t\r\n\f\v");
}

static bool read_number(const char **p, uint64_t *n)
{
    if (!em_is_digit(**p) || (**p == '0' && em_is_digit((*p)[1])))
        return false;
    for (*n = 0; em_is_digit(**p); (*p)++) {
        *n = *n * 10 + (uint64_t)(**p - '0');
        if (*n > NUMBER_MAX)
            return false;
    }
    return true;
}

/* "beta.4": identifiers and dots; a number has no leading zero. */
static bool read_identifiers(const char **p, bool numbers, char *out, size_t size)
{
    size_t n = 0;

    do {
        const char *start = *p + (n > 0);
        size_t length = 0;

        while (identifier(start[length]))
            length++;
        if (length == 0 || n + length + 2 > size)
            return false;
        if (numbers && start[0] == '0' && length > 1 && strspn(start, "0123456789") >= length)
            return false;
        memcpy(out + n, *p, length + (n > 0));
        n += length + (n > 0);
        *p = start + length;
    } while (**p == '.');
    out[n] = '\0';
    return true;
}

static bool read_partial(const char **p, struct partial *partial)
{
    char build[EM_SEMVER_PRE];
    bool x = false;

    *partial = (struct partial){0};
    *p += strspn(*p, "v= \t");
    for (size_t i = 0; i < 3; i++) {
        if (i && **p != '.')
            return true;
        *p += i > 0;
        if (**p == 'x' || **p == 'X' || **p == '*') {
            (*p)++;
            x = true;
        } else if (!read_number(p, &partial->v.n[i])) {
            return false;
        } else if (!x) {
            partial->known++;
        }
    }
    if (**p == '-') {
        (*p)++;
        if (!read_identifiers(p, true, partial->v.pre, sizeof(partial->v.pre)))
            return false;
    }
    if (**p == '+') {
        (*p)++;
        if (!read_identifiers(p, false, build, sizeof(build)))
            return false;
    }
    return true;
}

bool em_semver_read(const char *text, struct em_semver *version)
{
    const char *p = blanks(text);
    struct partial partial;

    if (!read_partial(&p, &partial) || partial.known < 3 || *blanks(p))
        return false;
    *version = partial.v;
    return true;
}

/* ---- Order ----------------------------------------------------------------------------------- */

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Numbers by value and below words; words byte by byte. */
static int compare_identifier(const char *a, size_t na, const char *b, size_t nb)
{
    bool number_a = strspn(a, "0123456789") >= na, number_b = strspn(b, "0123456789") >= nb;
    int result;

    if (number_a != number_b)
        return number_a ? -1 : 1;
    if (number_a && na != nb) /* no leading zeros: the longer one is the greater */
        return order(na, nb);
    result = memcmp(a, b, na < nb ? na : nb);
    return result ? result : order(na, nb);
}

static int compare_pre(const char *a, const char *b)
{
    if (!*a || !*b)
        return !*a - !*b;
    while (*a && *b) {
        size_t na = strcspn(a, "."), nb = strcspn(b, ".");
        int result = compare_identifier(a, na, b, nb);

        if (result)
            return result;
        a += na + (a[na] == '.');
        b += nb + (b[nb] == '.');
    }
    return (*a != '\0') - (*b != '\0');
}

static bool same_triple(const struct em_semver *a, const struct em_semver *b)
{
    return memcmp(a->n, b->n, sizeof(a->n)) == 0;
}

int em_semver_compare(const struct em_semver *a, const struct em_semver *b)
{
    for (size_t i = 0; i < 3; i++)
        if (a->n[i] != b->n[i])
            return order(a->n[i], b->n[i]);
    return compare_pre(a->pre, b->pre);
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

/* What a part between two blanks comes to: from <= v < to, or another of the operators at its ends.
 */
struct span {
    struct em_semver from, to;
    bool has_from, has_to;
    bool above, at_most; /* > rather than >=, <= rather than < */
};

static void from(struct span *s, const struct em_semver *v)
{
    s->from = *v;
    s->has_from = true;
}

/* Below the next one of part i, pre-releases of that excluded: <2.0.0-0. */
static struct em_semver next_of(const struct em_semver *v, size_t i)
{
    struct em_semver next = {{0}, "0"};

    memcpy(next.n, v->n, (i + 1) * sizeof(next.n[0]));
    next.n[i]++;
    return next;
}

static void below_next(struct span *s, const struct em_semver *v, size_t i)
{
    s->to = next_of(v, i);
    s->has_to = true;
}

static struct em_semver floor_of(const struct partial *p)
{
    struct em_semver v = p->v;

    for (size_t i = p->known; i < 3; i++)
        v.n[i] = 0;
    if (p->known < 3)
        v.pre[0] = '\0';
    return v;
}

/* ^1.2.3: up to the next one of the leftmost part that isn't 0. */
static void caret(const struct partial *p, struct span *s)
{
    struct em_semver v = floor_of(p);
    size_t i = 0;

    if (p->known == 0)
        return;
    from(s, &v);
    while (i + 1 < p->known && v.n[i] == 0)
        i++;
    below_next(s, &v, i);
}

static void tilde(const struct partial *p, struct span *s)
{
    struct em_semver v = floor_of(p);

    if (p->known == 0)
        return;
    from(s, &v);
    below_next(s, &v, p->known == 1 ? 0 : 1);
}

/* 1.x, and 1.2.3 itself. */
static void exactly(const struct partial *p, struct span *s)
{
    struct em_semver v = floor_of(p);

    if (p->known == 0)
        return;
    from(s, &v);
    if (p->known < 3) {
        below_next(s, &v, p->known - 1);
        return;
    }
    s->to = v;
    s->has_to = s->at_most = true;
}

static void nothing(struct span *s)
{
    s->to = (struct em_semver){{0}, "0"};
    s->has_to = true;
}

static void above(const struct partial *p, bool or_equal, struct span *s)
{
    struct em_semver v = floor_of(p);

    if (p->known == 0) {
        if (!or_equal)
            nothing(s);
        return;
    }
    if (!or_equal && p->known < 3) { /* >1.2 is >=1.3.0 */
        v = next_of(&v, p->known - 1);
        v.pre[0] = '\0';
        or_equal = true;
    }
    from(s, &v);
    s->above = !or_equal;
}

static void below(const struct partial *p, bool or_equal, struct span *s)
{
    struct em_semver v = floor_of(p);

    if (p->known == 0) {
        if (!or_equal)
            nothing(s);
        return;
    }
    if (or_equal && p->known < 3) {
        below_next(s, &v, p->known - 1);
        return;
    }
    if (p->known < 3)
        strcpy(v.pre, "0");
    s->to = v;
    s->has_to = true;
    s->at_most = or_equal;
}

static bool read_span(const char **p, struct span *s)
{
    static const char *const ops[] = {">=", "<=", "~>", "^", "~", ">", "<", "="};
    struct partial partial;
    size_t op = 0;

    *s = (struct span){0};
    while (op < 8 && !em_starts(*p, ops[op]))
        op++;
    *p = blanks(*p + (op < 8 ? strlen(ops[op]) : 0));
    if (!read_partial(p, &partial))
        return false;
    if (op == 0 || op == 5)
        above(&partial, op == 0, s);
    else if (op == 1 || op == 6)
        below(&partial, op == 1, s);
    else if (op == 2 || op == 4)
        tilde(&partial, s);
    else if (op == 3)
        caret(&partial, s);
    else
        exactly(&partial, s);
    return true;
}

static bool span_allows(const struct span *s, const struct em_semver *v)
{
    int low = s->has_from ? em_semver_compare(v, &s->from) : 1;
    int high = s->has_to ? em_semver_compare(v, &s->to) : -1;

    return (low > 0 || (low == 0 && !s->above)) && (high < 0 || (high == 0 && s->at_most));
}

static bool span_names(const struct span *s, const struct em_semver *v)
{
    return (s->has_from && s->from.pre[0] && same_triple(&s->from, v)) ||
           (s->has_to && s->to.pre[0] && same_triple(&s->to, v));
}

/* " - 2.3" behind a bare version. */
static bool read_hyphen(const char **p, struct span *s)
{
    struct partial to;
    const char *dash = blanks(*p);

    if (dash == *p || dash[0] != '-' || blanks(dash + 1) == dash + 1)
        return true;
    *p = blanks(dash + 1);
    if (!read_partial(p, &to))
        return false;
    s->has_to = s->at_most = false;
    if (to.known)
        below(&to, true, s);
    return true;
}

/* What stands between two ||. -1: malformed. */
static int read_set(const char **p, const struct em_semver *v)
{
    bool all = true, named = v->pre[0] == '\0';

    for (*p = blanks(*p); **p && **p != '|'; *p = blanks(*p)) {
        bool bare = em_is_digit(**p) || strchr("xX*v=", **p);
        struct span s;
        const char *end;

        if (!read_span(p, &s) || (bare && !read_hyphen(p, &s)))
            return -1;
        end = *p;
        if (*end && *end != '|' && blanks(end) == end)
            return -1;
        all = all && span_allows(&s, v);
        named = named || span_names(&s, v);
    }
    return all && named;
}

/* 1, 0; -1: malformed. */
static int in_range(const char *range, const struct em_semver *v)
{
    bool any = false;
    int set;

    for (;;) {
        set = read_set(&range, v);
        if (set < 0)
            return -1;
        any = any || set;
        if (!*range)
            return any;
        if (range[1] != '|')
            return -1;
        range += 2;
    }
}

bool em_semver_is_range(const char *range)
{
    struct em_semver any = {{0}, ""};

    return in_range(range, &any) >= 0;
}

enum em_tristate em_semver_allows(const char *range, const char *version)
{
    struct em_semver v;
    int result;

    if (!em_semver_read(version, &v))
        return EM_UNKNOWN;
    result = in_range(range, &v);
    return result < 0 ? EM_UNKNOWN : result ? EM_YES : EM_NO;
}
