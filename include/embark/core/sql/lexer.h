/* The tokens of SQL as psql sees it.
 *
 * The rules are those of psql's own lexer, src/fe_utils/psqlscan.l of PostgreSQL 15 (which follows
 * the server's, src/backend/parser/scan.l; manual, chapter 4.1), as far as they decide where
 * quotes, comments and statements end and where variables and meta-commands stand. psql reads its
 * input line by line, and a line's comments, meta-commands and COPY's data depend on that: so the
 * lexer is given one chunk after the other (a line, a variable's value, or a whole text where lines
 * don't matter) and keeps its state from one to the next. A quoted string that goes over several
 * chunks is several tokens, one for each chunk.
 *
 * One difference, on purpose: psql forgets over a line's end what kind of string is continued, so
 * that in
 *
 *     SELECT E'a'
 *         'it\'s; b';
 *
 * it ends the statement at the first semicolon, and the server refuses both halves. Here the second
 * half is lexed as the server does, with backslashes.
 *
 * Bytes from 128 on are letters, as in psql; nothing is decoded. NUL bytes are bytes like others
 * here (no statement can hold one: callers refuse them).
 */
#ifndef EMBARK_CORE_SQL_LEXER_H
#define EMBARK_CORE_SQL_LEXER_H

#include "embark/core/base/str.h"

enum em_sql_kind {
    EM_SQL_SPACE,   /* blanks, tabs, form feeds, LF and CR */
    EM_SQL_COMMENT, /* -- up to the line's end */
    EM_SQL_BLOCK,   /* (a piece of) a comment as in C; they nest */
    EM_SQL_STRING, /* (a piece of) '…', E'…', B'…', X'…', U&'…'; N is an OTHER of its own */
    EM_SQL_DOLLAR,    /* (a piece of) $tag$…$tag$ */
    EM_SQL_QUOTED,    /* (a piece of) "…", U&"…" */
    EM_SQL_WORD,      /* an identifier or key word */
    EM_SQL_NUMBER,    /* with what sticks to it: 1.5e3, 12abc; $1 too */
    EM_SQL_OPEN,      /* ( */
    EM_SQL_CLOSE,     /* ) */
    EM_SQL_SEMICOLON, /* ; */
    EM_SQL_FORCED,    /* \; and \: stand for the second character, taken as it is */
    EM_SQL_BACKSLASH, /* a meta-command starts behind it */
    EM_SQL_VALUE,     /* :name */
    EM_SQL_LITERAL,   /* :'name' */
    EM_SQL_IDENT,     /* :"name" */
    EM_SQL_TEST,      /* :{?name} */
    EM_SQL_OTHER,     /* operators, punctuation, ::, :=, anything else */
};

/* What the lexer is inside of. */
enum em_sql_mode {
    EM_SQL_PLAIN,      /* nothing */
    EM_SQL_IN_BLOCK,   /* a comment as in C */
    EM_SQL_IN_BITS,    /* B'…', X'…': '' ends it and starts another */
    EM_SQL_IN_STRING,  /* '…', U&'…' */
    EM_SQL_IN_ESCAPES, /* E'…' */
    EM_SQL_IN_DOLLAR,  /* $tag$…$tag$ */
    EM_SQL_IN_QUOTED,  /* "…", U&"…" */
};

struct em_sql_token {
    enum em_sql_kind kind;
    const char *at; /* in the chunk */
    size_t len;
    bool opens;  /* a quoted string or a block comment starts with this piece */
    bool closes; /* … ends with it */
};

struct em_sql_lex {
    const char *at,
        *end;         /* what is left of the chunk; the caller may move `at` while mode is PLAIN */
    bool std_strings; /* standard_conforming_strings: false makes '…' an E'…' */
    enum em_sql_mode mode;
    /* Internal. */
    size_t depth;               /* of block comments */
    struct em_str tag;          /* "$tag$" */
    enum em_sql_mode continued; /* the string that a ' after white space with a newline continues */
    bool newline;               /* … and that newline was seen */
};

void em_sql_lex_start(struct em_sql_lex *lex);
void em_sql_lex_free(struct em_sql_lex *lex);

/* The next chunk; what was left of the one before is dropped. A new line is a newline to the lexer
 * even if its end wasn't part of the chunk (`line`); a variable's value is not. */
void em_sql_lex_chunk(struct em_sql_lex *lex, const char *bytes, size_t length, bool line);

/* False at the chunk's end. */
bool em_sql_lex_next(struct em_sql_lex *lex, struct em_sql_token *token);

/* The name of a variable token. */
void em_sql_token_name(const struct em_sql_token *token, const char **name, size_t *length);
bool em_sql_is_variable(enum em_sql_kind kind);
/* Whether a WORD is `word`, whatever its case (ASCII). */
bool em_sql_word_is(const struct em_sql_token *token, const char *word);

bool em_sql_name_byte(
    char c); /* may stand in a variable's name: letters, digits, _, bytes >= 128 */

#endif
