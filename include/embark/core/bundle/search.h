/* Searching many bytes for a few texts at once.
 *
 * For each text the two bytes that are the rarest in JavaScript, CSS and HTML are looked for, 64
 * places at a time, and only where both stand is the whole text compared: some GB/s for a handful
 * of texts, while musl's memmem(3) is a byte at a time. The work grows with the number of texts.
 *
 * Pure: the caller reads the file, in blocks of any size. A text that begins in one block and ends
 * in the next one is found if the caller keeps the end of a block, as `to` allows:
 *
 *     em_search_run(&scan, block, length, from, last ? length : length - em_search_longest(&scan) +
 * 1, …)
 *
 * and gives the bytes from `to` on again, in front of the next block.
 */
#ifndef EMBARK_CORE_BUNDLE_SEARCH_H
#define EMBARK_CORE_BUNDLE_SEARCH_H

#include "embark/core/base/str.h"

struct em_search_text {
    char *bytes;
    size_t length;
    size_t rare[2]; /* where its two rarest bytes stand in it; twice the same in a text of one */
    bool off;       /* isn't looked for (any more) */
};

struct em_search {
    struct em_search_text *v;
    size_t n;
};
#define EM_SCAN_INIT \
    {                \
        NULL, 0      \
    }

/* Adds a text, which is copied, and returns its number: 0, 1, 2… An empty one is never found. */
size_t em_search_add(struct em_search *scan, const char *bytes, size_t length);
size_t em_search_longest(const struct em_search *scan); /* at least 1 */
void em_search_free(struct em_search *scan);

/* A text was found at bytes[at]. False: this text is of no further interest in this block. */
typedef bool (*em_search_found)(void *ctx, size_t text, size_t at);

/* Finds all that begins at from … to - 1 and ends within `length`; overlapping ones, too. For each
 * text its places come in their order; which text comes first is not said. */
void em_search_run(const struct em_search *scan, const char *bytes, size_t length, size_t from,
                   size_t to, em_search_found found, void *ctx);

#endif
