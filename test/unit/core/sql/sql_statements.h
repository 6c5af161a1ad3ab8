/* For the tests of the SQL lexer: a text's statements and meta-commands, as one string. */
#ifndef SQL_STATEMENTS_H
#define SQL_STATEMENTS_H

#include "embark/core/sql/meta_words.h"
#include "embark/core/sql/splitter.h"

/* "1:1 [SELECT 1;] 2:3 [rest] \set(a)(b)", with < for an unset variable. A COPY takes its data:
 * {…}. */
static inline void statements_of(const char *text, size_t length, const struct em_sql_vars *vars,
                                 struct em_str *out)
{
    struct em_sql_source source = em_sql_source("f", text, length);
    struct em_sql_split split;
    enum em_sql_event event;

    em_sql_split_start(&split, &source, vars);
    while ((event = em_sql_split_next(&split)) != EM_SQL_END) {
        if (out->len)
            em_str_putc(out, ' ');
        if (event == EM_SQL_META) {
            struct em_sql_meta_words slash = {
                .at = split.lex.at, .end = split.lex.end, .vars = vars};
            EM_STR_AUTO name = EM_STR_INIT;

            em_sql_meta_words_name(&slash, &name);
            em_str_printf(out, "\\%s", em_str_c(&name));
            for (;;) {
                EM_STR_AUTO arg = EM_STR_INIT;
                enum em_sql_arg got = em_sql_meta_words_arg(&slash, &arg);

                if (got == EM_SQL_ARG_OPEN)
                    em_str_puts(out, "(open");
                if (got != EM_SQL_ARG_OK)
                    break;
                em_str_printf(out, "(%s%s)", slash.unset ? "<" : "", em_str_c(&arg));
            }
            em_sql_meta_words_end(&slash);
            split.lex.at = slash.at;
            continue;
        }
        if (split.statement != EM_SQL_NOWHERE) {
            struct em_sql_place place = em_sql_place(&source, split.statement);

            em_str_printf(out, "%zu:%zu ", place.line, place.column);
        }
        if (split.trouble != EM_SQL_FINE) {
            struct em_sql_place place = em_sql_place(&source, split.trouble_at);

            em_str_printf(out, "<%s %zu:%zu ", em_str_c(&split.trouble_name), place.line,
                          place.column);
        }
        em_str_putc(out, '[');
        em_str_add(out, em_str_c(&split.text.bytes), split.text.bytes.len);
        em_str_putc(out, ']');
        for (size_t i = 0; i < split.copies; i++) {
            size_t start, n;
            bool closed;

            em_sql_split_data(&split, &start, &n, &closed);
            em_str_putc(out, '{');
            em_str_add(out, text + start, n);
            em_str_puts(out, closed ? "}" : "");
        }
        em_sql_split_clear(&split);
        if (event == EM_SQL_REST)
            break;
    }
    em_sql_split_free(&split);
}

#endif
