/* What a misspelt word was most likely meant to be: for "did you mean …?".
 *
 *     struct em_nearest near;
 *     em_nearest_start(&near, "tiemout");
 *     for (…)
 *         em_nearest_try(&near, candidate);
 *     if (near.found) …                          "timeout"
 */
#ifndef EMBARK_CORE_BASE_NEAREST_H
#define EMBARK_CORE_BASE_NEAREST_H

#include "embark/core/base/str.h"

struct em_nearest {
    const char *word;
    const char
        *found; /* the nearest candidate so far that is near enough, or NULL; the first of equals */
    size_t distance; /* of found; while there is none, one more than what is near enough */
};

/* Near enough is one slip for every three letters of `word`, one to three in all. */
void em_nearest_start(struct em_nearest *near, const char *word);
/* Keeps the pointers: `word` and `candidate` must live as long as `near`. */
void em_nearest_try(struct em_nearest *near, const char *candidate);

/* How many letters must be added, left out, replaced or swapped with their neighbour to make a into
 * b. Case doesn't matter, nor does - or _. Words of more than 64 bytes are SIZE_MAX away from
 * everything. */
size_t em_distance(const char *a, const char *b);

#endif
