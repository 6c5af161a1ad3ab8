#include "fake_world.h"

#include "core/config/command_line.h"

/* Words as "[one][two words]". */
static void bracket(const struct em_list *words, struct em_str *out)
{
    for (size_t i = 0; i < words->n; i++)
        em_str_printf(out, "[%s]", words->v[i]);
}

static void splits(const char *text, const char *expected)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    if (!em_command_line_split(text, &words))
        em_str_puts(&out, "unclosed");
    else
        bracket(&words, &out);
    assert_string_equal(em_str_c(&out), expected);
}

static void test_split(void **state)
{
    (void)state;
    splits("", "");
    splits("  \t\n ", "");
    splits("alembic upgrade head", "[alembic][upgrade][head]");
    splits("  a\t\tb\r\nc ", "[a][b][c]");
    splits("'a b' c", "[a b][c]");
    splits("\"a b\" c", "[a b][c]");
    splits("a'b c'd\"e f\"g", "[ab cde fg]");
    splits("'' \"\" x", "[][][x]");
    splits("a''", "[a]");
    splits("a\\ b \\'c \\\"d \\\\", "[a b]['c][\"d][\\]");
    splits("'a\\b'", "[a\\b]");
    splits("\"a\\b\\\"\\\\\\$\\`\"", "[a\\b\"\\$`]");
    splits("\"it's\" 'say \"x\"'", "[it's][say \"x\"]");
    splits("a\\\nb \"c\\\nd\"", "[ab][cd]");
    splits("end\\", "[end\\]");
    splits("\\", "[\\]");
    splits("# a $x ${y z} * ~ && `d` ; >f", "[#][a][$x][${y][z}][*][~][&&][`d`][;][>f]");
    splits("\xff\xfe \xc3\xa4", "[\xff\xfe][\xc3\xa4]");
}

static void test_unclosed(void **state)
{
    (void)state;
    splits("'", "unclosed");
    splits("\"", "unclosed");
    splits("a 'b c", "unclosed");
    splits("a \"b c", "unclosed");
    splits("a \"b\\\"", "unclosed");
    splits("a \"b\\", "unclosed");
    splits("it's", "unclosed");
    splits("'a' 'b", "unclosed");
}

/* Splits, expands, and gives the words or what was said. */
static void expands(const char *text, const char *expected)
{
    static char port[] = "PORT=8000", blank[] = "APP=my app 'x", none[] = "NONE=";
    char *env[] = {port, blank, none, NULL};
    struct em_config_source world = fake_world(env);
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;
    struct em_secrets secrets = {0};
    struct em_expansion e = {&world, &secrets, &errs, &warnings, "embark.ini:1"};
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    if (em_command_line_expand(&e, text, &words)) {
        assert_int_equal(errs.n, 0);
        bracket(&words, &out);
    } else {
        assert_true(errs.n > 0);
    }
    fake_say(&errs, &out);
    fake_say(&warnings, &out);
    assert_string_equal(em_str_c(&out), expected);
    em_secrets_free(&secrets);
}

static void test_expand(void **state)
{
    (void)state;
    expands("uvicorn --port ${PORT}", "[uvicorn][--port][8000]");
    expands("run ${APP} x${APP}y", "[run][my app 'x][xmy app 'xy]");
    expands("run \"${APP}\"", "[run][my app 'x]");
    expands("sh -c 'echo ${PORT} $HOME `x`'", "[sh][-c][echo ${PORT} $HOME `x`]");
    expands("a $${PORT} \\${PORT} \"\\${PORT}\" $ $5", "[a][${PORT}][${PORT}][${PORT}][$][$5]");
    expands("a ${EXTRA:-} ${NONE} b", "[a][b]");
    expands("a \"${NONE}\" x${NONE} b", "[a][][x][b]");
    expands("a ${EXTRA:-b c} d", "[a][b c][d]");
    expands("a ${EXTRA:-${PORT}} d", "[a][8000][d]");
    expands("login ${file:/run/secrets/tricky}", "[login][a ${HOME} 'b]");
    expands("a '&&' \"|\" \\; x\\; 'a;' a&b c|d ?a=1&b=2",
            "[a][&&][|][;][x;][a;][a&b][c|d][?a=1&b=2]");
}

static void test_mistakes(void **state)
{
    (void)state;
    expands("a 'b",
            "embark.ini:1: a ' is not closed\n  hint: \" ;\" starts a comment, in quotes, too\n");
    expands("a ${PORT", "embark.ini:1: a ${ has no }\n  hint: $${ is a literal ${\n");
    expands("a \"${PORT\" b", "embark.ini:1: a ${ has no }\n  hint: $${ is a literal ${\n"
                              "embark.ini:1: a \" is not closed\n"
                              "  hint: \" ;\" starts a comment, in quotes, too\n");
    expands("a ${NOT} ${NEITHER} 'b c'", "embark.ini:1: $NOT is not set\n  hint: set it, or write "
                                         "${NOT:-default}; $${ is a literal ${\n"
                                         "embark.ini:1: $NEITHER is not set\n  hint: set it, or "
                                         "write ${NEITHER:-default}; $${ is a literal ${\n");
}

static void shells(const char *text, const char *what)
{
    EM_STR_AUTO said = EM_STR_INIT;

    em_str_printf(&said,
                  "embark.ini:1: embark runs no shell, and %s is the shell's\n"
                  "  hint: write sh -c '…', or quote it: '%s'\n",
                  what, what);
    expands(text, em_str_c(&said));
}

static void test_shell(void **state)
{
    (void)state;
    shells("cd /app && alembic", "&&");
    shells("a | b", "|");
    shells("cd /app; alembic", ";");
    shells("a ; b", ";");
    shells("a >log", ">log");
    shells("a 2>&1", "2>&1");
    shells("a &", "&");
    shells("a $(date)", "$(");
    shells("a \"$(date)\"", "$(");
    shells("a `date`", "`");
    shells("a && b; c | d", "&&"); /* one is enough */
}

static void test_bare_dollar(void **state)
{
    (void)state;
    expands("uvicorn --port $PORT",
            "[uvicorn][--port][$PORT]embark.ini:1: $PORT is not expanded\n  hint: write ${PORT}\n");
    expands("uvicorn --port '$PORT' \\$PORT $UNSET", "[uvicorn][--port][$PORT][$PORT][$UNSET]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),  cmocka_unit_test(test_unclosed),
        cmocka_unit_test(test_expand), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_shell),  cmocka_unit_test(test_bare_dollar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
