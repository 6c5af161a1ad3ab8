#include "embark/core/languages/python/source.h"

#include <ctype.h>
#include <string.h>

enum kind {
    T_END,
    T_NEWLINE,
    T_STRING,
    T_FORMAT, /* a string whose value isn't known: f"…", b"…" */
    T_NAME,   /* or a number */
    T_OTHER   /* one character */
};

struct token {
    enum kind kind;
    const char *from, *to;
};

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Past blanks, comments and a backslash with its newline. */
static const char *skip(const char *p, const char *end)
{
    while (p < end) {
        if (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\f')
            p++;
        else if (*p == '\\' && p + 1 < end && p[1] == '\n')
            p += 2;
        else if (*p == '\\' && p + 2 < end && p[1] == '\r' && p[2] == '\n')
            p += 3;
        else if (*p == '#')
            while (p < end && *p != '\n')
                p++;
        else
            break;
    }
    return p;
}

/* From its first quote to behind its last one. One that is not closed ends with its line, or, of
 * three quotes, with the text. */
static const char *past_string(const char *p, const char *end)
{
    char quote = *p;
    bool three = end - p >= 3 && p[1] == quote && p[2] == quote;
    for (p += three ? 3 : 1; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (!three && (*p == quote || *p == '\n'))
            return *p == quote ? p + 1 : p;
        else if (three && *p == quote && end - p >= 3 && p[1] == quote && p[2] == quote)
            return p + 3;
    }
    return end;
}

/* A name, or a string with letters in front of it: r"…". */
static struct token word(const char *p, const char *end)
{
    const char *q = p;
    bool known = true;
    while (q < end && is_name(*q))
        q++;
    if (q - p > 2 || q == end || (*q != '"' && *q != '\''))
        return (struct token){T_NAME, p, q};
    for (const char *letter = p; letter < q; letter++) {
        if (!strchr("rRuUbBfF", *letter))
            return (struct token){T_NAME, p, q};
        known = known && strchr("rRuU", *letter);
    }
    return (struct token){known ? T_STRING : T_FORMAT, p, past_string(q, end)};
}

static struct token next(const char *p, const char *end)
{
    p = skip(p, end);
    if (p >= end)
        return (struct token){T_END, end, end};
    if (*p == '\n')
        return (struct token){T_NEWLINE, p, p + 1};
    if (*p == '"' || *p == '\'')
        return (struct token){T_STRING, p, past_string(p, end)};
    if (is_name(*p))
        return word(p, end);
    return (struct token){T_OTHER, p, p + 1};
}

static bool one_of(const struct token *t, const char *characters)
{
    return t->kind == T_OTHER && *t->from && strchr(characters, *t->from);
}

/* How deep in brackets one is behind the token. */
static size_t depth_behind(size_t depth, const struct token *t)
{
    return one_of(t, "([{") ? depth + 1 : one_of(t, ")]}") && depth ? depth - 1 : depth;
}

static size_t columns(const char *from, const char *to)
{
    size_t n = 0;
    for (; from < to; from++)
        n = *from == '\t' ? (n / 8 + 1) * 8 : n + 1;
    return n;
}

static bool is_end(const struct token *t, size_t depth)
{
    return t->kind == T_END || (depth == 0 && (t->kind == T_NEWLINE || one_of(t, ";")));
}

bool em_py_next(struct em_py_span *rest, struct em_py_statement *statement)
{
    const char *p = rest->text, *end = p + rest->length, *line = p;
    /* Behind a `;` the statement stands where the one before it did. */
    bool goes_on = statement->span.text && *(p - 1) == ';';
    struct token t = next(p, end);
    while (t.kind == T_NEWLINE || one_of(&t, ";")) {
        goes_on = t.kind == T_OTHER;
        line = t.to;
        t = next(t.to, end);
    }
    if (t.kind == T_END)
        return false;
    const char *from = t.from, *to = t.to;
    size_t depth = 0;
    for (; !is_end(&t, depth); t = next(t.to, end)) {
        depth = depth_behind(depth, &t);
        to = t.to;
    }
    if (!goes_on)
        statement->indent = columns(line, from);
    statement->span = (struct em_py_span){from, (size_t)(to - from)};
    /* A newline stays: it is what tells it from a `;`. */
    rest->text = t.kind == T_NEWLINE ? t.from : t.to;
    rest->length = (size_t)(end - rest->text);
    return true;
}

static bool is(const struct token *t, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(t->to - t->from) == length && memcmp(t->from, text, length) == 0;
}

bool em_py_assigns(const struct em_py_statement *statement, const char *name,
                   struct em_py_span *value)
{
    const char *end = statement->span.text + statement->span.length;
    struct token t = next(statement->span.text, end);
    size_t depth = 0;
    if (t.kind != T_NAME || !is(&t, name))
        return false;
    t = next(t.to, end);
    if (!is(&t, "=") && !is(&t, ":"))
        return false;
    /* Of an annotation, what follows. */
    for (; t.kind != T_END && !(depth == 0 && is(&t, "=")); t = next(t.to, end))
        depth = depth_behind(depth, &t);
    if (t.kind == T_END || (t.to < end && *t.to == '='))
        return false;
    *value = (struct em_py_span){t.to, (size_t)(end - t.to)};
    return true;
}

bool em_py_begins(const struct em_py_statement *statement, const char *first, const char *second)
{
    const char *end = statement->span.text + statement->span.length;
    struct token a = next(statement->span.text, end);
    struct token b = next(a.to, end);
    return is(&a, first) && is(&b, second);
}

/* What stands for a character behind a backslash: what names and numbers are made of needs none but
 * the quotes'. */
static void add_string(const struct token *t, struct em_str *out)
{
    const char *p = t->from, *end = t->to;
    bool raw = false;
    for (; *p != '"' && *p != '\''; p++)
        raw = raw || *p == 'r' || *p == 'R';
    char quote = *p;
    bool three = end - p >= 3 && p[1] == quote && p[2] == quote;
    size_t quotes = three ? 3 : 1;
    p += quotes;
    /* The closing quotes, unless they are missing. */
    if ((size_t)(end - p) >= quotes && end[-1] == quote)
        end -= quotes;
    for (; p < end; p++) {
        if (*p == '\\' && !raw && p + 1 < end) {
            p++;
            if (*p != '\n')
                em_str_putc(out, *p == 'n' ? '\n' : *p == 't' ? '\t' : *p);
        } else if (*p) {
            em_str_putc(out, *p);
        }
    }
}

/* Adjacent strings from `t` on; t becomes what follows. */
static void add_strings(struct token *t, const char *end, struct em_list *out)
{
    EM_STR_AUTO text = EM_STR_INIT;
    while (t->kind == T_STRING || t->kind == T_NEWLINE) {
        if (t->kind == T_STRING)
            add_string(t, &text);
        *t = next(t->to, end);
    }
    em_list_add(out, em_str_c(&text));
}

bool em_py_strings(const struct em_py_span *value, struct em_list *out)
{
    const char *end = value->text + value->length;
    struct token t = next(value->text, end);
    while (t.kind != T_END) {
        if (t.kind == T_STRING) {
            add_strings(&t, end, out);
            continue;
        }
        if (t.kind != T_NEWLINE && !is(&t, "None") && !one_of(&t, "()[]{},"))
            return false;
        t = next(t.to, end);
    }
    return true;
}

/* From the bracket of a group on: its strings, if they are all that it holds. */
static bool read_pair(struct token *t, const char *end, struct em_list *pair)
{
    bool good = true;
    size_t depth = 0;
    do {
        depth = depth_behind(depth, t);
        if (t->kind == T_STRING) {
            add_strings(t, end, pair);
            continue;
        }
        good = good && (t->kind == T_NEWLINE || one_of(t, "()[],"));
        *t = next(t->to, end);
    } while (depth > 0 && t->kind != T_END);
    return good && pair->n == 2;
}

void em_py_pairs(const struct em_py_span *value, struct em_list *out)
{
    const char *end = value->text + value->length;
    struct token t = next(value->text, end);
    size_t depth = 0;
    bool call = false; /* the bracket belongs to a name before it */
    while (t.kind != T_END) {
        if (depth == 1 && one_of(&t, "([{")) {
            EM_LIST_AUTO pair = EM_LIST_INIT;
            if (read_pair(&t, end, &pair) && !call) {
                em_list_add(out, pair.v[0]);
                em_list_add(out, pair.v[1]);
            }
            call = false;
            continue;
        }
        depth = depth_behind(depth, &t);
        call = t.kind == T_NAME;
        t = next(t.to, end);
    }
}
