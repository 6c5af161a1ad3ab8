#include "embark/core/base/nearest.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    return (char)(c == '-' ? '_' : c);
}

/* The optimal string alignment distance, with the last three rows of its table. */
size_t em_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    size_t n = strlen(a), m = strlen(b);

    if (n > LONGEST || m > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t replaced = above[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));

            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[m];
}

void em_nearest_start(struct em_nearest *near, const char *word)
{
    size_t slips = strlen(word) / 3;

    near->word = word;
    near->found = NULL;
    near->distance = (slips < 1 ? 1 : slips > 3 ? 3 : slips) + 1;
}

void em_nearest_try(struct em_nearest *near, const char *candidate)
{
    size_t distance = em_distance(near->word, candidate);

    if (distance >= near->distance)
        return;
    near->found = candidate;
    near->distance = distance;
}
