/* Files that nobody wrote: what always holds, whatever the bytes. Random, but the same in every
 * run. */
#include "fake_world.h"

#include <stdlib.h>
#include <time.h>

#include "core/config/command_line.h"

static unsigned long long seed;

static unsigned below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % n;
}

static const char *const pieces[] = {
    "[",
    "]",
    "[database]",
    "[wait]",
    "[require]",
    "[migrate]\n",
    "[log]\r\n",
    "url",
    "timeout",
    "file",
    "dir",
    "command",
    "env",
    "lock",
    "level",
    "=",
    " = ",
    ":",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\n  ",
    "\n\t",
    " ",
    ";",
    " ;",
    "#",
    "${",
    "}",
    ":-",
    "file:",
    "/run/secrets/pw",
    "PW",
    "$",
    "$${",
    "'",
    "\"",
    "\\",
    "`",
    "$(",
    " && ",
    "5s",
    "none",
    "warn",
    "\xef\xbb\xbf",
    "\xff",
    "\xc3\xa4",
    ",",
    "x",
    "hunter",
    "PW_FILE",
    "TWO",
};

static const char *const whole_lines[] = {
    "\n[wait]\n",     "\nfile = /x\n  /y",   "\n# x\n", "\n[migrate]\ncommand = a 'b c'\n  d",
    "\n[require]\n",  "\ndir = ${PW}/x ; y", "\n\n",    "\nfile = ${TWO:-x}",
    "\n  ${PW:-x}\n", "\n[database]\n",      "\n; y\n", "\n[require]\nenv = a, b\n",
};

/* Of ten pieces `wild` are anything, the others are sensible lines. */
static void generate(struct em_str *out, unsigned wild)
{
    for (unsigned n = below(40); n > 0; n--) {
        unsigned kind = below(40);

        if (below(10) >= wild)
            em_str_puts(out, whole_lines[below(sizeof(whole_lines) / sizeof(whole_lines[0]))]);
        else if (kind == 0)
            em_str_putc(out, '\0');
        else if (kind == 1)
            em_str_putc(out, (char)below(256));
        else if (kind == 2)
            for (unsigned i = below(220); i > 0; i--)
                em_str_putc(out, 'a');
        else
            em_str_puts(out, pieces[below(sizeof(pieces) / sizeof(pieces[0]))]);
    }
}

static size_t lines_of(const struct em_str *text)
{
    size_t n = 1;

    for (size_t i = 0; i < text->len; i++)
        n += text->data[i] == '\n';
    return n;
}

/* Every message has its place, and the places ascend. */
static void check_places(const struct em_errs *errs, size_t lines)
{
    size_t last = 1;

    for (size_t i = 0; i < errs->n; i++) {
        const char *text = em_str_c(&errs->v[i].text);
        size_t line;

        assert_true(em_starts(text, "embark.ini:"));
        line = strtoul(text + strlen("embark.ini:"), NULL, 10);
        if (line < last || line > lines)
            fail_msg("\"%s\" in a file of %zu lines, after one of line %zu", text, lines, last);
        last = line;
    }
}

static void random_files(void **state)
{
    static char one[] = "PW=hunter22", two[] = "TWO_FILE=/run/secrets/two";
    char *env[] = {one, two, NULL};
    size_t good = 0, several = 0;

    (void)state;
    seed = 0x9e3779b97f4a7c15;
    for (int round = 0; round < 8000; round++) {
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO printed = EM_STR_INIT;
        struct trial t;

        em_str_puts(&text, below(4) ? "[require]\n" : "");
        generate(&text, below(4) ? below(11) : 0);
        trial_bytes(&t, em_str_c(&text), text.len, env);
        check_places(&t.errs, lines_of(&text));
        /* never what a variable or a file came to: "hunter" alone is a word of the file */
        assert_null(strstr(em_str_c(&t.said), "hunter22"));
        assert_null(strstr(em_str_c(&t.warned), "hunter22"));
        for (size_t i = 0; i < EM_KEY_COUNT; i++)
            em_config_print(&t.config, &em_keys[i], &printed);
        good += t.ok;
        several += t.errs.n > 1;
        trial_end(&t);
    }
    /* it wouldn't tell much if they were all one kind */
    assert_true(good > 800);
    assert_true(several > 800);
}

/* Whatever words are printed are split again into the same. */
static void random_words(void **state)
{
    static char one[] = "PW=a 'b\" \\c", *env[] = {one, NULL};

    (void)state;
    seed = 0x2545f4914f6cdd1d;
    for (int round = 0; round < 8000; round++) {
        struct em_config_source world = fake_world(env);
        struct em_secrets secrets = {0};
        EM_ERRS_AUTO errs = EM_ERRS_INIT;
        EM_LIST_AUTO words = EM_LIST_INIT;
        struct em_expansion e = {&world, &secrets, &errs, NULL, "x:1"};
        EM_STR_AUTO text = EM_STR_INIT;

        generate(&text, 10);
        if (em_command_line_expand(&e, em_str_c(&text), &words) && words.n) {
            EM_LIST_AUTO again = EM_LIST_INIT;
            EM_STR_AUTO printed = EM_STR_INIT;
            struct em_config config = {0};

            config.service_command = words;
            em_config_print(&config, &em_keys[EM_AT_service_command], &printed);
            assert_true(em_command_line_split(em_str_c(&printed), &again));
            assert_int_equal(again.n, words.n);
            for (size_t i = 0; i < words.n; i++)
                assert_string_equal(again.v[i], words.v[i]);
        }
        em_secrets_free(&secrets);
    }
}

/* ---- 1 MiB, as much as is read of a file ---- */

enum { MIB = 1024 * 1024 };

static void megabyte(const char *start, const char *line, size_t errors, struct trial *t)
{
    EM_STR_AUTO text = EM_STR_INIT;
    clock_t before = clock();

    em_str_puts(&text, start);
    while (text.len + strlen(line) <= MIB)
        em_str_puts(&text, line);
    trial_bytes(t, em_str_c(&text), text.len, NULL);
    assert_int_equal(t->errs.n, errors);
    assert_true(clock() - before <
                20 * CLOCKS_PER_SEC); /* not quadratic: under sanitizers on a busy machine */
}

static void large_files(void **state)
{
    struct trial t;

    (void)state;
    megabyte("[require]\n", "dir=/x\n", 0, &t);
    assert_int_equal(t.config.require_dir.n, (MIB - 10) / 7);
    assert_string_equal(t.config.require_dir.where[149794], "embark.ini:149796");
    trial_end(&t);
    megabyte("[require]\ncommand =", "\n a,b,c", 0, &t);
    trial_end(&t);
    megabyte("[service]\ncommand = x", "\n  word", 0, &t);
    assert_int_equal(t.config.service_command.n, (MIB - 21) / 7 + 1);
    trial_end(&t);
    megabyte("", "\n", 0, &t);
    trial_end(&t);
    megabyte("", "[wait]\n", 0, &t);
    trial_end(&t);
    megabyte("#", "x", 0, &t);
    trial_end(&t);
    megabyte("", "x", 1, &t);
    trial_end(&t);
    megabyte("", "x\n", EM_CONFIG_MISTAKES + 1, &t);
    trial_end(&t);
    megabyte("[wait]\n", "file=${X}\n", EM_CONFIG_MISTAKES + 1, &t);
    trial_end(&t);
    megabyte("[wait]\nfile=x\n", "  ${\n", EM_CONFIG_MISTAKES + 1, &t);
    trial_end(&t);
}

static void large_values(void **state)
{
    static const char *const repeats[] = {"${A:-", "${", "'",  "\"",  "\\", "$",
                                          "a,",    "a ", "\n", "$${", "}",  "${A:-}"};
    static const char *const names[] = {
        "EMBARK_DATABASE_URL=", "EMBARK_REQUIRE_ENV=", "EMBARK_SERVICE_COMMAND=",
        "EMBARK_WAIT_FILE=",    "EMBARK_SKIP=",        "EMBARK_LOG_LEVEL=",
        "EMBARK_WAIT_TIMEOUT="};

    (void)state;
    for (size_t i = 0; i < sizeof(repeats) / sizeof(repeats[0]); i++) {
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            EM_STR_AUTO setting = EM_STR_INIT;
            char *env[2] = {NULL, NULL};
            struct trial t;

            em_str_puts(&setting, names[j]);
            while (setting.len < (size_t)128 * 1024) /* as long as Linux lets a variable be */
                em_str_puts(&setting, repeats[i]);
            env[0] = setting.data;
            trial_bytes(&t, NULL, 0, env);
            trial_end(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_files),
        cmocka_unit_test(random_words),
        cmocka_unit_test(large_files),
        cmocka_unit_test(large_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
