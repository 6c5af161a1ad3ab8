#include "embark/core/sql/position.h"

#include <stdlib.h>
#include <string.h>

/* ---- Lines and columns ---- */

struct em_sql_source em_sql_source(const char *name, const char *bytes, size_t length)
{
    struct em_sql_source source = {name, bytes, length, 0, 0, 1};

    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        source.start = source.known_at = 3;
    return source;
}

size_t em_sql_char(const char *bytes, size_t length)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t n = *p < 0xC2 ? 1 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 1;

    if (n > length)
        return 1;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 1;
    return n;
}

/* Moves what is known to the line that `offset` is in, forwards or back. */
static void find_line(struct em_sql_source *source, size_t offset)
{
    const char *bytes = source->bytes, *newline;

    while (offset > source->known_at) {
        newline = memchr(bytes + source->known_at, '\n', offset - source->known_at);
        if (!newline)
            return;
        source->known_at = (size_t)(newline - bytes) + 1;
        source->known++;
    }
    while (offset < source->known_at) {
        newline = memrchr(bytes + source->start, '\n', source->known_at - 1 - source->start);
        source->known_at = newline ? (size_t)(newline - bytes) + 1 : source->start;
        source->known--;
    }
}

struct em_sql_place em_sql_place(struct em_sql_source *source, size_t offset)
{
    struct em_sql_place place = {1, 1};

    if (offset > source->length)
        offset = source->length;
    if (offset < source->start)
        offset = source->start;
    find_line(source, offset);
    place.line = source->known;
    for (size_t at = source->known_at; at < offset; place.column++)
        at += em_sql_char(source->bytes + at, source->length - at);
    return place;
}

void em_sql_place_print(struct em_sql_source *source, size_t offset, struct em_str *out)
{
    struct em_sql_place place = em_sql_place(source, offset);

    em_str_printf(out, "%s:%zu:%zu", source->name, place.line, place.column);
}

/* ---- Text with its origin ---- */

static void add_piece(struct em_sql_text *text, size_t origin, bool copied)
{
    if (text->n == text->cap) {
        text->cap = text->cap ? text->cap * 2 : 8;
        text->pieces = em_realloc(text->pieces, text->cap, sizeof(*text->pieces));
    }
    text->pieces[text->n++] = (struct em_sql_piece){text->bytes.len, origin, copied};
}

void em_sql_text_copy(struct em_sql_text *text, const char *bytes, size_t length, size_t origin)
{
    const struct em_sql_piece *last = text->n ? &text->pieces[text->n - 1] : NULL;

    if (!length)
        return;
    if (!last || !last->copied || last->origin + (text->bytes.len - last->at) != origin)
        add_piece(text, origin, true);
    em_str_add(&text->bytes, bytes, length);
}

void em_sql_text_made(struct em_sql_text *text, const char *bytes, size_t length, size_t origin)
{
    const struct em_sql_piece *last = text->n ? &text->pieces[text->n - 1] : NULL;

    if (!length)
        return;
    if (!last || last->copied || last->origin != origin)
        add_piece(text, origin, false);
    em_str_add(&text->bytes, bytes, length);
}

void em_sql_text_cut(struct em_sql_text *text, size_t length)
{
    em_str_cut(&text->bytes, length);
    while (text->n && text->pieces[text->n - 1].at >= text->bytes.len)
        text->n--;
}

size_t em_sql_text_origin(const struct em_sql_text *text, size_t offset)
{
    size_t low = 0, high = text->n;

    if (!text->n)
        return 0;
    if (offset >= text->bytes.len)
        offset = text->bytes.len - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (text->pieces[middle].at <= offset)
            low = middle;
        else
            high = middle;
    }
    if (!text->pieces[low].copied)
        return text->pieces[low].origin;
    return text->pieces[low].origin + (offset - text->pieces[low].at);
}

void em_sql_text_free(struct em_sql_text *text)
{
    em_str_wipe(&text->bytes); /* a variable's value may be a password */
    free(text->pieces);
    memset(text, 0, sizeof(*text));
}
