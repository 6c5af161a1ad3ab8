#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/languages/python/command_line.h"
#include "embark/core/languages/python/distribution.h"
#include "embark/core/languages/python/lookup.h"

static void test_is_python(void **state)
{
    (void)state;
    assert_true(em_python_is("python"));
    assert_true(em_python_is("python3"));
    assert_true(em_python_is("/venv/bin/python3.11"));
    assert_true(em_python_is("python3.13t"));
    assert_true(em_python_is("python3-dbg"));
    assert_true(em_python_is("/opt/pypy3.10"));
    assert_false(em_python_is("/python/bin/uvicorn"));
    assert_false(em_python_is("python-config"));
    assert_false(em_python_is("pythonista"));
    assert_false(em_python_is("node"));
    assert_false(em_python_is(""));
}

static void expect_args(const char *line, enum em_python_mode mode, const char *script,
                        const char *flags)
{
    struct em_list words = EM_LIST_INIT;
    struct em_str joined = EM_STR_INIT;
    struct em_python_args args;
    char *copy = em_strdup(line);

    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        em_list_add(&words, word);
    em_python_args(words.v, words.n, &args);
    assert_int_equal(args.mode, mode);
    if (script)
        assert_string_equal(args.script, script);
    else
        assert_null(args.script);
    for (size_t i = 0; i < args.flags.n; i++)
        em_str_puts(&joined, args.flags.v[i]);
    assert_string_equal(em_str_c(&joined), flags);
    em_str_free(&joined);
    em_list_free(&args.flags);
    em_list_free(&words);
    free(copy);
}

static void test_args(void **state)
{
    (void)state;
    expect_args("", EM_PYTHON_CWD, NULL, "");
    expect_args("-", EM_PYTHON_CWD, NULL, "");
    expect_args("-m uvicorn app.py", EM_PYTHON_CWD, NULL, "");
    expect_args("-um uvicorn", EM_PYTHON_CWD, NULL, "");
    expect_args("-c print()", EM_PYTHON_CWD, NULL, "");
    expect_args("app.py -I", EM_PYTHON_SCRIPT, "app.py", "");
    expect_args("-u -I app.py", EM_PYTHON_SCRIPT, "app.py", "-I");
    expect_args("-sPE /app/manage.py run", EM_PYTHON_SCRIPT, "/app/manage.py", "-s-P-E");
    expect_args("-W error app.py", EM_PYTHON_SCRIPT, "app.py", "");
    expect_args("-Werror app.py", EM_PYTHON_SCRIPT, "app.py", "");
    expect_args("-X dev -OO app.py", EM_PYTHON_SCRIPT, "app.py", "");
    expect_args("-XIS app.py", EM_PYTHON_SCRIPT, "app.py", "");
    expect_args("--check-hash-based-pycs always app.py", EM_PYTHON_SCRIPT, "app.py", "");
    expect_args("-I -I -m x", EM_PYTHON_CWD, NULL, "-I");
}

static void test_may_bring(void **state)
{
    (void)state;
    assert_true(em_python_may_bring("fastapi", "fastapi"));
    assert_true(em_python_may_bring("psycopg2-binary", "psycopg2.extras"));
    assert_true(em_python_may_bring("flask-cors", "flask_cors"));
    assert_true(em_python_may_bring("google-cloud-storage", "google.cloud.storage"));
    assert_true(em_python_may_bring("protobuf", "google.protobuf.message"));
    assert_true(em_python_may_bring("pyyaml", "yaml"));
    assert_true(em_python_may_bring("opencv-python-headless", "cv2"));
    assert_true(em_python_may_bring("python-dotenv", "dotenv"));
    assert_true(em_python_may_bring("pillow", "PIL.Image"));
    assert_true(em_python_may_bring("gitpython", "git"));
    assert_false(em_python_may_bring("fastapi", "alembic"));
    assert_false(em_python_may_bring("uvicorn", "yaml"));
    assert_false(em_python_may_bring("protobuf", "google.cloud"));
    assert_false(em_python_may_bring("", "alembic"));
}

/* ---- Answers ----------------------------------------------------------------------------------- */

static void expect_said(const char *answer_text, const char *name, const char *text,
                        const char *hint)
{
    struct em_python_lookup answer;
    struct em_err err = EM_ERR_INIT;

    em_python_lookup_read(&answer, answer_text, strlen(answer_text));
    assert_true(answer.complete);
    assert_non_null(em_python_lookup_of(&answer, name));
    assert_int_equal(
        em_python_lookup_explain(&answer, em_python_lookup_of(&answer, name), "/py", NULL, &err),
        EM_EXIT_REQUIREMENT);
    assert_string_equal(em_str_c(&err.text), text);
    assert_non_null(strstr(em_str_c(&err.hint), hint));
    em_err_free(&err);
    em_python_lookup_free(&answer);
}

#define HEAD   "chatter\n@embark version 3.11.2\n@embark executable /py\n"
#define PATHS  "@embark path /app\n@embark path /site\n@embark path-end \n@embark end \n"
#define LOOKED "; looked in /app, /site and the standard library"

static void test_sentences(void **state)
{
    (void)state;
    expect_said(
        HEAD "@embark missing alembic.config\n@embark part alembic.config\n"
             "@embark folder /app/alembic\n" PATHS,
        "alembic.config",
        "module alembic.config: not found by /py (Python 3.11.2): the folder /app/alembic has that "
        "name but no __init__.py, so Python takes it for a namespace package: \"import alembic\" "
        "works, \"import alembic.config\" does not" LOOKED,
        "install it in the image that runs");
    expect_said(
        HEAD "@embark missing alembic\n@embark hollow \n@embark part alembic\n"
             "@embark folder /a\n@embark folder /b\n" PATHS,
        "alembic",
        "module alembic: not found by /py (Python 3.11.2): the folders /a, /b have that name but "
        "no __init__.py, so Python takes them for a namespace package: \"import alembic\" works, "
        "but brings nothing" LOOKED,
        "install it");
    expect_said(
        HEAD "@embark missing a.b\n@embark part a.b\n@embark file /app/a.py\n"
             "@embark hidden /site/a/b.py\n" PATHS,
        "a.b",
        "module a.b: not found by /py (Python 3.11.2): a is the file /app/a.py, not a package; it "
        "hides /site/a/b.py" LOOKED,
        "rename");
    expect_said(
        HEAD "@embark missing a.b.c\n@embark part a\n@embark metadata /site/a-1.dist-info\n" PATHS,
        "a.b.c",
        "module a.b.c: not found by /py (Python 3.11.2): there is no a; its metadata is there "
        "(/site/a-1.dist-info), its files are not" LOOKED,
        "copied in part");
    expect_said(
        HEAD "@embark missing a.b\n@embark part a.b\n@embark package /site/a/__init__.py\n"
             "@embark near bb\n" PATHS,
        "a.b",
        "module a.b: not found by /py (Python 3.11.2): the package /site/a/__init__.py has no "
        "a.b" LOOKED,
        "did you mean bb?");
    expect_said(
        HEAD "@embark missing a\n@embark part a\n@embark built /site/a.cpython-312.so\n" PATHS, "a",
        "module a: not found by /py (Python 3.11.2); /site/a.cpython-312.so is there, built for "
        "another Python, C library or machine" LOOKED,
        "base image");
    expect_said(HEAD "@embark missing google\n@embark hollow \n@embark part google\n"
                     "@embark library /site/google\n" PATHS,
                "google",
                "module google: not found by /py (Python 3.11.2): google is a namespace package "
                "(/site/google), folders without code of their own" LOOKED,
                "google.NAME");
    expect_said(
        HEAD
        "@embark missing google.x\n@embark part google.x\n@embark library /site/google\n" PATHS,
        "google.x",
        "module google.x: not found by /py (Python 3.11.2): google is a namespace package "
        "(/site/google), which has no google.x" LOOKED,
        "install it");
}

#define MISSING "module a: not found by /py (Python 3.11.2)"
#define OTHER \
    HEAD "@embark missing a\n@embark part a\n@embark other /o\n@embark other-version 3.12\n"

static void test_other_interpreters(void **state)
{
    (void)state;
    expect_said(OTHER "@embark other-python /o/bin/python3\n@embark other /p\n" PATHS, "a",
                MISSING "; it is installed for another interpreter: /o (Python 3.12, "
                        "/o/bin/python3); it is installed in /p, where no interpreter looks" LOOKED,
                "let the service run in /o/bin/python3");
    expect_said(OTHER "@embark gone /lost\n@embark gone /gone\n@embark end \n", "a",
                MISSING "; it is installed in /o, for Python 3.12, and no Python 3.12 is in this "
                        "image; looked in the standard library, not in /lost, /gone, which do not "
                        "exist",
                "take 3.12 or 3.11 in all stages");
    expect_said(OTHER "@embark other-link /o/python3.12\n@embark other-real 3.13\n" PATHS, "a",
                MISSING "; it is installed in /o, for Python 3.12, but /o/python3.12 is Python "
                        "3.13" LOOKED,
                "take 3.12 or 3.13 in all stages");
    expect_said(OTHER "@embark other-link /o/python3\n@embark other-gone /x\n" PATHS, "a",
                MISSING "; it is installed in /o, but /o/python3 is a link to /x, which does not "
                        "exist" LOOKED,
                "COPY it to where the link leads");
    expect_said(HEAD "@embark missing a\n@embark other /install/lib/python3.11/site-packages\n"
                     "@embark other-version 3.11\n" PATHS,
                "a",
                MISSING "; it is installed in /install/lib/python3.11/site-packages, where no "
                        "interpreter looks" LOOKED,
                "COPY the packages");
}

static void test_environments_and_editable_installs(void **state)
{
    (void)state;
    expect_said(OTHER "@embark env /v\n@embark env-version 3.12.1\n@embark env-python /p\n" PATHS,
                "a",
                MISSING "; the environment /v was made by Python 3.12.1, and its interpreter is "
                        "now Python 3.11.2 (/p); it is installed in /o" LOOKED,
                "take 3.12 or 3.11 in all stages");
    expect_said(HEAD "@embark missing a\n@embark editable a\n@embark source /src\n"
                     "@embark source-by /s/a.pth\n" PATHS,
                "a",
                MISSING "; a is installed as editable: /s/a.pth leads to /src, which does not "
                        "exist" LOOKED,
                "COPY the source to /src");
    expect_said(HEAD "@embark missing a\n@embark source /src\n@embark source-there \n" PATHS, "a",
                MISSING "; an editable install has its code elsewhere: its metadata leads to /src, "
                        "which has no such module" LOOKED,
                "COPY the source to /src");
}

static void test_answer_is_picked_out(void **state)
{
    static const char text[] =
        "hello @embark end \n@embark\n@embark \n@embark end\nno newline"
        "\n@embark version 3.6.1\nnoise\n@embark found a\n@embark origin /x\\ny\\\\z\\0\n"
        "@embark other /stray-version\n@embark found b\n@embark other-version 3\n"
        "@embark unknown thing\n@embark found c";
    struct em_python_lookup answer;

    (void)state;
    em_python_lookup_read(&answer, text, sizeof(text) - 1);
    assert_false(answer.complete);
    assert_string_equal(answer.version, "3.6.1");
    assert_int_equal(answer.count, 2); /* the last line is cut off */
    assert_true(answer.names[0].found);
    assert_string_equal(answer.names[0].origin, "/x\ny\\z0");
    assert_null(em_python_lookup_of(&answer, "c"));
    em_python_lookup_free(&answer);
    em_python_lookup_free(&answer);
    em_python_lookup_read(&answer, "", 0);
    assert_false(answer.complete);
    em_python_lookup_free(&answer);
}

/* Lines in any order, keys in any place: nothing but an answer (under the sanitizers). */
static void test_answer_of_random_lines(void **state)
{
    static const char *const keys[] = {
        "version",  "missing",    "found",        "part",       "folder",        "library",
        "file",     "package",    "hidden",       "hollow",     "metadata",      "built",
        "near",     "other",      "error",        "doubt",      "other-version", "other-python",
        "path",     "gone",       "path-end",     "end",        "origin",        "env",
        "source",   "source-by",  "source-there", "other-link", "other-real",    "other-gone",
        "editable", "env-version"};
    unsigned seed = 3;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct em_python_lookup answer;
        struct em_str text = EM_STR_INIT;

        for (int line = 0; line < 20; line++) {
            seed = seed * 1103515245u + 12345u;
            em_str_printf(&text, "@embark %s %s\n",
                          keys[(seed >> 16) % (sizeof(keys) / sizeof(keys[0]))],
                          seed & 4096 ? "a.b" : "");
        }
        em_python_lookup_read(&answer, em_str_c(&text), text.len - seed % 3);
        for (size_t i = 0; i < answer.count; i++) {
            struct em_err err = EM_ERR_INIT;

            em_python_lookup_explain(&answer, &answer.names[i], "/py", i % 2 ? "r" : NULL, &err);
            em_err_free(&err);
        }
        em_python_lookup_free(&answer);
        em_str_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_python),
        cmocka_unit_test(test_args),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_other_interpreters),
        cmocka_unit_test(test_may_bring),
        cmocka_unit_test(test_environments_and_editable_installs),
        cmocka_unit_test(test_answer_is_picked_out),
        cmocka_unit_test(test_answer_of_random_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
