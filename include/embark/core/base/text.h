/* Bytes and texts, of which every room has something to ask. Bytes beyond ASCII are no letters, and
 * no locale has a say: what is read is a protocol's, a file's or a command's.
 */
#ifndef EMBARK_CORE_BASE_TEXT_H
#define EMBARK_CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* How many elements an array has. */
#define EM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline bool em_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool em_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static inline bool em_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool em_is_letter(char c)
{
    return em_is_lower(c) || em_is_upper(c);
}

/* A space or a tab. */
static inline bool em_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* As isspace() in the C locale: a blank, or one of \n \v \f \r. */
static inline bool em_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Past the blanks at `p`, at most to `end`. */
const char *em_skip_blanks(const char *p, const char *end);

/* Whether the word is one of these, in any case; `words` ends with NULL. */
bool em_is_one_of(const char *word, size_t length, const char *const *words);

/* Whether the word is among the names, which have blanks between them. "" never is. */
bool em_word_among(const char *word, const char *names);

bool em_starts(const char *text, const char *prefix);
bool em_ends(const char *text, const char *suffix);
/* The last component of a path: what stands behind its last slash. */
const char *em_base_name(const char *path);
/* Whether it is `name`, a version number behind it or not: "ruby", "ruby3.1". */
bool em_is_versioned(const char *path, const char *name);

/* What a hexadecimal digit stands for; -1: it is none. em_hex_lower() takes those that embark and
 * the server write, not A to F. */
int em_hex_value(char c);
int em_hex_lower(char c);

#endif
