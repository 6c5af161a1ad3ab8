#include "embark/core/languages/java/inflate.h"

#include <stdint.h>

enum { BITS_MAX = 15, LITERALS = 288, DISTANCES = 30, LENGTHS = 19 };

/* The input, bit by bit from the low end. Past its end `failed` is set, and zeros come. */
struct reader {
    const unsigned char *bytes;
    size_t length, at;
    unsigned bit; /* of bytes[at] */
    size_t limit;
    bool failed;
    struct em_str *out;
    size_t before; /* out's length at the start: nothing refers to what was there */
};

static unsigned bits(struct reader *r, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (r->at >= r->length) {
            r->failed = true;
            return 0;
        }
        value |= (unsigned)(r->bytes[r->at] >> r->bit & 1) << i;
        r->bit = (r->bit + 1) % 8;
        r->at += r->bit == 0;
    }
    return value;
}

static void put(struct reader *r, char c)
{
    if (r->out->len - r->before >= r->limit)
        r->failed = true;
    else
        em_str_putc(r->out, c);
}

/* A canonical Huffman code: how many symbols have each length, and the symbols in their order. */
struct code {
    uint16_t count[BITS_MAX + 1];
    uint16_t symbol[LITERALS];
};

/* False: more symbols than the lengths have room for. Fewer are allowed: a code with one. */
static bool make_code(struct code *code, const uint8_t *lengths, unsigned n)
{
    uint16_t offset[BITS_MAX + 2] = {0};
    int left = 1;
    for (unsigned i = 0; i <= BITS_MAX; i++)
        code->count[i] = 0;
    for (unsigned i = 0; i < n; i++)
        code->count[lengths[i]]++;
    code->count[0] = 0;
    for (unsigned i = 1; i <= BITS_MAX; i++) {
        left = left * 2 - code->count[i];
        if (left < 0)
            return false;
        offset[i + 1] = (uint16_t)(offset[i] + code->count[i]);
    }
    for (unsigned i = 0; i < n; i++)
        if (lengths[i])
            code->symbol[offset[lengths[i]]++] = (uint16_t)i;
    return true;
}

static unsigned decode(struct reader *r, const struct code *code)
{
    int value = 0, first = 0, index = 0;
    for (unsigned length = 1; length <= BITS_MAX && !r->failed; length++) {
        int count = code->count[length];
        value |= (int)bits(r, 1);
        if (value - count < first)
            return code->symbol[index + value - first];
        index += count;
        first = (first + count) * 2;
        value *= 2;
    }
    r->failed = true;
    return 0;
}

static void stored(struct reader *r)
{
    if (r->bit)
        bits(r, 8 - r->bit);
    unsigned length = bits(r, 16), inverse = bits(r, 16);
    if (length != (inverse ^ 0xffff))
        r->failed = true;
    for (unsigned i = 0; i < length && !r->failed; i++)
        put(r, (char)bits(r, 8));
}

static void copy(struct reader *r, unsigned length, unsigned distance)
{
    if (distance > r->out->len - r->before)
        r->failed = true;
    for (unsigned i = 0; i < length && !r->failed; i++)
        put(r, r->out->data[r->out->len - distance]);
}

static void compressed(struct reader *r, const struct code *literals, const struct code *distances)
{
    static const uint16_t length_base[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                           15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                           67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                          2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t base[] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                    33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                    1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    while (!r->failed) {
        unsigned symbol = decode(r, literals);
        if (symbol < 256) {
            put(r, (char)symbol);
            continue;
        }
        if (symbol == 256)
            return;
        symbol -= 257;
        if (symbol >= sizeof length_bits) {
            r->failed = true;
            return;
        }
        unsigned length = length_base[symbol] + bits(r, length_bits[symbol]);
        unsigned far = decode(r, distances);
        if (far >= DISTANCES) {
            r->failed = true;
            return;
        }
        copy(r, length, base[far] + bits(r, far < 2 ? 0 : far / 2 - 1));
    }
}

static void fixed(struct reader *r)
{
    struct code literals, distances;
    uint8_t lengths[LITERALS];
    for (unsigned i = 0; i < LITERALS; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    make_code(&literals, lengths, LITERALS);
    for (unsigned i = 0; i < DISTANCES; i++)
        lengths[i] = 5;
    make_code(&distances, lengths, DISTANCES);
    compressed(r, &literals, &distances);
}

/* The lengths of both codes in one row, themselves in a code, with runs. */
static void read_lengths(struct reader *r, const struct code *code, uint8_t *lengths, unsigned n)
{
    unsigned i = 0;
    while (i < n && !r->failed) {
        unsigned symbol = decode(r, code), times = 1;
        uint8_t length = (uint8_t)symbol;
        if (symbol == 16) {
            length = i ? lengths[i - 1] : 0;
            r->failed = r->failed || i == 0;
            times = 3 + bits(r, 2);
        } else if (symbol > 16) {
            length = 0;
            times = symbol == 17 ? 3 + bits(r, 3) : 11 + bits(r, 7);
        }
        if (times > n - i) {
            r->failed = true;
            return;
        }
        while (times--)
            lengths[i++] = length;
    }
}

static void dynamic(struct reader *r)
{
    static const uint8_t order[LENGTHS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                           11, 4,  12, 3, 13, 2, 14, 1, 15};
    struct code literals, distances;
    uint8_t lengths[LITERALS + 32] = {0};
    unsigned n = bits(r, 5) + 257, d = bits(r, 5) + 1, l = bits(r, 4) + 4;
    for (unsigned i = 0; i < l; i++)
        lengths[order[i]] = (uint8_t)bits(r, 3);
    if (r->failed || n > 286 || d > DISTANCES || !make_code(&literals, lengths, LENGTHS)) {
        r->failed = true;
        return;
    }
    for (unsigned i = 0; i < LENGTHS; i++)
        lengths[i] = 0;
    read_lengths(r, &literals, lengths, n + d);
    if (r->failed || !make_code(&literals, lengths, n) || !make_code(&distances, lengths + n, d)) {
        r->failed = true;
        return;
    }
    compressed(r, &literals, &distances);
}

bool em_inflate(const char *bytes, size_t length, size_t limit, struct em_str *out)
{
    struct reader r = {.bytes = (const unsigned char *)bytes,
                       .length = length,
                       .limit = limit,
                       .out = out,
                       .before = out->len};
    bool last = false;
    while (!last && !r.failed) {
        last = bits(&r, 1);
        unsigned kind = bits(&r, 2);
        if (kind == 0)
            stored(&r);
        else if (kind == 1)
            fixed(&r);
        else if (kind == 2)
            dynamic(&r);
        else
            r.failed = true;
    }
    if (r.failed)
        em_str_cut(out, r.before);
    return !r.failed;
}
