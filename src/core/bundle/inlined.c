#include "embark/core/bundle/inlined.h"

#include <string.h>

enum { VALUE_MAX = 300, AROUND = 40, DESTRUCTURED_MAX = 300 };

/* ---- Spellings ------------------------------------------------------------------------------- */

static void add_spelling(const char *value, char of, const char *as, struct em_list *out)
{
    EM_STR_AUTO spelling = EM_STR_INIT;

    for (const char *p = value; *p; p++)
        if (*p == of)
            em_str_puts(&spelling, as);
        else
            em_str_putc(&spelling, *p);
    if (!em_list_has(out, em_str_c(&spelling)))
        em_list_add(out, em_str_c(&spelling));
}

void em_bundle_spellings(const char *value, struct em_list *out)
{
    em_list_add(out, value);
    add_spelling(value, '/', "\\/", out);
    add_spelling(value, '/', "\\u002F", out);
    add_spelling(value, '&', "\\u0026", out);
    add_spelling(value, '&', "&amp;", out);
    add_spelling(value, '"', "\\\"", out);
    add_spelling(value, '\'', "\\'", out);
}

/* ---- What was left of a name ----------------------------------------------------------------- */

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

static const char *blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* A quoted text; false: p is at no quote, or it isn't closed. In a JSON text within a text the
 * quotes have a backslash each. */
static bool quoted(const char *p, const char *end, struct em_str *value)
{
    const char *start;
    bool escaped = p < end && *p == '\\';
    char quote;

    p += escaped;
    if (p >= end || !is_quote(*p))
        return false;
    quote = *p++;
    for (start = p; p < end && *p != quote && *p != '\n'; p++)
        p += *p == '\\' && !escaped && p + 1 < end;
    if (p >= end || *p != quote)
        return false;
    if (escaped && p > start && p[-1] == '\\')
        p--;
    em_str_add(value, start, (size_t)(p - start) < VALUE_MAX ? (size_t)(p - start) : VALUE_MAX);
    return true;
}

/* Without quotes, as in a .env file: up to the line's end. */
static bool bare(const char *p, const char *end, struct em_str *value)
{
    const char *start = p;

    while (p < end && !strchr(" \t\r\n,;)}\"'`\\<>", *p))
        p++;
    if (p == start || p - start > VALUE_MAX)
        return false;
    em_str_add(value, start, (size_t)(p - start));
    return true;
}

/* "NAME" as a text of its own, and "[NAME]" of a variable's: what is read by it can't be seen. */
static bool is_text(const char *bytes, const char *end, size_t at, const char *behind)
{
    return at > 1 && bytes[at - 2] != '.' && behind < end && bytes[at - 1] == *behind;
}

/* {NAME:e}=process.env, {NAME}=n.env: p is behind the name. */
static bool destructured(const char *p, const char *end)
{
    const char *limit = end - p > DESTRUCTURED_MAX ? p + DESTRUCTURED_MAX : end;

    if (p < end && *p == ':' && (p = blanks(p + 1, end)) < end && !is_name(*p))
        return false;
    while (p < limit && (is_name(*p) || strchr(" \t\n,:", *p)))
        p++;
    if (limit - p < 2 || *p != '}')
        return false;
    p = blanks(p + 1, limit);
    if (p >= limit || *p != '=' || (p + 1 < limit && p[1] == '='))
        return false;
    for (p = blanks(p + 1, limit); p < limit && (is_name(*p) || strchr(".()", *p)); p++)
        if (limit - p >= 4 && strncmp(p, ".env", 4) == 0 && (limit - p == 4 || !is_name(p[4])))
            return true;
    return false;
}

/* p is behind the name: ': "value"', '="value"'. */
static enum em_bundle_left assigned(const char *p, const char *end, struct em_str *value)
{
    bool env_file = *p == '=';

    p = blanks(p + 1, end);
    if (quoted(p, end, value))
        return EM_BUNDLE_VALUE;
    if (end - p >= 6 && strncmp(p, "void 0", 6) == 0)
        return EM_BUNDLE_UNSET;
    return env_file && bare(p, end, value) ? EM_BUNDLE_VALUE : EM_BUNDLE_NOTHING;
}

enum em_bundle_left em_bundle_left(const char *bytes, size_t length, size_t at, size_t name_length,
                                   struct em_str *value)
{
    const char *end = bytes + length, *p = bytes + at + name_length;
    char before = at ? bytes[at - 1] : '\n';
    bool member = before == '.', in_quotes = is_quote(before);

    if (is_name(before) || (p < end && is_name(*p)))
        return EM_BUNDLE_NOTHING;
    if (!member && !in_quotes && destructured(p, end))
        return EM_BUNDLE_DESTRUCTURED;
    p += in_quotes && p < end && *p == '\\'; /* {\"NAME\":\"value\"} */
    p += in_quotes && p < end && is_quote(*p);
    member = member || (in_quotes && at >= 2 && bytes[at - 2] == '[');
    p += member && in_quotes && p < end && *p == ']';
    p = blanks(p, end);
    if (end - p >= 2 && (strncmp(p, "||", 2) == 0 || strncmp(p, "??", 2) == 0) &&
        quoted(blanks(p + 2, end), end, value))
        return EM_BUNDLE_FALLBACK;
    if (member)
        return EM_BUNDLE_UNSET;
    if (end - p >= 2 && (*p == ':' || *p == '=') && p[1] != '=')
        return assigned(p, end, value);
    return in_quotes && is_text(bytes, end, at, bytes + at + name_length) ? EM_BUNDLE_COMPUTED
                                                                          : EM_BUNDLE_NOTHING;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return is_name(c) || c == '-';
}

enum em_bundle_part em_bundle_part(const char *bytes, size_t length, size_t at, size_t value_length)
{
    const char *end = bytes + length, *p = bytes + at + value_length;
    char first = bytes[at], last = p[-1];

    if (at && is_word(first) && (is_word(bytes[at - 1]) || bytes[at - 1] == '.'))
        return EM_BUNDLE_PART;
    if (p >= end || !is_word(last))
        return EM_BUNDLE_WHOLE;
    if (is_word(*p) || (p + 1 < end && (*p == '.' || *p == ':') && is_word(p[1])))
        return EM_BUNDLE_PART;
    return *p == '/' && p + 1 < end && (is_quote(p[1]) || p[1] == '\\') ? EM_BUNDLE_SLASH
                                                                        : EM_BUNDLE_WHOLE;
}

/* ---- Context --------------------------------------------------------------------------------- */

static bool is_printable(char c)
{
    return ((unsigned char)c >= ' ' && c != 0x7f) || c == '\t';
}

/* Not within a character of UTF-8. */
static bool starts(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

void em_bundle_around(const char *bytes, size_t length, size_t at, size_t found_length,
                      struct em_str *out)
{
    size_t from = at, to = at + found_length;

    while (from > 0 && at - from < AROUND && is_printable(bytes[from - 1]))
        from--;
    while (from < at && !starts(bytes[from]))
        from++;
    while (to < length && to - at - found_length < AROUND && is_printable(bytes[to]))
        to++;
    while (to > at + found_length && to < length && !starts(bytes[to]))
        to--;
    if (from > 0 && is_printable(bytes[from - 1]))
        em_str_puts(out, "…");
    em_str_add(out, bytes + from, to - from);
    if (to < length && is_printable(bytes[to]))
        em_str_puts(out, "…");
}
