/* Where statements end and what is in them. What psql itself says to all of these is compared in
 * test/program/sql/test_sql_psql.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sql_statements.h"

struct one {
    const char *text, *want;
};

static void check(const struct one *cases, size_t n, const struct em_sql_vars *vars)
{
    for (size_t i = 0; i < n; i++) {
        EM_STR_AUTO got = EM_STR_INIT;

        statements_of(cases[i].text, strlen(cases[i].text), vars, &got);
        if (strcmp(em_str_c(&got), cases[i].want) != 0)
            print_error("for: %s\n", cases[i].text);
        assert_string_equal(em_str_c(&got), cases[i].want);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]), NULL)

static void test_statements(void **state)
{
    static const struct one cases[] = {
        {"", ""},
        {"  \n\t\n", ""},
        {"SELECT 1;", "1:1 [SELECT 1;]"},
        {"SELECT 1", "1:1 [SELECT 1]"},
        {"a;b;;", "1:1 [a;] 1:3 [b;] 1:5 [;]"},
        {"\n  a ; \n b", "2:3 [a ;] 3:2 [b]"},
        {"a\n\n\nb;", "1:1 [a\nb;]"},
        {"a\r\n\r\nb;\r\nc;\r\n", "1:1 [a\r\n\r\nb;] 4:1 [c;]"},
        {"f(a;b);c;", "1:1 [f(a;b);] 1:8 [c;]"},
        {"f((a;);b);c", "1:1 [f((a;);b);] 1:11 [c]"},
        {");a;", "1:1 [);] 1:3 [a;]"},
        {"a[1;2];", "1:1 [a[1;] 1:5 [2];]"},
        {"\xEF\xBB\xBFSELECT 1;", "1:1 [SELECT 1;]"},
        {"ä; ü;", "1:1 [ä;] 1:4 [ü;]"},
    };

    (void)state;
    CHECK(cases);
}

static void test_comments(void **state)
{
    static const struct one cases[] = {
        {"-- a;\nb;", "2:1 [b;]"},
        {"a -- ;\nb;", "1:1 [a -- ;\nb;]"},
        {"a --", "1:1 [a --]"},
        {"/* a; */ b;", "1:10 [/* a; */ b;]"},
        {"/* a; /* b; */ c; */ d;", "1:22 [/* a; /* b; */ c; */ d;]"},
        {"/*/ a; */ b;", "1:11 [/*/ a; */ b;]"},
        {"/**/a;", "1:5 [/**/a;]"},
        {"/* a\n\nb */;", "3:5 [/* a\n\nb */;]"},
        {"a +-- b;\n;", "1:1 [a +-- b;\n;]"},
        {"a */* b; */ c;", "1:1 [a */* b; */ c;]"},
        {"a - - b;c", "1:1 [a - - b;] 1:9 [c]"},
        {"/* only */", "[/* only */]"},
        {"1e--;\nx;",
         "1:1 [1e--;] 2:1 [x;]"}, /* 1e- is a number gone wrong, as the server lexes it */
    };

    (void)state;
    CHECK(cases);
}

static void test_quotes(void **state)
{
    static const struct one cases[] = {
        {"'a;';b", "1:1 ['a;';] 1:6 [b]"},
        {"'it''s;';b", "1:1 ['it''s;';] 1:10 [b]"},
        {"'a\\';b", "1:1 ['a\\';] 1:6 [b]"},
        {"E'a\\';';b", "1:1 [E'a\\';';] 1:9 [b]"},
        {"e'\\\\';b", "1:1 [e'\\\\';] 1:7 [b]"},
        {"E'\n\\\n;';b", "1:1 [E'\n\\\n;';] 3:4 [b]"},
        {"xE'a\\';b;", "1:1 [xE'a\\';] 1:8 [b;]"}, /* the end of an identifier */
        {"1E'a\\';b;", "1:1 [1E'a\\';] 1:8 [b;]"},
        {"U&'a;\\' ;b;", "1:1 [U&'a;\\' ;] 1:10 [b;]"},
        {"U&\"a;\";b;", "1:1 [U&\"a;\";] 1:8 [b;]"},
        {"B'0;';X'1;';N'a;';d", "1:1 [B'0;';] 1:7 [X'1;';] 1:13 [N'a;';] 1:19 [d]"},
        {"\"a;\";\"b\"\";\";c", "1:1 [\"a;\";] 1:6 [\"b\"\";\";] 1:13 [c]"},
        {"'a\n\n;b';c", "1:1 ['a\n\n;b';] 3:5 [c]"},
        {"'open;\nx;", "1:1 ['open;\nx;]"},
        {"E'a'\n'b\\';c';d",
         "1:1 [E'a'\n'b\\';c';] 2:9 [d]"}, /* continued, so still with escapes */
        {"E'a' -- x\n\n 'b\\';c';d", "1:1 [E'a' -- x\n 'b\\';c';] 3:10 [d]"},
        {"E'a' 'b\\';c;d", "1:1 [E'a' 'b\\';] 1:11 [c;] 1:13 [d]"}, /* no newline: another string */
        {"E'a'/**/\n'b\\';c;d", "1:1 [E'a'/**/\n'b\\';] 2:6 [c;] 2:8 [d]"},
        {"'a'\n'b\\';c", "1:1 ['a'\n'b\\';] 2:6 [c]"},
    };

    (void)state;
    CHECK(cases);
}

static void test_dollars(void **state)
{
    static const struct one cases[] = {
        {"$$a;$$;b", "1:1 [$$a;$$;] 1:8 [b]"},
        {"$x$a;$$;$y$;$x$;b", "1:1 [$x$a;$$;$y$;$x$;] 1:17 [b]"},
        {"$a$;$a;$a$;b", "1:1 [$a$;$a;$a$;] 1:12 [b]"},
        {"$a$x$$a$;b", "1:1 [$a$x$$a$;] 1:10 [b]"},
        {"$A$;$a$;$A$;b", "1:1 [$A$;$a$;$A$;] 1:13 [b]"}, /* case counts */
        {"a$b$c;d$b$;", "1:1 [a$b$c;] 1:7 [d$b$;]"},      /* an identifier */
        {"1$b$c;$b$;", "1:1 [1$b$c;$b$;]"},
        {"1a$b$c;$b$;", "1:1 [1a$b$c;] 1:8 [$b$;]"},
        {"$1$b$;$b$;c", "1:1 [$1$b$;$b$;] 1:11 [c]"},
        {"$1a$b$;", "1:1 [$1a$b$;]"},
        {"$1x;$2;", "1:1 [$1x;] 1:5 [$2;]"},
        {"$ä$;$ä$;b", "1:1 [$ä$;$ä$;] 1:9 [b]"},
        {"$a-$;b", "1:1 [$a-$;] 1:6 [b]"},
        {"$$\n;\n\n$$;b", "1:1 [$$\n;\n\n$$;] 4:4 [b]"},
        {"$x$\n;$\nx$;$x$;b", "1:1 [$x$\n;$\nx$;$x$;] 3:8 [b]"},
    };

    (void)state;
    CHECK(cases);
}

static void test_bodies(void **state)
{
    static const struct one cases[] = {
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; x;",
         "1:1 [CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;] 1:71 [x;]"},
        {"create or replace procedure f() begin atomic select case when a then 1 end; end; x;",
         "1:1 [create or replace procedure f() begin atomic select case when a then 1 end; end;] "
         "1:82 [x;]"},
        {"CREATE FUNCTION f() BEGIN ATOMIC\nSELECT CASE CASE WHEN 1 THEN 2 END WHEN 3 THEN 4 "
         "END;\nEND;x",
         "1:1 [CREATE FUNCTION f() BEGIN ATOMIC\nSELECT CASE CASE WHEN 1 THEN 2 END WHEN 3 THEN 4 "
         "END;\nEND;] 3:5 [x]"},
        {"BEGIN; a; END; CREATE TABLE begin (a int); b;",
         "1:1 [BEGIN;] 1:8 [a;] 1:11 [END;] 1:16 [CREATE TABLE begin (a int);] 1:44 [b;]"},
        {"CREATE FUNCTION f(a int DEFAULT (begin;)) x; b;",
         "1:1 [CREATE FUNCTION f(a int DEFAULT (begin;)) x;] 1:46 [b;]"},
        {"CREATE OR ALTER FUNCTION f BEGIN; b;",
         "1:1 [CREATE OR ALTER FUNCTION f BEGIN;] 1:35 [b;]"},
        {"x\\; CREATE FUNCTION f BEGIN a; END; b;",
         "1:1 [x; CREATE FUNCTION f BEGIN a; END;] 1:37 [b;]"},
        {"CREATE UNIQUE INDEX f; CREATE FUNCTION f BEGIN a; b;",
         "1:1 [CREATE UNIQUE INDEX f;] 1:24 [CREATE FUNCTION f BEGIN a; b;]"},
    };

    (void)state;
    CHECK(cases);
}

static void test_meta(void **state)
{
    static const struct one cases[] = {
        {"\\set a b", "\\set(a)(b)"},
        {"\\set a b;\nc;", "\\set(a)(b;) 2:1 [c;]"},
        {"\\set a 'b '' \\n\\101\\x42\\z' \"c d\"\n", "\\set(a)(b ' \nABz)(\"c d\")"},
        {"\\set a 'b'c\"d\"\n", "\\set(a)(bc\"d\")"},
        {"\\set a '' x", "\\set(a)()(x)"},
        {"\\echo 'open\n;", "\\echo(open 2:1 [;]"},
        {"\\a \\\\ b;", "\\a 1:7 [b;]"},
        {"\\a\\b\\\\c;", "\\a \\b 1:7 [c;]"},
        {"x \\g\ny;", "\\g 1:1 [x \ny;]"}, /* what \g does is the caller's business */
        {"x\n\\a\ny;", "\\a 1:1 [x\ny;]"},
        {"x\n  \\a\ny;", "\\a 1:1 [x\n  \ny;]"},
        {"'\\a' \"\\b\" $$\\c$$ /*\\d*/ --\\e\n;", "1:1 ['\\a' \"\\b\" $$\\c$$ /*\\d*/ --\\e\n;]"},
        {"a\\;b;c", "1:1 [a;b;] 1:6 [c]"},
        {"a\\:b;", "1:1 [a:b;]"},
        {"(\\set x)\n);", "\\set(x)) 1:1 [(\n);]"},
        {"\\echo `ls -l` x", "\\echo(ls -l)(x)"},
        {"\\", "\\"},
    };

    (void)state;
    CHECK(cases);
}

static void test_copy(void **state)
{
    static const struct one cases[] = {
        {"COPY t FROM stdin;\n1\t;\n'\n\\.\na;", "1:1 [COPY t FROM stdin;]{1\t;\n'\n} 5:1 [a;]"},
        {"copy t (a, b) from STDIN WITH (format csv); a;\n1\n\\.\r\nb",
         "1:1 [copy t (a, b) from STDIN WITH (format csv);]{1\n} 1:45 [a;] 4:1 [b]"},
        {"COPY t FROM stdin; COPY u FROM stdin;\n1\n\\.\n2\n\\.\nb",
         "1:1 [COPY t FROM stdin;]{1\n} 1:20 [COPY u FROM stdin;]{2\n} 6:1 [b]"},
        {"select 0\\; copy t from stdin\\; copy t from stdin\\; x;\n1\n\\.\n\\.\ny",
         "1:1 [select 0; copy t from stdin; copy t from stdin; x;]{1\n}{} 5:1 [y]"},
        {"COPY t FROM stdin;\n1\n\\.x\n", "1:1 [COPY t FROM stdin;]{1\n\\.x\n"},
        {"COPY t FROM stdin;", "1:1 [COPY t FROM stdin;]{"},
        {"COPY t FROM stdin;\n\\.", "1:1 [COPY t FROM stdin;]{}"},
        {"COPY t FROM 'stdin';\n1;", "1:1 [COPY t FROM 'stdin';] 2:1 [1;]"},
        {"COPY (SELECT 1 FROM stdin) TO x;1;", "1:1 [COPY (SELECT 1 FROM stdin) TO x;] 1:33 [1;]"},
        {"SELECT copy FROM stdin;1;", "1:1 [SELECT copy FROM stdin;] 1:24 [1;]"},
        {"COPY t FROM stdout;\n1\n\\.\n", "1:1 [COPY t FROM stdout;]{1\n}"},
    };

    (void)state;
    CHECK(cases);
}

static void test_has_data(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"x;\n1\n2\n\\.\n", true},        {"x;\n\\.\n", true},   {"x;\n1\nselect;\n\\.\n", false},
        {"x;\nselect ;  \r\n\\.", false}, {"x;\n1\n2\n", false}, {"x;", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct em_sql_source source = em_sql_source("f", cases[i].text, strlen(cases[i].text));
        struct em_sql_split split;

        em_sql_split_start(&split, &source, NULL);
        assert_int_equal(em_sql_split_next(&split), EM_SQL_STATEMENT);
        assert_int_equal(em_sql_split_has_data(&split), cases[i].want);
        em_sql_split_free(&split);
    }
}

static void test_standard_strings(void **state)
{
    static const char text[] = "a; 'b\\';\nc\\';d;\n'e\\';f;";
    struct em_sql_source source = em_sql_source("f", text, strlen(text));
    struct em_sql_split split;

    (void)state;
    em_sql_split_start(&split, &source, NULL);
    assert_int_equal(em_sql_split_next(&split), EM_SQL_STATEMENT);
    split.std_strings = false; /* holds from the next line on, as with psql */
    em_sql_split_clear(&split);
    assert_int_equal(em_sql_split_next(&split), EM_SQL_STATEMENT);
    assert_string_equal(em_str_c(&split.text.bytes), "'b\\';");
    em_sql_split_clear(&split);
    assert_int_equal(em_sql_split_next(&split), EM_SQL_META);
    split.lex.at = split.lex.end;
    em_sql_split_reset(&split);
    assert_int_equal(em_sql_split_next(&split), EM_SQL_REST);
    assert_string_equal(em_str_c(&split.text.bytes), "'e\\';f;");
    em_sql_split_free(&split);
}

/* Columns are characters; what isn't UTF-8 counts byte by byte. */
static void test_places(void **state)
{
    static const char text[] = "ab\n\xC3\xA4\xE2\x82\xACx\n\xFF\xC3x\n\xF0\x9F\x98\x80y";
    struct em_sql_source source = em_sql_source("f", text, strlen(text));
    static const struct {
        size_t offset, line, column;
    } cases[] = {
        {0, 1, 1},  {2, 1, 3},  {3, 2, 1},  {5, 2, 2},  {8, 2, 3},  {9, 2, 4},
        {10, 3, 1}, {11, 3, 2}, {12, 3, 3}, {18, 4, 2}, {99, 4, 3},
    };

    (void)state;
    for (size_t i = 0; i < 3 * sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = sizeof(cases) / sizeof(cases[0]);
        size_t k = i < n ? i : i < 2 * n ? 2 * n - 1 - i : (i * 7) % n; /* forth, back, anyhow */
        struct em_sql_place place = em_sql_place(&source, cases[k].offset);

        assert_int_equal(place.line, cases[k].line);
        assert_int_equal(place.column, cases[k].column);
    }
}

static void test_text(void **state)
{
    struct em_sql_text text = {.n = 0};

    (void)state;
    assert_int_equal(em_sql_text_origin(&text, 5), 0);
    em_sql_text_copy(&text, "abc", 3, 10);
    em_sql_text_copy(&text, "de", 2, 13);
    assert_int_equal(text.n, 1);
    em_sql_text_made(&text, "VALUE", 5, 15);
    em_sql_text_made(&text, "MORE", 4, 15);
    assert_int_equal(text.n, 2);
    em_sql_text_copy(&text, "fg", 2, 18);
    em_sql_text_copy(&text, "", 0, 99);
    assert_int_equal(em_sql_text_origin(&text, 0), 10);
    assert_int_equal(em_sql_text_origin(&text, 4), 14);
    assert_int_equal(em_sql_text_origin(&text, 5), 15);
    assert_int_equal(em_sql_text_origin(&text, 13), 15);
    assert_int_equal(em_sql_text_origin(&text, 14), 18);
    assert_int_equal(em_sql_text_origin(&text, 15), 19);
    assert_int_equal(em_sql_text_origin(&text, 1000), 19);
    em_sql_text_cut(&text, 6);
    assert_int_equal(text.n, 2);
    em_sql_text_copy(&text, "x", 1, 30);
    assert_int_equal(em_sql_text_origin(&text, 6), 30);
    em_sql_text_cut(&text, 0);
    assert_int_equal(text.n, 0);
    em_sql_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_dollars),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_meta),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_has_data),
        cmocka_unit_test(test_standard_strings),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
