/* psql's variables: what they are expanded to, where, and where not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/conditional.h"
#include "embark/core/sql/meta.h"
#include "sql_statements.h"

struct one {
    const char *text, *want;
};

static struct em_sql_vars vars;

static int set_up(void **state)
{
    (void)state;
    em_sql_vars_set(&vars, "v", "va");
    em_sql_vars_set(&vars, "n", "7");
    em_sql_vars_set(&vars, "q", "it's \"so\"");
    em_sql_vars_set(&vars, "b", "a\\b'c");
    em_sql_vars_set(&vars, "empty", "");
    em_sql_vars_set(&vars, "two", "x; y");
    em_sql_vars_set(&vars, "outer", ":v :'q'");
    em_sql_vars_set(&vars, "self", "a :self");
    em_sql_vars_set(&vars, "ping", ":pong");
    em_sql_vars_set(&vars, "pong", ":ping");
    em_sql_vars_set(&vars, "comment", "-- c");
    em_sql_vars_set(&vars, "quoted", "'a;b'");
    em_sql_vars_set(&vars, "1", "one");
    em_sql_vars_set(&vars, "_ü9", "u");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    em_sql_vars_free(&vars);
    return 0;
}

static void check(const struct one *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        EM_STR_AUTO got = EM_STR_INIT;

        statements_of(cases[i].text, strlen(cases[i].text), &vars, &got);
        if (strcmp(em_str_c(&got), cases[i].want) != 0)
            print_error("for: %s\n", cases[i].text);
        assert_string_equal(em_str_c(&got), cases[i].want);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_expansion(void **state)
{
    static const struct one cases[] = {
        {":v;", "1:1 [va;]"},
        {"a:v;", "1:1 [ava;]"},
        {":'v' :\"v\" :v", "1:1 ['va' \"va\" va]"},
        {":'q' :\"q\"", "1:1 ['it''s \"so\"' \"it's \"\"so\"\"\"]"},
        {":'b' :\"b\"", "1:1 [ E'a\\\\b''c' \"a\\b'c\"]"},
        {":'empty':empty;", "1:1 ['';]"},
        {":{?v} :{?nope} :{?1}", "1:1 [TRUE FALSE TRUE]"},
        {":1 :_ü9;", "1:1 [one u;]"},
        {":two;z", "1:1 [x;] 1:1 [y;] 1:6 [z]"},
        {":outer;", "1:1 [va 'it''s \"so\"';]"},
        {":quoted;z", "1:1 ['a;b';] 1:9 [z]"},
        {"a :comment ; z\n;",
         "1:1 [a -- c ;] 1:14 [z\n;]"}, /* as psql: its end is the value's end */
        {"a::v;", "1:1 [a::v;]"},
        {"a:::v;", "1:1 [a::va;]"},
        {"a := :v;", "1:1 [a := va;]"},
        {"a :=v;", "1:1 [a :=v;]"},
        {"a[1:n]", "1:1 [a[17]]"},
        {"1::n", "1:1 [1::n]"},
        {"\\:v;", "1:1 [:v;]"},
        {": v :'v\" :'v w' :{v} :{?v :", "1:1 [: v :'v\" :'v w' :{v} :{?v :]"},
        {"':v' ':''v''' \":v\" $$:v :'v'$$ E'\\':v' /*:v*/ --:v\n:v;",
         "1:1 [':v' ':''v''' \":v\" $$:v :'v'$$ E'\\':v' /*:v*/ --:v\nva;]"},
    };

    (void)state;
    CHECK(cases);
}

static void test_unset(void **state)
{
    static const struct one cases[] = {
        {"a :nope;", "1:1 <nope 1:3 [a :nope;]"},
        {"a\n :'nope' :other;b", "1:1 <nope 2:2 [a\n :'nope' :other;] 2:17 [b]"},
        {":\"nope\"", "1:1 <nope 1:1 [:\"nope\"]"},
        {"f(:nope)", "1:1 <nope 1:3 [f(:nope)]"},
        {"a :self;", "1:1 <self 1:3 [a a :self;]"},
        {":ping", "1:1 <ping 1:1 [:ping]"},
        /* SQL's own colons */
        {"a[1:2]", "1:1 [a[1:2]]"},
        {"a[lo:hi]", "1:1 [a[lo:hi]]"},
        {"a[lo :hi]", "1:1 [a[lo :hi]]"},
        {"(a)[b.lo:\"hi\"]", "1:1 [(a)[b.lo:\"hi\"]]"},
        {"a[1][f(x):hi]", "1:1 [a[1][f(x):hi]]"},
        {"a[:2]", "1:1 [a[:2]]"},
        {"a[:hi]", "1:1 <hi 1:3 [a[:hi]]"},
        {"ARRAY[:x]", "1:1 <x 1:7 [ARRAY[:x]]"},
        {"ARRAY[1, :x]", "1:1 <x 1:10 [ARRAY[1, :x]]"},
        {"ARRAY[1 :x]", "1:1 <x 1:9 [ARRAY[1 :x]]"},
        {"a[1, :x]", "1:1 <x 1:6 [a[1, :x]]"},
        {"a[f(:x)]", "1:1 <x 1:5 [a[f(:x)]]"},
        {"a[1;] :x", "1:1 [a[1;] 1:5 <x 1:7 [] :x]"},
        {"json_object('a':x, c:d, 'e':'f')", "1:1 [json_object('a':x, c:d, 'e':'f')]"},
        {"JSON_OBJECTAGG(k:v2)", "1:1 [JSON_OBJECTAGG(k:v2)]"},
        {"json_object(:x)", "1:1 <x 1:13 [json_object(:x)]"},
        {"json_object(f(:x):d)", "1:1 <x 1:15 [json_object(f(:x):d)]"},
        {"'a':'d'", "1:1 ['a':'d']"},
        {"'a' :'d'", "1:1 <d 1:5 ['a' :'d']"},
        {"12:30", "1:1 [12:30]"},
    };

    (void)state;
    CHECK(cases);
}

static void test_arguments(void **state)
{
    static const struct one cases[] = {
        {"\\echo :v x:v:n :'q' :\"q\" :{?v}",
         "\\echo(va)(xva7)('it''s \"so\"')(\"it's \"\"so\"\"\")(TRUE)"},
        {"\\echo ':v' \":v\"", "\\echo(:v)(\":v\")"},
        {"\\echo :two :outer", "\\echo(x; y)(:v :'q')"}, /* not looked at again */
        {"\\echo :empty x", "\\echo()(x)"},
        {"\\echo :nope a:30 x:", "\\echo(<:nope)(a:30)(x:)"},
    };

    (void)state;
    CHECK(cases);
}

static void test_strip(void **state)
{
    static const char line[] = "a;; 'b;' c';'; ;";
    struct em_sql_meta_words slash = {.at = line, .end = line + strlen(line), .strip = true};
    static const char *const want[] = {"a", "b;", "c;"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EM_STR_AUTO arg = EM_STR_INIT;

        assert_int_equal(em_sql_meta_words_arg(&slash, &arg), EM_SQL_ARG_OK);
        assert_string_equal(em_str_c(&arg), want[i]);
    }
}

/* Positions in what is sent lead back to the file. */
static void test_origins(void **state)
{
    static const char text[] = "\n-- c\n  a :'q' b :outer\n\n c;";
    struct em_sql_source source = em_sql_source("f", text, strlen(text));
    struct em_sql_split split;
    const char *sent;

    (void)state;
    em_sql_split_start(&split, &source, &vars);
    assert_int_equal(em_sql_split_next(&split), EM_SQL_STATEMENT);
    sent = em_str_c(&split.text.bytes);
    assert_string_equal(sent, "a 'it''s \"so\"' b va 'it''s \"so\"'\n c;");
#define ORIGIN(at) em_sql_text_origin(&split.text, (size_t)((at)-sent))
    assert_int_equal(ORIGIN(sent), 8);
    assert_int_equal(ORIGIN(strstr(sent, "it")), 10); /* the variable's place, for all of it */
    assert_int_equal(ORIGIN(strstr(sent, "b va")), 15);
    assert_int_equal(ORIGIN(strstr(sent, "va 'i")), 17);
    assert_int_equal(ORIGIN(strrchr(sent, 'i')), 17);
    assert_int_equal(ORIGIN(strchr(sent, ';')), strlen(text) - 1);
    em_sql_split_free(&split);
}

/* A chain of values that double each time is no way to use up memory or time. */
static void test_bomb(void **state)
{
    struct em_sql_vars bomb = {NULL, 0};
    EM_STR_AUTO got = EM_STR_INIT;

    (void)state;
    em_sql_vars_set(&bomb, "x0", "");
    for (int i = 1; i < 60; i++) {
        char name[16], value[64];

        snprintf(name, sizeof(name), "x%d", i);
        snprintf(value, sizeof(value), ":x%d:x%d:x%d", i - 1, i - 1, i - 1);
        em_sql_vars_set(&bomb, name, value);
    }
    statements_of(":x59;", 5, &bomb, &got);
    assert_non_null(strchr(em_str_c(&got), '<'));
    em_sql_vars_free(&bomb);
}

static void test_set(void **state)
{
    struct em_sql_vars some = {NULL, 0};

    (void)state;
    assert_true(em_sql_vars_set(&some, "a", "1"));
    assert_true(em_sql_vars_set(&some, "A", "2"));
    assert_true(em_sql_vars_set(&some, "9\xC3\xA4_", "3"));
    assert_false(em_sql_vars_set(&some, "", "1"));
    assert_false(em_sql_vars_set(&some, "a-b", "1"));
    assert_false(em_sql_vars_set(&some, "a.b", "1"));
    assert_true(em_sql_vars_set(&some, "a", em_sql_vars_get(&some, "a"))); /* itself */
    assert_string_equal(em_sql_vars_get(&some, "a"), "1");
    em_sql_vars_unset(&some, "a");
    em_sql_vars_unset(&some, "a");
    assert_null(em_sql_vars_get(&some, "a"));
    assert_string_equal(em_sql_vars_get(&some, "A"), "2");
    assert_string_equal(em_sql_vars_find(&some, "Abc", 1), "2");
    em_sql_vars_free(&some);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(em_sql_vars_secret("admin_pass"));
    assert_true(em_sql_vars_secret("DB_PASSWORD"));
    assert_true(em_sql_vars_secret("api_token"));
    assert_true(em_sql_vars_secret("PWD"));
    assert_false(em_sql_vars_secret("dbname"));
    assert_true(em_sql_vars_setting("admin_pass"));
    assert_true(em_sql_vars_setting("_1"));
    assert_false(em_sql_vars_setting("1a"));
    assert_false(em_sql_vars_setting(""));
}

static void test_bool(void **state)
{
    static const char *const yes[] = {"true", "TRUE", "t", "tr", "yes", "y", "on", "ON", "1"};
    static const char *const no[] = {"false", "f", "no", "n", "off", "of", "0"};
    static const char *const none[] = {"", "o", "2", "10", "truer", "onn", ":x", "ye s", "nope"};
    bool value;

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(em_sql_bool(yes[i], &value) && value);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_true(em_sql_bool(no[i], &value) && !value);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(em_sql_bool(none[i], &value));
}

static void test_metas(void **state)
{
    const char *why;

    (void)state;
    assert_int_equal(em_sql_meta("set", NULL), EM_SQL_META_SET);
    assert_int_equal(em_sql_meta("include_relative", NULL), EM_SQL_META_INCLUDE_RELATIVE);
    assert_int_equal(em_sql_meta("pset", NULL), EM_SQL_META_NOTHING);
    assert_int_equal(em_sql_meta("SET", NULL), EM_SQL_META_UNKNOWN);
    assert_int_equal(em_sql_meta("nope", NULL), EM_SQL_META_UNKNOWN);
    assert_int_equal(em_sql_meta("", NULL), EM_SQL_META_UNKNOWN);
    assert_int_equal(em_sql_meta("COPY", &why), EM_SQL_META_REFUSED);
    assert_non_null(strstr(why, "COPY"));
    assert_int_equal(em_sql_meta("dtS+", &why), EM_SQL_META_REFUSED);
    assert_int_equal(em_sql_meta("l+", &why), EM_SQL_META_REFUSED);
    assert_true(em_sql_special("AUTOCOMMIT", "off", &why));
    assert_false(em_sql_special("AUTOCOMMIT", "on", &why));
    assert_true(em_sql_special("ON_ERROR_ROLLBACK", "interactive", &why));
    assert_false(em_sql_special("ON_ERROR_ROLLBACK", "off", &why));
    assert_false(em_sql_special("ON_ERROR_STOP", "on", &why));
}

/* \if in the middle of a statement: text and parentheses of a branch that isn't taken are cut off.
 */
static void test_branches(void **state)
{
    static const char text[] = "a ( b\n\\if\n c (\n\\else\n d )\n\\endif\n ;\n";

    (void)state;
    for (int taken = 0; taken < 2; taken++) {
        struct em_sql_source source = em_sql_source("f", text, strlen(text));
        struct em_sql_conds conds = {.v = NULL};
        struct em_sql_split split;

        em_sql_split_start(&split, &source, &vars);
        assert_int_equal(em_sql_split_next(&split), EM_SQL_META);
        split.lex.at = split.lex.end;
        em_sql_cond_if(&conds, &split, 0, taken);
        assert_int_equal(em_sql_conds_active(&conds), taken);
        assert_int_equal(em_sql_split_next(&split), EM_SQL_META);
        split.lex.at = split.lex.end;
        assert_null(em_sql_cond_else(&conds, &split));
        assert_non_null(em_sql_cond_else(&conds, &split));
        assert_int_equal(em_sql_split_next(&split), EM_SQL_META);
        split.lex.at = split.lex.end;
        assert_null(em_sql_cond_endif(&conds, &split));
        assert_non_null(em_sql_cond_endif(&conds, &split));
        assert_int_equal(split.parens, taken ? 2 : 0);
        assert_int_equal(em_sql_split_next(&split), taken ? EM_SQL_REST : EM_SQL_STATEMENT);
        assert_string_equal(em_str_c(&split.text.bytes),
                            taken ? "a ( b\n c (\n ;" : "a ( b\n d )\n ;");
        em_sql_split_free(&split);
        em_sql_conds_free(&conds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expansion), cmocka_unit_test(test_unset),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_strip),
        cmocka_unit_test(test_origins),   cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_set),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_bool),      cmocka_unit_test(test_metas),
        cmocka_unit_test(test_branches),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
