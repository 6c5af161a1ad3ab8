/* SQL that nobody wrote: what always holds, whatever the bytes. Random, but the same in every run;
 * test/fuzz/fuzz_sql.c goes on from here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../../fuzz/sql_invariants.h"

static unsigned long long seed;

static unsigned below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % n;
}

static const char *const pieces[] = {
    "'",
    "'",
    "\"",
    "E'",
    "U&'",
    "U&\"",
    "B'",
    "n'",
    "''",
    "\\'",
    "\\",
    "\\\\",
    "\\;",
    "\\:",
    "$$",
    "$x$",
    "$x",
    "$1",
    "/*",
    "*/",
    "--",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    ";",
    ";",
    ";",
    "(",
    ")",
    "[",
    "]",
    ",",
    "::",
    ":=",
    ":v",
    ":'v'",
    ":\"w\"",
    ":{?v}",
    ":nope",
    ":1",
    ":",
    ":'",
    ":{?",
    "1e+",
    "1.5",
    "..",
    "?",
    "a",
    "v",
    "\xC3\xA4",
    "\xFF",
    "\xEF\xBB\xBF",
    "\\if t",
    "\\elif f",
    "\\else",
    "\\endif",
    "\\set a b",
    "\\g",
    "\\gset",
    "\\q",
    "\\.",
    "\\copy x ",
    "\\echo '",
    "`",
    "create ",
    "or replace ",
    "function ",
    "procedure ",
    "begin ",
    "atomic ",
    "case ",
    "end ",
    "do ",
    "as ",
    "language ",
    "sql ",
    "copy t from stdin;\n",
    "\n\\.\n",
    "array[",
    "json_object(",
    "set standard_conforming_strings = off;\n",
    "x\0y",
};

static void test_random(void **state)
{
    (void)state;
    seed = 88172645463325252ULL;
    for (int round = 0; round < 20000; round++) {
        EM_STR_AUTO text = EM_STR_INIT;
        char *copy;

        for (unsigned n = below(40); n > 0; n--) {
            const char *piece = pieces[below(sizeof(pieces) / sizeof(pieces[0]))];

            if (below(60) == 0)
                em_str_putc(&text, (char)below(256));
            else
                em_str_puts(&text, piece);
        }
        /* Without a byte behind it: the address sanitizer sees one that is read too many. */
        copy = malloc(text.len ? text.len : 1);
        assert_non_null(copy);
        memcpy(copy, em_str_c(&text), text.len);
        check_sql(copy, text.len);
        free(copy);
    }
}

/* Deep nesting and long runs take time in proportion. */
static void test_large(void **state)
{
    static const char *const repeated[] = {"(",        "/*",        "[",     "'",      "$a",
                                           "a[1:",     ":v",        "\n",    ";",      "-",
                                           "\\if t\n", "\\endif\n", "$$\n$", "create "};

    (void)state;
    for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++) {
        EM_STR_AUTO text = EM_STR_INIT;

        while (text.len < 200 * 1024)
            em_str_puts(&text, repeated[i]);
        check_sql(em_str_c(&text), text.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
