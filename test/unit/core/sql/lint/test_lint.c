/* What the linter finds, where, and above all what it leaves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/lint/lint.h"

/* Variables that are set; `guess`: others may be, too. */
static void lint_text(const char *text, bool guess, struct em_sql_lint *lint)
{
    struct em_sql_source source = em_sql_source("f.sql", text, strlen(text));

    memset(lint, 0, sizeof(*lint));
    em_sql_vars_set(&lint->vars, "admin_pass", "x");
    em_sql_vars_set(&lint->vars, "name", "x");
    lint->guess = guess;
    em_sql_lint(lint, &source);
}

static void join(const struct em_errs *errs, struct em_str *out)
{
    for (size_t i = 0; i < errs->n; i++)
        em_str_printf(out, "%s%s\n  %s", i ? "\n" : "", em_str_c(&errs->v[i].text),
                      em_str_c(&errs->v[i].hint));
}

/* Nothing: neither errors nor warnings. */
static void quiet(const char *text)
{
    for (int guess = 0; guess < 2; guess++) {
        struct em_sql_lint lint;
        EM_STR_AUTO got = EM_STR_INIT;

        lint_text(text, guess, &lint);
        join(&lint.errs, &got);
        join(&lint.warnings, &got);
        if (got.len)
            print_error("for: %s\n", text);
        assert_string_equal(em_str_c(&got), "");
        em_sql_lint_free(&lint);
    }
}

/* One finding, which starts with `place` and holds `part`. */
static void finds(const char *text, bool fatal, const char *place, const char *part)
{
    struct em_sql_lint lint;
    EM_STR_AUTO got = EM_STR_INIT;

    lint_text(text, false, &lint);
    join(fatal ? &lint.errs : &lint.warnings, &got);
    if ((fatal ? lint.errs.n : lint.warnings.n) != 1 || (fatal ? lint.warnings.n : lint.errs.n) ||
        !em_starts(em_str_c(&got), place) || !strstr(em_str_c(&got), part)) {
        join(fatal ? &lint.warnings : &lint.errs, &got);
        fail_msg("for: %s\nwanted: %s … %s\nfound: %s", text, place, part, em_str_c(&got));
    }
    em_sql_lint_free(&lint);
}
#define WRONG(text, place, part) finds(text, true, "f.sql:" place ": ", part)
#define DOUBT(text, place, part) finds(text, false, "f.sql:" place ": ", part)

static void test_story(void **state)
{
    struct em_sql_lint lint;

    (void)state;
    lint_text("CREATE TABLE t (id int);\n"
              "DO $$\n"
              "BEGIN\n"
              "    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN\n"
              "        CREATE ROLE app LOGIN PASSWORD :'admin_pass';\n"
              "    END IF;\n"
              "END $$;\n",
              false, &lint);
    assert_int_equal(lint.errs.n, 1);
    assert_int_equal(lint.errs.v[0].code, EM_EXIT_SQL);
    assert_string_equal(
        em_str_c(&lint.errs.v[0].text),
        "f.sql:5:40: :'admin_pass' stands inside of dollar quotes (opened at 2:4), where no "
        "variable is "
        "expanded: the server would see the colon, and say: syntax error at or near \":\"");
    assert_non_null(strstr(em_str_c(&lint.errs.v[0].hint), "current_setting('embark.admin_pass')"));
    em_sql_lint_free(&lint);
    quiet("SELECT set_config('vars.admin_pass', :'admin_pass', false);\n"
          "DO $$ BEGIN EXECUTE format('ALTER ROLE app PASSWORD %L', "
          "current_setting('vars.admin_pass')); END $$;");
    quiet("DO $$ BEGIN PERFORM current_setting('embark.admin_pass'); END $$;");
}

static void test_code(void **state)
{
    (void)state;
    WRONG("DO $$ :x $$;", "1:7", "embark.x");
    WRONG("DO LANGUAGE plpgsql $$ :\"x\" $$;", "1:24", "embark.x");
    WRONG("do $x$ :{?x} $x$ language 'plpgsql';", "1:8", "opened at 1:4");
    WRONG("CREATE FUNCTION f() RETURNS int AS $$ SELECT :name $$ LANGUAGE sql;", "1:46", "");
    WRONG("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT :name $$;", "1:70",
          "");
    WRONG("CREATE PROCEDURE f() AS $b$\n\n :name $b$ LANGUAGE SQL;", "3:2", "");
    WRONG("DO $$ BEGIN x := :name; END $$;", "1:18", "");
    WRONG("DO $$ x(1, :name) $$;", "1:12", "");
    WRONG("DO $$ ARRAY[:name] $$;", "1:13", "");
    WRONG("DO $$ 'it''s' || :'name' $$;", "1:18", "");
    WRONG("DO $$ :1x $$;", "1:7", "embark.v1x");
    WRONG("DO $$ EXECUTE $q$ SELECT :'other' $q$ $$;", "1:26", "opened at 1:4");
    WRONG("DO $$ EXECUTE /* x */ format ( $q$ SELECT :\"x\" $q$, 1) $$;", "1:43", "embark.x");
    DOUBT("DO $$ PERFORM f($q$ :'name' $q$) $$;", "1:21", "opened at 1:4");
    WRONG("DO $$\xC3\xA4 :x $$;", "1:8", "");
}

static void test_no_variables(void **state)
{
    static const char *const bodies[] = {
        "x::int",
        "x::name",
        "x := 1",
        "x :=name",
        "a[1:2]",
        "a[lo:hi]",
        "a[f(x) :name]",
        "'12:30'::time",
        "'a:name :name x'",
        "\":name\"",
        "E'\\':name'",
        "-- it's :name\n",
        "/* :'name' ' */",
        "/* /* ' */ :'name' */",
        "substring(x, '(?:a|b):name')",
        "<<label>> LOOP EXIT label; END LOOP",
        "CASE WHEN a THEN b ELSE c END",
        "json_object('a':b, c:d)",
        "JSON_OBJECT('a':'b')",
        "x ?:name",
        "EXECUTE $q$ SELECT '(?:x)', a:b $q$",
        "RAISE NOTICE 'it is %: %', a, b",
        "to_char(now(), 'HH24:MI:SS')",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        /* A string with :name in it may be meant: a warning where the name is set. Here it isn't.
         */
        char *body = em_strdup(bodies[i]);

        for (char *p = body; (p = strstr(p, "name")) != NULL;)
            memcpy(p, "nope", 4);
        em_str_printf(&text, "DO $$ BEGIN %s; END $$; SELECT 1;", body);
        quiet(em_str_c(&text));
        free(body);
    }
}

static void test_other_code(void **state)
{
    (void)state;
    quiet("CREATE FUNCTION f() RETURNS int AS $$ return {'a':nope, b[lo:hi]} $$ LANGUAGE "
          "plpython3u;");
    quiet("DO LANGUAGE plperl $$ my $x = $y ? :nope; # it's\n $$;");
    quiet("DO $$ lambda x:nope $$ LANGUAGE 'plpython3u';");
    quiet("INSERT INTO t VALUES ($$ it's :nope, and :'nope' $$);");
    quiet("INSERT INTO t VALUES ($${\"user\":\"name\"}$$, $$ :name $$);");
    quiet("COMMENT ON FUNCTION f() IS $$ see :nope $$;");
    DOUBT("INSERT INTO t VALUES ($$ :'name' $$);", "1:26", "name");
    DOUBT("DO LANGUAGE plperl $$ spi_exec(\"SELECT \" . (:'name')) $$;", "1:45", "name");
    WRONG("DO $$ BEGIN EXECUTE $q$ SELECT :'name' $q$; END $$;", "1:32", "name");
}

static void test_strings(void **state)
{
    struct em_sql_lint lint;

    (void)state;
    quiet("SELECT 'a:b', ' :nope', ':12', 'x:name', '::name', ':', ':name:', '12:30';");
    DOUBT("SELECT ':admin_pass';", "1:9", "write :'admin_pass' in place of ':admin_pass'");
    DOUBT("SELECT 'postgres://app:admin_pass@db :admin_pass';", "1:38", "||");
    DOUBT("DO $$ BEGIN PERFORM ':admin_pass'; END $$;", "1:22", "");
    DOUBT("SELECT\n'a\n :admin_pass';", "3:2", "");
    /* Where the variables aren't known, what is nothing but :name looks meant. */
    lint_text("SELECT ':nope', 'a :nope';", true, &lint);
    assert_int_equal(lint.warnings.n, 1);
    em_sql_lint_free(&lint);
}

static void test_inverted(void **state)
{
    (void)state;
    WRONG("SELECT 'it -- not\n, :'admin_pass' || 'x;", "2:3", "is no variable here");
    WRONG("UPDATE t SET a = 'x, b = :'name';\nSELECT 'x';\n';", "1:26", "opened at 1:18");
    quiet("SELECT U&'a:'UESCAPE'!';");
    quiet("SELECT 'a:' 'b', 'a:'::text, 'a:'||x||'b';");
}

static void test_open(void **state)
{
    (void)state;
    WRONG("SELECT 1;\n SELECT 'a\n b;", "2:9", "string");
    WRONG("SELECT E'a\\';", "1:8", "string");
    WRONG("SELECT \"a;", "1:8", "identifier");
    WRONG("a /* b /* */ ;", "1:3", "comment");
    WRONG("DO $x$ a $$ b;", "1:4", "$x$");
    WRONG("SELECT f(\n(a);\nb;", "1:9", "parenthesis");
    WRONG("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1;", "1:21", "END");
    WRONG("\\if true\nSELECT 1;\n", "1:1", "\\endif");
    WRONG("a\n\\else\n;", "2:1", "no \\if");
    quiet("SELECT 1");
    quiet("SELECT 1 -- it's\n");
    quiet("/* only */\n");
    quiet("SELECT 1 \\q\n ' ( $$");
    quiet("a (\n\\if true\n b )\n\\else\n c )\n\\endif\n;");
}

static void test_unset(void **state)
{
    (void)state;
    WRONG("SELECT\n  :nope;", "2:3", "nope is not set");
    WRONG("\\echo x :nope", "1:9", "nope");
    WRONG("SELECT :x;\n\\set x 1\nSELECT :x;", "1:8", "x is not set");
    quiet("\\set x 1\nSELECT :x, :'x';");
    quiet("\\getenv x HOME\nSELECT :x;");
    quiet("SELECT 1 AS x \\gset\nSELECT :x;");
    quiet("SELECT :{?nope};\n\\if :{?nope}\n\\echo :nope\nSELECT :nope;\n\\endif\n");
    quiet("SELECT :DBNAME, :'SQLSTATE';");
    quiet("SELECT a[1:2], a[lo:hi], '12:30', a::b;");
    quiet("\\echo 'it :nope'\n\\echo 12:30");
    quiet("SELECT '\\:', 1 \\: 2;");
}

static void test_meta(void **state)
{
    (void)state;
    WRONG("a;\n  \\copy t from 'x'\n", "2:3", "COPY … FROM stdin");
    WRONG("\\c other\n", "1:1", "one session");
    WRONG("\\! ls `a` \\n", "1:1", "no shell");
    WRONG("\\nope 'x", "1:1", "there is no meta-command \\nope"); /* one finding, not two */
    WRONG("\\set x `ls`", "1:1", "\\getenv");
    WRONG("\\set x 'a", "1:1", "not closed");
    WRONG("\\set a-b 1", "1:1", "a-b");
    WRONG("\\set AUTOCOMMIT off", "1:1", "BEGIN");
    WRONG("SELECT 1 \\g |cat", "1:10", "no program");
    WRONG("\\o | cat", "1:1", "no program");
    quiet("SELECT 1 \\g file\n\\o file\nSELECT 2 \\gx (format=csv) file");
    WRONG("\\i", "1:1", "a file's name");
    WRONG("\\copy t from stdin\nit's\n\\.\nSELECT 1;", "1:1", "refused");
    quiet("\\set ON_ERROR_STOP on\n\\pset null x\n\\timing\n\\x \\t \\a\n");
    quiet("\\if true\n\\copy t from 'x'\n\\c x\n\\endif\n");
    quiet("SELECT 1 \\g (format=csv)\n");
    quiet("\\restrict abc\nSELECT 1;\n\\unrestrict abc\n");
    DOUBT("SELECT 1;\n\\.\n", "2:1", "COPY");
    DOUBT("\\if true\n\\nope\n\\endif\n", "2:1", "\\nope");
}

static void test_copy(void **state)
{
    (void)state;
    quiet("COPY t FROM stdin;\nit's\t:nope\t(\n\\.\nSELECT 1;\n");
    quiet("COPY t FROM stdin;\na;\nit's;\n\\.\nSELECT 1;\n");
    DOUBT("COPY t FROM stdin;\nit's\n", "1:1", "\\.");
}

static void test_settings(void **state)
{
    (void)state;
    quiet("SET standard_conforming_strings = off;\nSELECT 'it\\'s';\nRESET "
          "standard_conforming_strings;\nSELECT 'a\\';");
    quiet("set session standard_conforming_strings to 'off';\nSELECT 'it\\'s';\nset "
          "standard_conforming_strings=on;\nSELECT 'a\\';");
}

static void test_no_text(void **state)
{
    struct em_sql_source source = em_sql_source("f.sql", "a\n b\0c", 6);
    struct em_sql_lint lint;

    (void)state;
    memset(&lint, 0, sizeof(lint));
    assert_false(em_sql_lint(&lint, &source));
    assert_int_equal(lint.errs.n, 1);
    assert_true(em_starts(em_str_c(&lint.errs.v[0].text), "f.sql:2:3: a NUL byte"));
    em_sql_lint_free(&lint);
    WRONG("PGDMP...", "1:1", "pg_dump");
}

static void test_many(void **state)
{
    EM_STR_AUTO text = EM_STR_INIT;
    struct em_sql_lint lint;

    (void)state;
    for (int i = 0; i < 500; i++)
        em_str_puts(&text, "SELECT :nope;\n");
    lint_text(em_str_c(&text), false, &lint);
    assert_int_equal(lint.errs.n, EM_SQL_LINT_MOST + 1);
    assert_non_null(strstr(em_str_c(&lint.errs.v[EM_SQL_LINT_MOST].text), "more"));
    em_sql_lint_free(&lint);
}

static void on_include(void *ctx, struct em_sql_lint *lint, const char *from, const char *path,
                       bool relative, const char *place)
{
    struct em_str *seen = ctx;

    (void)lint;
    em_str_printf(seen, "%s %s %d %s;", from, path, relative, place);
}

static void test_include(void **state)
{
    static const char text[] =
        "\\i a.sql\n\\ir 'b c.sql';\n\\if true\n\\i no\n\\endif\n\\i :name\n";
    struct em_sql_source source = em_sql_source("f.sql", text, strlen(text));
    EM_STR_AUTO seen = EM_STR_INIT;
    struct em_sql_lint lint;

    (void)state;
    memset(&lint, 0, sizeof(lint));
    em_sql_vars_set(&lint.vars, "name", "x");
    lint.include = on_include;
    lint.ctx = &seen;
    assert_true(em_sql_lint(&lint, &source));
    assert_string_equal(em_str_c(&seen), "f.sql a.sql 0 f.sql:1:1;f.sql b c.sql 1 f.sql:2:1;");
    assert_true(lint.guess); /* the others may have set anything */
    em_sql_lint_free(&lint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),        cmocka_unit_test(test_code),
        cmocka_unit_test(test_no_variables), cmocka_unit_test(test_other_code),
        cmocka_unit_test(test_strings),      cmocka_unit_test(test_inverted),
        cmocka_unit_test(test_open),         cmocka_unit_test(test_unset),
        cmocka_unit_test(test_meta),         cmocka_unit_test(test_copy),
        cmocka_unit_test(test_settings),     cmocka_unit_test(test_no_text),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_include),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
