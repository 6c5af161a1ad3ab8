#include "embark/core/bundle/search.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES = 16,
    STEP = 4 * LANES,
    STRETCH = 16 * 1024, /* searched for one text after the other while it is in the first cache */
};

/* One instruction each on x86-64 and arm64, and plain C for a compiler that has no such thing. */
typedef unsigned char lanes __attribute__((vector_size(LANES)));
typedef uint64_t halves __attribute__((vector_size(LANES)));

/* How common a byte is: 10 * log2 of its count in 20 MB of minified JavaScript and HTML. */
/* clang-format off */
static const unsigned char common[256] = {
    0, 12, 10, 14, 12, 10, 10, 19, 0, 103, 180, 0, 0, 0, 14, 14,
    14, 12, 12, 12, 10, 12, 12, 12, 14, 12, 19, 69, 14, 14, 12, 14,
    216, 157, 183, 112, 156, 115, 163, 132, 184, 184, 124, 154, 186, 157, 184, 154,
    167, 168, 155, 148, 147, 145, 146, 143, 145, 144, 171, 174, 135, 185, 142, 149,
    104, 165, 150, 165, 156, 165, 154, 136, 146, 163, 130, 139, 153, 154, 155, 155,
    163, 140, 164, 168, 163, 145, 144, 142, 126, 134, 117, 157, 145, 157, 108, 168,
    140, 196, 172, 188, 185, 206, 180, 176, 179, 194, 155, 169, 190, 179, 198, 195,
    184, 152, 199, 195, 201, 188, 173, 165, 163, 174, 141, 169, 155, 169, 90, 14,
    108, 102, 99, 97, 97, 97, 98, 100, 104, 99, 98, 100, 98, 101, 97, 107,
    97, 100, 98, 96, 99, 100, 107, 96, 98, 101, 98, 97, 98, 99, 96, 112,
    100, 97, 97, 99, 99, 98, 100, 99, 99, 98, 97, 96, 96, 95, 95, 95,
    97, 96, 97, 96, 96, 95, 95, 96, 103, 98, 98, 99, 99, 102, 98, 102,
    0, 0, 98, 99, 78, 80, 43, 38, 22, 21, 7, 61, 58, 36, 78, 65,
    85, 73, 47, 26, 31, 46, 39, 57, 51, 52, 19, 47, 29, 19, 26, 38,
    94, 89, 121, 80, 93, 118, 119, 117, 117, 114, 86, 92, 93, 83, 50, 98,
    112, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
/* clang-format on */

/* The two rarest bytes; of equals, the ones that stand the farthest apart, as neighbours go
 * together. */
static void choose(struct em_search_text *text)
{
    const unsigned char *p = (const unsigned char *)text->bytes;
    size_t first = 0, second;

    for (size_t i = 1; i < text->length; i++)
        if (common[p[i]] < common[p[first]])
            first = i;
    second = first == 0 && text->length > 1 ? text->length - 1 : 0;
    for (size_t i = text->length; i-- > 0;)
        if (i != first && common[p[i]] < common[p[second]])
            second = i;
    text->rare[0] = first;
    text->rare[1] = second;
}

size_t em_search_add(struct em_search *scan, const char *bytes, size_t length)
{
    struct em_search_text *text;

    scan->v = em_realloc(scan->v, scan->n + 1, sizeof(*scan->v));
    text = &scan->v[scan->n];
    *text = (struct em_search_text){em_alloc(length + 1), length, {0, 0}, length == 0};
    memcpy(text->bytes, bytes, length);
    if (length)
        choose(text);
    return scan->n++;
}

size_t em_search_longest(const struct em_search *scan)
{
    size_t longest = 1;

    for (size_t i = 0; i < scan->n; i++)
        if (scan->v[i].length > longest)
            longest = scan->v[i].length;
    return longest;
}

void em_search_free(struct em_search *scan)
{
    for (size_t i = 0; i < scan->n; i++)
        free(scan->v[i].bytes);
    free(scan->v);
    *scan = (struct em_search)EM_SCAN_INIT;
}

static lanes load(const char *p)
{
    lanes v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static lanes all(char c)
{
    lanes v = {0};

    return v + (unsigned char)c;
}

/* Whether both rare bytes stand where they must for one of the 64 places at p: a, b are p plus
 * their places. */
static bool maybe(const char *a, const char *b, lanes x, lanes y)
{
    lanes sum = (lanes)((load(a) == x) & (load(b) == y));

    sum |= (lanes)((load(a + LANES) == x) & (load(b + LANES) == y));
    sum |= (lanes)((load(a + 2 * LANES) == x) & (load(b + 2 * LANES) == y));
    sum |= (lanes)((load(a + 3 * LANES) == x) & (load(b + 3 * LANES) == y));
    return (((halves)sum)[0] | ((halves)sum)[1]) != 0;
}

struct search {
    const struct em_search_text *text;
    size_t number;
    const char *bytes;
    em_search_found found;
    void *ctx;
};

/* Place by place. False: enough. */
static bool compare(const struct search *s, size_t from, size_t to)
{
    const struct em_search_text *t = s->text;
    char first = t->bytes[t->rare[0]];

    for (size_t at = from; at < to; at++)
        if (s->bytes[at + t->rare[0]] == first && memcmp(s->bytes + at, t->bytes, t->length) == 0 &&
            !s->found(s->ctx, s->number, at))
            return false;
    return true;
}

/* The text ends within the block wherever it begins from `from` to `to`. */
static bool stretch(const struct search *s, size_t from, size_t to)
{
    const struct em_search_text *t = s->text;
    lanes x = all(t->bytes[t->rare[0]]), y = all(t->bytes[t->rare[1]]);
    const char *a = s->bytes + t->rare[0], *b = s->bytes + t->rare[1];

    for (; to - from >= STEP; from += STEP)
        if (maybe(a + from, b + from, x, y) && !compare(s, from, from + STEP))
            return false;
    return compare(s, from, to);
}

void em_search_run(const struct em_search *scan, const char *bytes, size_t length, size_t from,
                   size_t to, em_search_found found, void *ctx)
{
    bool *enough = em_alloc(scan->n + 1);

    for (size_t next; from < to; from = next) {
        next = to - from > STRETCH ? from + STRETCH : to;
        for (size_t i = 0; i < scan->n; i++) {
            const struct em_search_text *t = &scan->v[i];
            struct search s = {t, i, bytes, found, ctx};
            size_t end = t->length > length          ? 0
                         : next > length - t->length ? length - t->length + 1
                                                     : next;

            if (!t->off && !enough[i] && from < end)
                enough[i] = !stretch(&s, from, end);
        }
    }
    free(enough);
}
