/* What always holds for the SQL lexer, splitter and linter, whatever the bytes. For the fuzzer, and
 * for the unit test that does the same with random bytes of its own. */
#ifndef SQL_INVARIANTS_H
#define SQL_INVARIANTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/conditional.h"
#include "embark/core/sql/lint/lint.h"
#include "embark/core/sql/meta.h"
#include "embark/core/sql/meta_words.h"
#include "embark/core/sql/splitter.h"

#define MUST(condition)                                                     \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* Tokens are never empty, and leave nothing out, however the text is cut into chunks. */
static inline void check_tokens(const char *bytes, size_t length, size_t chunk)
{
    struct em_sql_lex lex;
    struct em_sql_token token;
    size_t at = 0;

    em_sql_lex_start(&lex);
    while (at < length) {
        size_t n = length - at < chunk ? length - at : chunk;

        em_sql_lex_chunk(&lex, bytes + at, n, at % 2);
        while (em_sql_lex_next(&lex, &token)) {
            MUST(token.len > 0 && token.at == bytes + at);
            at += token.len;
            MUST(at <= length);
        }
        MUST(lex.at == lex.end && lex.end == bytes + at);
    }
    em_sql_lex_free(&lex);
}

static inline void check_text(const struct em_sql_source *source, const struct em_sql_text *text)
{
    for (size_t i = 0; i < text->n; i++) {
        const struct em_sql_piece *piece = &text->pieces[i];
        size_t end = i + 1 < text->n ? text->pieces[i + 1].at : text->bytes.len;

        MUST(piece->at < end && piece->origin < source->length);
        MUST(em_sql_text_origin(text, piece->at) == piece->origin);
        if (!piece->copied)
            continue;
        MUST(piece->origin + (end - piece->at) <= source->length);
        MUST(!memcmp(source->bytes + piece->origin, text->bytes.data + piece->at, end - piece->at));
        MUST(em_sql_text_origin(text, end - 1) == piece->origin + (end - 1 - piece->at));
    }
    MUST(!text->n == !text->bytes.len);
}

static inline void take_meta(struct em_sql_split *split, struct em_sql_conds *conds,
                             const struct em_sql_vars *vars)
{
    struct em_sql_meta_words slash = {.at = split->lex.at, .end = split->lex.end, .vars = vars};
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO arg = EM_STR_INIT;
    enum em_sql_what what;
    bool ask;

    em_sql_meta_words_name(&slash, &name);
    what = em_sql_meta(em_str_c(&name), NULL);
    if (what == EM_SQL_META_IF)
        em_sql_cond_if(conds, split, 0, name.len % 2);
    else if (what == EM_SQL_META_ELSE)
        em_sql_cond_else(conds, split);
    else if (what == EM_SQL_META_ENDIF)
        em_sql_cond_endif(conds, split);
    else if (what == EM_SQL_META_ELIF && !em_sql_cond_elif(conds, split, &ask) && ask)
        em_sql_cond_decide(conds, slash.end > slash.at && *slash.at == 't');
    else if (what == EM_SQL_META_GO)
        em_sql_split_reset(split);
    split->active = em_sql_conds_active(conds);
    while (em_sql_meta_words_arg(&slash, &arg) == EM_SQL_ARG_OK)
        MUST(slash.at <= slash.end);
    em_sql_meta_words_end(&slash);
    MUST(slash.at >= split->lex.at && slash.at <= slash.end);
    split->lex.at = slash.at;
}

static inline void check_split(const char *bytes, size_t length, const struct em_sql_vars *vars)
{
    struct em_sql_source source = em_sql_source("f", bytes, length);
    struct em_sql_conds conds = {.v = NULL};
    struct em_sql_split split;
    enum em_sql_event event;

    em_sql_split_start(&split, &source, vars);
    while ((event = em_sql_split_next(&split)) != EM_SQL_END) {
        check_text(&source, &split.text);
        if (event == EM_SQL_META) {
            take_meta(&split, &conds, vars);
            continue;
        }
        MUST(split.text.bytes.len > 0);
        MUST(split.trouble == EM_SQL_FINE || split.trouble_at < length);
        for (; split.copies > 0; split.copies--) {
            size_t start, n;
            bool closed;

            em_sql_split_data(&split, &start, &n, &closed);
            MUST(start <= length && n <= length - start);
        }
        if (split.active)
            em_sql_split_clear(&split);
        if (event == EM_SQL_REST)
            break;
    }
    em_sql_split_free(&split);
    em_sql_conds_free(&conds);
}

static inline void check_lint(const char *bytes, size_t length, bool guess)
{
    struct em_sql_source source = em_sql_source("f", bytes, length);
    struct em_sql_lint lint = {.guess = guess};

    em_sql_vars_set(&lint.vars, "v", "x");
    MUST(em_sql_lint(&lint, &source) == (lint.errs.n == 0));
    MUST(lint.errs.n <= EM_SQL_LINT_MOST + 1);
    for (size_t i = 0; i < lint.errs.n; i++)
        MUST(em_starts(em_str_c(&lint.errs.v[i].text), "f:"));
    em_sql_lint_free(&lint);
}

static inline void check_sql(const char *bytes, size_t length)
{
    struct em_sql_vars vars = {NULL, 0};

    em_sql_vars_set(&vars, "v", "a; 'b' :w $$");
    em_sql_vars_set(&vars, "w", ":'v' \\x :v");
    em_sql_vars_set(&vars, "x", "(");
    check_tokens(bytes, length, length ? length : 1);
    check_tokens(bytes, length, 1 + length / 7);
    check_split(bytes, length, &vars);
    check_split(bytes, length, NULL);
    check_lint(bytes, length, false);
    check_lint(bytes, length, true);
    em_sql_vars_free(&vars);
}

#endif
