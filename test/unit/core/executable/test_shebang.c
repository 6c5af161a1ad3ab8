#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/executable/shebang.h"

/* In a block of exactly that size, so that AddressSanitizer sees a byte too much. */
static enum em_shebang_state look_at(const char *bytes, size_t size, struct em_shebang *s)
{
    char *copy = malloc(size ? size : 1);
    enum em_shebang_state state;

    memcpy(copy, bytes, size);
    state = em_shebang_read(copy, size, s);
    free(copy);
    return state;
}

static void expect(const char *text, const char *interpreter, const char *argument,
                   const char *program, const char *arguments)
{
    struct em_str joined = EM_STR_INIT;
    struct em_shebang s;

    assert_int_equal(look_at(text, strlen(text), &s), EM_SHEBANG_OK);
    assert_string_equal(s.interpreter, interpreter);
    if (argument)
        assert_string_equal(s.argument, argument);
    else
        assert_null(s.argument);
    assert_string_equal(s.program, program);
    for (size_t i = 0; i < s.arguments.n; i++)
        em_str_printf(&joined, "%s%s", i ? " " : "", s.arguments.v[i]);
    assert_string_equal(em_str_c(&joined), arguments);
    em_str_free(&joined);
    em_shebang_free(&s);
}

static void expect_state(const char *text, enum em_shebang_state state)
{
    struct em_shebang s;

    assert_int_equal(look_at(text, strlen(text), &s), state);
    em_shebang_free(&s);
}

static void test_plain(void **state)
{
    (void)state;
    expect("#!/bin/sh\n", "/bin/sh", NULL, "/bin/sh", "");
    expect("#! /bin/sh -e\nexit\n", "/bin/sh", "-e", "/bin/sh", "-e");
    expect("#!\t/bin/sh \t -e x  \n", "/bin/sh", "-e x", "/bin/sh", "-e x");
    expect("#!/bin/sh", "/bin/sh", NULL, "/bin/sh", ""); /* the file's end ends the line */
    expect("#!relative\n", "relative", NULL, "relative", "");
    expect("#!/usr/bin/python3 -Es\n", "/usr/bin/python3", "-Es", "/usr/bin/python3", "-Es");
}

static void test_not_one(void **state)
{
    (void)state;
    expect_state("", EM_SHEBANG_NONE);
    expect_state("#", EM_SHEBANG_NONE);
    expect_state(" #!/bin/sh\n", EM_SHEBANG_NONE);
    expect_state("#!", EM_SHEBANG_EMPTY);
    expect_state("#!\n/bin/sh\n", EM_SHEBANG_EMPTY);
    expect_state("#! \t \n", EM_SHEBANG_EMPTY);
    expect_state("#!\r\n", EM_SHEBANG_EMPTY);
}

static void test_carriage_return(void **state)
{
    struct em_shebang s;

    (void)state;
    assert_int_equal(look_at("#!/bin/sh\r\n", 11, &s), EM_SHEBANG_OK);
    assert_true(s.cr);
    assert_string_equal(s.interpreter, "/bin/sh");
    em_shebang_free(&s);
    assert_int_equal(look_at("#!/usr/bin/env python3\r\n", 24, &s), EM_SHEBANG_OK);
    assert_true(s.cr);
    assert_string_equal(s.program, "python3");
    em_shebang_free(&s);
    assert_int_equal(look_at("#!/bin/sh\necho\r\n", 16, &s), EM_SHEBANG_OK);
    assert_false(s.cr); /* of the first line only */
    em_shebang_free(&s);
}

static void test_env(void **state)
{
    struct em_shebang s;

    (void)state;
    expect("#!/usr/bin/env python3\n", "/usr/bin/env", "python3", "python3", "");
    expect("#!/usr/bin/env -S python3 -u -I\n", "/usr/bin/env", "-S python3 -u -I", "python3",
           "-u -I");
    expect("#!/usr/bin/env -SA=1 node --x\n", "/usr/bin/env", "-SA=1 node --x", "node", "--x");
    /* what changes PATH, and quotes, are env's own business */
    expect("#!/usr/bin/env -S -i prog\n", "/usr/bin/env", "-S -i prog", "/usr/bin/env", "");
    expect("#!/usr/bin/env -S PATH=/x prog\n", "/usr/bin/env", "-S PATH=/x prog", "/usr/bin/env",
           "");
    expect("#!/usr/bin/env -S 'prog' x\n", "/usr/bin/env", "-S 'prog' x", "/usr/bin/env", "");
    expect("#!/usr/bin/env -S ${PROG}\n", "/usr/bin/env", "-S ${PROG}", "/usr/bin/env", "");
    expect("#!/usr/bin/env -i\n", "/usr/bin/env", "-i", "/usr/bin/env", "");
    expect("#!/usr/bin/env --split-string=uv run\n", "/usr/bin/env", "--split-string=uv run", "uv",
           "run");
    expect("#!/usr/bin/env\n", "/usr/bin/env", NULL, "/usr/bin/env", "");
    expect("#!/usr/bin/env -S\n", "/usr/bin/env", "-S", "/usr/bin/env", "");
    assert_int_equal(look_at("#!/usr/bin/env python3 -u\n", 26, &s), EM_SHEBANG_OK);
    assert_true(s.one_word);
    assert_string_equal(s.program, "python3 -u");
    em_shebang_free(&s);
    assert_int_equal(look_at("#!/usr/bin/env -S /venv/bin/python\n", 35, &s), EM_SHEBANG_OK);
    assert_false(s.in_path);
    em_shebang_free(&s);
    assert_int_equal(look_at("#!/usr/bin/env bash\n", 20, &s), EM_SHEBANG_OK);
    assert_true(s.in_path);
    em_shebang_free(&s);
}

/* What pip and uv write where a #! line won't do. */
static void test_exec_trick(void **state)
{
    static const char movable[] = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- "
                                  "\"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n";
    struct em_shebang s;

    (void)state;
    expect("#!/bin/sh\n'''exec' \"/a b/bin/python\" \"$0\" \"$@\"\n' '''\n", "/bin/sh", NULL,
           "/a b/bin/python", "");
    expect("#!/bin/sh\n'''exec' /long/bin/python3 -E -s \"$0\" \"$@\"\n' '''\n", "/bin/sh", NULL,
           "/long/bin/python3", "-E -s");
    expect("#!/bin/sh\n'''exec' \"/not/closed\n", "/bin/sh", NULL, "/bin/sh", "");
    expect("#!/bin/sh\n'''exec' \n", "/bin/sh", NULL, "/bin/sh", "");
    expect("#!/bin/sh\n'''exec' /cut/off", "/bin/sh", NULL, "/bin/sh", "");
    assert_int_equal(look_at(movable, sizeof(movable) - 1, &s), EM_SHEBANG_OK);
    assert_string_equal(s.program, "python");
    assert_true(s.beside);
    em_shebang_free(&s);
}

static void test_long_line(void **state)
{
    char text[600];
    struct em_shebang s;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    text[1] = '!';
    text[2] = '/';
    assert_int_equal(look_at(text, sizeof(text), &s), EM_SHEBANG_LONG);
    em_shebang_free(&s);
    text[255] = '\n'; /* the last byte that the kernel reads */
    assert_int_equal(look_at(text, sizeof(text), &s), EM_SHEBANG_OK);
    assert_int_equal(strlen(s.interpreter), 253);
    em_shebang_free(&s);
    text[255] = 'x';
    text[256] = '\n';
    assert_int_equal(look_at(text, sizeof(text), &s), EM_SHEBANG_LONG);
    em_shebang_free(&s);
    text[100] = ' '; /* only the argument is cut */
    assert_int_equal(look_at(text, sizeof(text), &s), EM_SHEBANG_OK);
    assert_int_equal(strlen(s.interpreter), 98);
    em_shebang_free(&s);
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    text[1] = '!';
    text[2] = '/';
    assert_int_equal(look_at(text, 255, &s), EM_SHEBANG_OK); /* a short file without a line end */
    em_shebang_free(&s);
}

static void test_hostile(void **state)
{
    static const char alphabet[] = "#!/ \t\n\r\0'\"execnvsh-S=$()";
    unsigned seed = 7;

    (void)state;
    expect_state("#!/bin/\xff\xfe\n", EM_SHEBANG_OK);
    for (int round = 0; round < 50000; round++) {
        char text[80] = "#!/bin/sh\n'''exec' ";
        size_t keep = round % 3 == 0 ? 2 : round % 3 == 1 ? 19 : 9, size;
        struct em_shebang s;

        size = keep + seed % (sizeof(text) - keep);
        for (size_t i = keep; i < size; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        look_at(text, size, &s);
        em_shebang_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),      cmocka_unit_test(test_not_one),
        cmocka_unit_test(test_env),        cmocka_unit_test(test_carriage_return),
        cmocka_unit_test(test_exec_trick), cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
