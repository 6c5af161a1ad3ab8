/* Where in a file something stands.
 *
 * A statement that is sent is not what stands in the file: variables are expanded, comments and
 * empty lines before it are left out. Positions in the server's messages are positions in what was
 * sent; a struct em_sql_text remembers for each of its bytes where in the file it came from.
 */
#ifndef EMBARK_CORE_SQL_POSITION_H
#define EMBARK_CORE_SQL_POSITION_H

#include "embark/core/base/str.h"

/* A file's bytes and its name for messages; neither is owned. Start with em_sql_source(). */
struct em_sql_source {
    const char *name;
    const char *bytes;
    size_t length;
    size_t start;           /* 3 where the file begins with a UTF-8 byte order mark, else 0 */
    size_t known_at, known; /* internal: start of a line and its number, from the last look-up */
};
struct em_sql_source em_sql_source(const char *name, const char *bytes, size_t length);

/* Line and column count from 1; lines end with LF; columns are characters: a well-formed UTF-8
 * sequence counts one, and so does any other byte. The byte order mark counts nothing. */
struct em_sql_place {
    size_t line, column;
};
/* Of the byte at `offset` (an offset behind the end is that of the end). It takes as long as the
 * distance to the last look-up of this source. */
struct em_sql_place em_sql_place(struct em_sql_source *source, size_t offset);
/* Adds "name:line:column". */
void em_sql_place_print(struct em_sql_source *source, size_t offset, struct em_str *out);

struct em_sql_piece {
    size_t at;     /* in the text */
    size_t origin; /* in the file */
    bool copied;   /* byte for byte; otherwise all of it comes from the one place */
};

/* Text with the origin of its bytes. Zero it to start; free with em_sql_text_free(). */
struct em_sql_text {
    struct em_str bytes;
    struct em_sql_piece *pieces;
    size_t n, cap;
};
void em_sql_text_copy(struct em_sql_text *text, const char *bytes, size_t length, size_t origin);
/* What was made of something at `origin`: a variable's value. */
void em_sql_text_made(struct em_sql_text *text, const char *bytes, size_t length, size_t origin);
void em_sql_text_cut(struct em_sql_text *text, size_t length); /* keeps the first `length` bytes */
/* The file's offset for an offset in the text; that of the last byte for one behind the end. */
size_t em_sql_text_origin(const struct em_sql_text *text, size_t offset);
void em_sql_text_free(struct em_sql_text *text);

/* The length in bytes of the well-formed UTF-8 sequence at `bytes`, or 1. */
size_t em_sql_char(const char *bytes, size_t length);

#endif
