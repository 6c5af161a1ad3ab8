#include "embark/core/sql/lexer.h"

#include <string.h>
#include <strings.h>

/* ---- Classes of bytes, by their names in psqlscan.l ---- */

static bool is_ident_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

bool em_sql_name_byte(char c)
{
    return is_ident_start(c) || em_is_digit(c);
}

static bool is_ident_cont(char c)
{
    return em_sql_name_byte(c) || c == '$';
}

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\f' || is_newline(c);
}

static bool is_operator(char c)
{
    return c && strchr("~!@#^&|`?+-*/%<>=", c);
}

/* ---- The cursor ---- */

/* The i'th byte from here, '\0' behind the chunk. */
static char peek(const struct em_sql_lex *lex, size_t i)
{
    return i < (size_t)(lex->end - lex->at) ? lex->at[i] : '\0';
}

static size_t run(const struct em_sql_lex *lex, size_t from, bool (*in)(char))
{
    size_t left = (size_t)(lex->end - lex->at);

    while (from < left && in(lex->at[from]))
        from++;
    return from;
}

void em_sql_lex_start(struct em_sql_lex *lex)
{
    memset(lex, 0, sizeof(*lex));
    lex->std_strings = true;
}

void em_sql_lex_free(struct em_sql_lex *lex)
{
    em_str_free(&lex->tag);
}

void em_sql_lex_chunk(struct em_sql_lex *lex, const char *bytes, size_t length, bool line)
{
    lex->at = bytes;
    lex->end = bytes + length;
    lex->newline = lex->newline || line;
}

/* ---- The inside of what is quoted: each moves `at` behind the closing mark (true) or to the
 * chunk's end (false) ---- */

static bool block_inside(struct em_sql_lex *lex)
{
    while (lex->at < lex->end) {
        if (*lex->at == '/' && peek(lex, 1) == '*') {
            lex->depth++;
            lex->at += 2;
        } else if (*lex->at == '*' && peek(lex, 1) == '/') {
            lex->at += 2;
            if (--lex->depth == 0)
                return true;
        } else {
            lex->at++;
        }
    }
    return false;
}

static bool quote_inside(struct em_sql_lex *lex, char quote, bool doubled, bool escapes)
{
    while (lex->at < lex->end) {
        if (escapes && *lex->at == '\\' && lex->end - lex->at > 1) {
            lex->at += 2;
        } else if (*lex->at != quote) {
            lex->at++;
        } else if (doubled && peek(lex, 1) == quote) {
            lex->at += 2;
        } else {
            lex->at++;
            return true;
        }
    }
    return false;
}

static bool dollar_inside(struct em_sql_lex *lex)
{
    size_t left = (size_t)(lex->end - lex->at);
    const char *found = memmem(lex->at, left, em_str_c(&lex->tag), lex->tag.len);

    lex->at = found ? found + lex->tag.len : lex->end;
    return found != NULL;
}

static bool inside(struct em_sql_lex *lex)
{
    switch (lex->mode) {
    case EM_SQL_IN_BLOCK:
        return block_inside(lex);
    case EM_SQL_IN_DOLLAR:
        return dollar_inside(lex);
    case EM_SQL_IN_QUOTED:
        return quote_inside(lex, '"', true, false);
    case EM_SQL_IN_BITS:
        return quote_inside(lex, '\'', false, false);
    case EM_SQL_IN_ESCAPES:
        return quote_inside(lex, '\'', true, true);
    case EM_SQL_IN_STRING:
    case EM_SQL_PLAIN:
    default:
        return quote_inside(lex, '\'', true, false);
    }
}

static enum em_sql_kind kind_of(enum em_sql_mode mode)
{
    switch (mode) {
    case EM_SQL_IN_BLOCK:
        return EM_SQL_BLOCK;
    case EM_SQL_IN_DOLLAR:
        return EM_SQL_DOLLAR;
    case EM_SQL_IN_QUOTED:
        return EM_SQL_QUOTED;
    default:
        return EM_SQL_STRING;
    }
}

/* A piece of what is quoted, from `token->at` on; `at` is behind its opening mark, if it has one.
 */
static void take_quoted(struct em_sql_lex *lex, struct em_sql_token *token)
{
    token->kind = kind_of(lex->mode);
    token->closes = inside(lex);
    if (!token->closes)
        return;
    lex->continued = token->kind == EM_SQL_STRING ? lex->mode : EM_SQL_PLAIN;
    lex->newline = false;
    lex->mode = EM_SQL_PLAIN;
}

static void open_quoted(struct em_sql_lex *lex, struct em_sql_token *token, enum em_sql_mode mode,
                        size_t mark)
{
    lex->mode = mode;
    lex->at += mark;
    token->opens = true;
    take_quoted(lex, token);
}

/* ---- Tokens that are longer than a character; each gives its length, 0 if it isn't there ---- */

/* $tag$ */
static size_t dollar_mark(const struct em_sql_lex *lex)
{
    size_t n = 1;

    if (is_ident_start(peek(lex, 1)))
        n = run(lex, 2, em_sql_name_byte);
    return peek(lex, n) == '$' ? n + 1 : 0;
}

/* integer, decimal, real and what sticks to them. "1..10" is 1, .., 10. */
static size_t number(const struct em_sql_lex *lex)
{
    size_t n = run(lex, 0, em_is_digit), e;

    if (peek(lex, n) == '.' && !(n > 0 && peek(lex, n + 1) == '.'))
        n = run(lex, n + 1, em_is_digit);
    if (peek(lex, n) == 'e' || peek(lex, n) == 'E') {
        e = n + 1;
        if (peek(lex, e) == '+' || peek(lex, e) == '-')
            e++;
        if (em_is_digit(peek(lex, e)))
            n = run(lex, e, em_is_digit);
        else if (e > n + 1)
            return e; /* realfail: "1e+" */
    }
    return is_ident_start(peek(lex, n)) ? run(lex, n, is_ident_cont) : n;
}

/* :name, :'name', :"name", :{?name} */
static size_t variable(const struct em_sql_lex *lex, enum em_sql_kind *kind)
{
    char c = peek(lex, 1);
    size_t n;

    if (em_sql_name_byte(c)) {
        *kind = EM_SQL_VALUE;
        return run(lex, 1, em_sql_name_byte);
    }
    if (c == '\'' || c == '"') {
        *kind = c == '"' ? EM_SQL_IDENT : EM_SQL_LITERAL;
        n = run(lex, 2, em_sql_name_byte);
        return n > 2 && peek(lex, n) == c ? n + 1 : 0;
    }
    if (c == '{' && peek(lex, 2) == '?') {
        *kind = EM_SQL_TEST;
        n = run(lex, 3, em_sql_name_byte);
        return n > 3 && peek(lex, n) == '}' ? n + 1 : 0;
    }
    return 0;
}

/* Up to a comment's start. (What the server makes of a + or - at an operator's end doesn't matter
 * here.) */
static size_t operator_run(const struct em_sql_lex *lex)
{
    size_t n = 1;

    while (is_operator(peek(lex, n)) && !(peek(lex, n) == '-' && peek(lex, n + 1) == '-') &&
           !(peek(lex, n) == '/' && peek(lex, n + 1) == '*'))
        n++;
    return n;
}

static void take(struct em_sql_lex *lex, struct em_sql_token *token, enum em_sql_kind kind,
                 size_t length)
{
    token->kind = kind;
    lex->at += length;
}

/* ---- What starts with a certain byte ---- */

/* A letter: an identifier, or the prefix of a string. */
static void take_letter(struct em_sql_lex *lex, struct em_sql_token *token)
{
    char c = *lex->at, next = peek(lex, 1), third = peek(lex, 2);

    if (next == '\'' && strchr("eE", c))
        open_quoted(lex, token, EM_SQL_IN_ESCAPES, 2);
    else if (next == '\'' && strchr("bBxX", c))
        open_quoted(lex, token, EM_SQL_IN_BITS, 2);
    else if (next == '\'' && strchr("nN", c))
        take(lex, token, EM_SQL_OTHER, 1);
    else if (next == '&' && strchr("uU", c) && third == '\'')
        open_quoted(lex, token, EM_SQL_IN_STRING, 3);
    else if (next == '&' && strchr("uU", c) && third == '"')
        open_quoted(lex, token, EM_SQL_IN_QUOTED, 3);
    else if (next == '&' && strchr("uU", c))
        take(lex, token, EM_SQL_OTHER, 1);
    else
        take(lex, token, EM_SQL_WORD, run(lex, 1, is_ident_cont));
}

static void take_dollar(struct em_sql_lex *lex, struct em_sql_token *token)
{
    size_t n = dollar_mark(lex);

    if (n) {
        em_str_cut(&lex->tag, 0);
        em_str_add(&lex->tag, lex->at, n);
        open_quoted(lex, token, EM_SQL_IN_DOLLAR, n);
    } else if (em_is_digit(peek(lex, 1))) {
        n = run(lex, 1, em_is_digit);
        take(lex, token, EM_SQL_NUMBER,
             is_ident_start(peek(lex, n)) ? run(lex, n, is_ident_cont) : n);
    } else {
        take(lex, token, EM_SQL_OTHER, 1);
    }
}

static void take_colon(struct em_sql_lex *lex, struct em_sql_token *token)
{
    enum em_sql_kind kind;
    size_t n = variable(lex, &kind);

    if (n)
        take(lex, token, kind, n);
    else if (peek(lex, 1) == ':' || peek(lex, 1) == '=')
        take(lex, token, EM_SQL_OTHER, 2);
    else
        take(lex, token, EM_SQL_OTHER, 1);
}

static void take_operator(struct em_sql_lex *lex, struct em_sql_token *token)
{
    char c = *lex->at, next = peek(lex, 1);

    if (c == '-' && next == '-') {
        size_t n = 2;

        while (lex->at + n < lex->end && !is_newline(lex->at[n]))
            n++;
        take(lex, token, EM_SQL_COMMENT, n);
    } else if (c == '/' && next == '*') {
        lex->depth = 1;
        open_quoted(lex, token, EM_SQL_IN_BLOCK, 2);
    } else {
        take(lex, token, EM_SQL_OTHER, operator_run(lex));
    }
}

static void take_quote(struct em_sql_lex *lex, struct em_sql_token *token)
{
    enum em_sql_mode mode = lex->std_strings ? EM_SQL_IN_STRING : EM_SQL_IN_ESCAPES;

    if (lex->continued != EM_SQL_PLAIN && lex->newline)
        mode = lex->continued;
    open_quoted(lex, token, mode, 1);
}

static void take_punctuation(struct em_sql_lex *lex, struct em_sql_token *token)
{
    char c = *lex->at, next = peek(lex, 1);

    if (c == '(' || c == ')')
        take(lex, token, c == '(' ? EM_SQL_OPEN : EM_SQL_CLOSE, 1);
    else if (c == ';')
        take(lex, token, EM_SQL_SEMICOLON, 1);
    else if (c == '\\' && (next == ';' || next == ':'))
        take(lex, token, EM_SQL_FORCED, 2);
    else if (c == '\\')
        take(lex, token, EM_SQL_BACKSLASH, 1);
    else if (c == '.' && next == '.')
        take(lex, token, EM_SQL_OTHER, 2);
    else
        take(lex, token, EM_SQL_OTHER, 1);
}

static void take_plain(struct em_sql_lex *lex, struct em_sql_token *token)
{
    char c = *lex->at;

    if (is_space(c))
        take(lex, token, EM_SQL_SPACE, run(lex, 1, is_space));
    else if (is_ident_start(c))
        take_letter(lex, token);
    else if (em_is_digit(c) || (c == '.' && em_is_digit(peek(lex, 1))))
        take(lex, token, EM_SQL_NUMBER, number(lex));
    else if (c == '\'')
        take_quote(lex, token);
    else if (c == '"')
        open_quoted(lex, token, EM_SQL_IN_QUOTED, 1);
    else if (c == '$')
        take_dollar(lex, token);
    else if (c == ':')
        take_colon(lex, token);
    else if (is_operator(c))
        take_operator(lex, token);
    else
        take_punctuation(lex, token);
}

bool em_sql_lex_next(struct em_sql_lex *lex, struct em_sql_token *token)
{
    if (lex->at >= lex->end)
        return false;
    *token = (struct em_sql_token){EM_SQL_OTHER, lex->at, 0, false, false};
    if (lex->mode != EM_SQL_PLAIN)
        take_quoted(lex, token);
    else
        take_plain(lex, token);
    token->len = (size_t)(lex->at - token->at);
    /* Only white space and comments with a newline among them may stand between the parts of a
     * string. */
    if (token->kind == EM_SQL_SPACE)
        lex->newline = lex->newline || memchr(token->at, '\n', token->len) ||
                       memchr(token->at, '\r', token->len);
    else if (token->kind != EM_SQL_COMMENT && !(token->kind == EM_SQL_STRING && token->closes))
        lex->continued = EM_SQL_PLAIN;
    return true;
}

/* ---- About tokens ---- */

bool em_sql_is_variable(enum em_sql_kind kind)
{
    return kind == EM_SQL_VALUE || kind == EM_SQL_LITERAL || kind == EM_SQL_IDENT ||
           kind == EM_SQL_TEST;
}

void em_sql_token_name(const struct em_sql_token *token, const char **name, size_t *length)
{
    size_t before = token->kind == EM_SQL_VALUE ? 1 : token->kind == EM_SQL_TEST ? 3 : 2;

    *name = token->at + before;
    *length = token->len - before - (token->kind == EM_SQL_VALUE ? 0 : 1);
}

bool em_sql_word_is(const struct em_sql_token *token, const char *word)
{
    return token->kind == EM_SQL_WORD && token->len == strlen(word) &&
           strncasecmp(token->at, word, token->len) == 0;
}
