#include "fake_world.h"

#include "core/config/expand.h"

static char *environment[] = {
    (char[]){"HOST=db"},
    (char[]){"EMPTY="},
    (char[]){"DOLLAR=${HOST} $HOST"},
    (char[]){"_a1=under"},
    (char[]){"file=a variable"},
    (char[]){"PW_FILE=/run/secrets/pw"},
    (char[]){"TWO_FILE=/run/secrets/two"},
    (char[]){"CRLF_FILE=/run/secrets/crlf"},
    (char[]){"BARE_FILE=/run/secrets/bare"},
    (char[]){"BLANK_FILE=/run/secrets/empty"},
    (char[]){"NUL_FILE=/run/secrets/nul"},
    (char[]){"MISSING_FILE=/run/secrets/missing"},
    (char[]){"BOTH=x"},
    (char[]){"BOTH_FILE=/run/secrets/pw"},
    (char[]){"HALF="},
    (char[]){"HALF_FILE=/run/secrets/pw"},
    (char[]){"NOFILE_FILE="},
    (char[]){"DIR=/run/secrets"},
    NULL,
};

static void expands_at(const char *place, const char *text, const char *value, const char *said)
{
    struct em_config_source world = fake_world(environment);
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    struct em_secrets secrets = {0};
    struct em_expansion e = {&world, &secrets, &errs, NULL, place};
    EM_STR_AUTO out = EM_STR_INIT;
    EM_STR_AUTO messages = EM_STR_INIT;
    bool ok = em_expand(&e, text, &out);

    fake_say(&errs, &messages);
    assert_string_equal(em_str_c(&messages), said);
    assert_int_equal(ok, *said == '\0');
    if (ok)
        assert_string_equal(em_str_c(&out), value);
    em_secrets_free(&secrets);
}

#define expands(text, value) expands_at("x:1", text, value, "")
#define fails(text, said)    expands_at("x:1", text, NULL, said)
#define UNSET(name)                                               \
    "x:1: $" name " is not set\n  hint: set it, or write ${" name \
    ":-default}; $${ is a literal ${\n"
#define UNCLOSED "x:1: a ${ has no }\n  hint: $${ is a literal ${\n"
#define NONSENSE                                              \
    "x:1: ${…} holds neither a variable's name nor file:\n" \
    "  hint: write ${NAME}, ${NAME:-default}, ${NAME:url} or ${file:/path}; $${ is a literal ${\n"

/* For a part of a URL. */
static void test_encoded(void **state)
{
    (void)state;
    expands("${DOLLAR:url}", "%24%7BHOST%7D%20%24HOST");
    expands("p://u:${HOST:url}@h", "p://u:db@h");
    expands("${NOT:url:-a b}", "a b");
    expands("${EMPTY:url}", "");
    expands("${file:/run/secrets/tricky:url}", "a%20%24%7BHOME%7D%20%27b");
    expands("${PW:url}", "hunter22");
    fails("${NOT:url}", UNSET("NOT"));
    fails("${HOST:urls}", NONSENSE);
    fails("${HOST:url", UNCLOSED);
}

/* What is not seen in a file, and is used all the same. */
static void test_odd_ends(void **state)
{
    static const char *const files[][2] = {
        {"/run/secrets/two", "ends in more than one newline"},
        {"/run/secrets/blank", "ends in a blank"},
        {"/run/secrets/bom", "begins with a byte order mark"},
        {"/run/secrets/pw", NULL},
        {"/run/secrets/crlf", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct em_config_source world = fake_world(environment);
        EM_ERRS_AUTO errs = EM_ERRS_INIT;
        EM_ERRS_AUTO warnings = EM_ERRS_INIT;
        EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO out = EM_STR_INIT;
        struct em_expansion e = {&world, &secrets, &errs, &warnings, "x:1"};
        em_str_printf(&text, "${file:%s}", files[i][0]);
        assert_true(em_expand(&e, em_str_c(&text), &out));
        assert_int_equal(warnings.n, files[i][1] != NULL);
        if (!files[i][1])
            continue;
        assert_non_null(strstr(em_str_c(&warnings.v[0].text), files[i][1]));
        assert_non_null(strstr(em_str_c(&warnings.v[0].text), files[i][0]));
        assert_null(strstr(em_str_c(&warnings.v[0].text), "hunter"));
    }
}

static void test_variables(void **state)
{
    (void)state;
    expands("", "");
    expands("plain", "plain");
    expands("${HOST}", "db");
    expands("http://${HOST}:80/${HOST}", "http://db:80/db");
    expands("${EMPTY}", "");
    expands("${_a1}", "under");
    expands("${DOLLAR}", "${HOST} $HOST"); /* not recursive */
    expands("${HOST:-x}", "db");
    expands("${EMPTY:-x}", "x");
    expands("${NOT:-x}", "x");
    expands("${NOT:-}", "");
    expands("${NOT:-a b:-c}", "a b:-c");
    expands("${NOT:-${HOST}}", "db");
    expands("${NOT:-${NEITHER:-${HOST}s}}", "dbs");
    expands("${HOST:-${NOT}}", "db"); /* a default that isn't needed may be impossible */
    expands("${HOST:-${file:/none}}}", "db}");
    expands("${HOST:-$${a}b}", "dbb}");
    expands("${file}", "a variable");
    expands("${file:-x}", "a variable");
}

static void test_literals(void **state)
{
    (void)state;
    expands("$", "$");
    expands("$$", "$$");
    expands("$HOST $5 $(x) $}", "$HOST $5 $(x) $}");
    expands("$${HOST}", "${HOST}");
    expands("$$${HOST}", "$${HOST}");
    expands("$${", "${");
    expands("}{", "}{");
    expands("\xff${HOST}\xfe", "\xff"
                               "db\xfe");
}

static void test_files(void **state)
{
    (void)state;
    expands("${file:/run/secrets/pw}", "hunter22");
    expands("a${file:/run/secrets/two}b", "ahunter22\nb");
    expands("${file:/run/secrets/crlf}", "hunter22");
    expands("${file:/run/secrets/bare}", "hunter22");
    expands("${file:/run/secrets/empty}", "");
    expands("${file:/run/secrets/tricky}", "a ${HOME} 'b");
    expands("${file:${DIR}/pw}", "hunter22");
    expands("${PW}", "hunter22");
    expands("${TWO}", "hunter22\n");
    expands("${CRLF}", "hunter22");
    expands("${BARE}", "hunter22");
    expands("${BLANK}", "");
    expands("${BLANK:-x}", "x");
    expands("${HALF}", "hunter22");
    expands("${HALF:-x}", "hunter22");
    expands("${NOFILE:-x}", "x");
}

static void test_mistakes(void **state)
{
    (void)state;
    fails("${NOT}", UNSET("NOT"));
    fails("${NOFILE}", UNSET("NOFILE"));
    fails("${A} ${HOST} ${B}", UNSET("A") UNSET("B"));
    fails("${NOT:-${NEITHER}}", UNSET("NEITHER"));
    fails("${", UNCLOSED);
    fails("a ${HOST", UNCLOSED);
    fails("${HOST:-x", UNCLOSED);
    fails("${NOT:-x", UNCLOSED);
    fails("${NOT:-${HOST}", UNCLOSED);
    fails("${NOT:-${NEITHER:-", UNCLOSED);
    fails("${HOST:-${NEITHER:-}", UNCLOSED);
    fails("${file:/run/secrets/pw", UNCLOSED);
    fails("${A} ${HOST", UNSET("A") UNCLOSED);
    fails("${}", NONSENSE);
    fails("${ HOST}", NONSENSE);
    fails("${HOST }", NONSENSE);
    fails("${1}", NONSENSE);
    fails("${HOST-x}", NONSENSE);
    fails("${HOST:?no}", NONSENSE);
    fails("${se cret}${A}", NONSENSE UNSET("A"));
    fails("${file:/none}", "x:1: ${file:/none} can't be read: No such file or directory\n");
    fails("${file:}", "x:1: ${file:} can't be read: No such file or directory\n");
    fails("${file:${A}/x}", UNSET("A"));
    fails("${file:/run/secrets/nul}",
          "x:1: ${file:/run/secrets/nul} holds a NUL byte, so it can't be a value\n");
    fails("${MISSING}",
          "x:1: $MISSING_FILE (/run/secrets/missing) can't be read: No such file or directory\n");
    fails("${MISSING:-x}",
          "x:1: $MISSING_FILE (/run/secrets/missing) can't be read: No such file or directory\n");
    fails("${NUL}", "x:1: $NUL_FILE (/run/secrets/nul) holds a NUL byte, so it can't be a value\n");
    fails("${BOTH}", "x:1: $BOTH and $BOTH_FILE are both set\n  hint: unset one of them\n");
    expands_at(NULL, "${BOTH}", NULL,
               "$BOTH and $BOTH_FILE are both set\n  hint: unset one of them\n");
}

/* Each level would be a frame of the stack. */
static void test_depth(void **state)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO long_one = EM_STR_INIT;

    (void)state;
    expands("${A:-${B:-${C:-${D:-${E:-${F:-${G:-${H:-x}}}}}}}}", "x");
    for (int i = 0; i < 200000; i++)
        em_str_puts(&text, "${A:-");
    fails(em_str_c(&text), "x:1: more than 8 ${ within each other\n");
    for (int i = 0; i < 200000; i++)
        em_str_puts(&long_one, "${HOST:-");
    fails(em_str_c(&long_one), UNCLOSED);
}

static void test_secrets_are_known(void **state)
{
    struct em_config_source world = fake_world(environment);
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    struct em_secrets secrets = {0};
    struct em_expansion e = {&world, &secrets, &errs, NULL, NULL};
    EM_STR_AUTO out = EM_STR_INIT;

    (void)state;
    assert_true(em_expand(&e, "${HOST} ${NOT:-x}", &out));
    assert_int_equal(secrets.list.n, 0);
    assert_true(em_expand(&e, "${file:/run/secrets/tricky}", &out));
    assert_true(em_list_has(&secrets.list, "a ${HOME} 'b"));
    assert_true(em_expand(&e, "${PW}", &out));
    assert_true(em_list_has(&secrets.list, "hunter22"));
    em_secrets_free(&secrets);
    e.secrets = NULL;
    assert_true(em_expand(&e, "${PW}", &out));
}

static bool only_bare(void *ctx, const char *path, unsigned *mode)
{
    (void)ctx;
    *mode = 0644;
    return strcmp(path, "/run/secrets/bare") == 0;
}

static void test_world_get(void **state)
{
    static const struct {
        const char *name;
        int result;
        const char *value, *said, *warned;
    } cases[] = {
        {"HOST", 1, "db", "", ""},
        {"EMPTY", 1, "", "", ""},
        {"NOT", 0, "", "", ""},
        {"PW", 1, "hunter22", "", ""},
        {"HALF", 1, "hunter22", "", ""},
        {"NOFILE", 0, "", "", ""},
        {"DOLLAR", 1, "${HOST} $HOST", "", ""},
        {"BARE", 1, "hunter22", "",
         "$BARE_FILE (/run/secrets/bare): everybody may read this secret, since the file has mode "
         "0644\n  hint: chmod o-r /run/secrets/bare, or mount it below /run/secrets\n"},
        {"BOTH", -1, "", "$BOTH and $BOTH_FILE are both set\n  hint: unset one of them\n", ""},
        {"MISSING", -1, "",
         "$MISSING_FILE (/run/secrets/missing) can't be read: No such file or directory\n", ""},
    };
    struct em_config_source world = fake_world(environment);

    (void)state;
    world.readable_by_all = only_bare;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EM_ERRS_AUTO errs = EM_ERRS_INIT;
        struct em_secrets secrets = {0};
        EM_STR_AUTO out = EM_STR_INIT;
        EM_ERRS_AUTO warnings = EM_ERRS_INIT;
        EM_STR_AUTO said = EM_STR_INIT;
        EM_STR_AUTO warned = EM_STR_INIT;

        assert_int_equal(
            em_config_source_get(&world, cases[i].name, &out, &secrets, &errs, &warnings),
            cases[i].result);
        assert_string_equal(em_str_c(&out), cases[i].value);
        fake_say(&errs, &said);
        assert_string_equal(em_str_c(&said), cases[i].said);
        fake_say(&warnings, &warned);
        assert_string_equal(em_str_c(&warned), cases[i].warned);
        em_secrets_free(&secrets);
    }
}

static void test_bare_dollar_warns(void **state)
{
    struct em_config_source world = fake_world(environment);
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;
    struct em_expansion e = {&world, NULL, &errs, &warnings, "x:1"};
    EM_STR_AUTO out = EM_STR_INIT;
    EM_STR_AUTO said = EM_STR_INIT;

    (void)state;
    assert_true(em_expand(&e, "$HOST pa$sword $HOSTS ${HOST} $$HOST", &out));
    fake_say(&warnings, &said);
    assert_string_equal(em_str_c(&said), "x:1: $HOST is not expanded\n  hint: write ${HOST}\n"
                                         "x:1: $HOST is not expanded\n  hint: write ${HOST}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoded),   cmocka_unit_test(test_odd_ends),
        cmocka_unit_test(test_variables), cmocka_unit_test(test_literals),
        cmocka_unit_test(test_files),     cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_depth),     cmocka_unit_test(test_secrets_are_known),
        cmocka_unit_test(test_world_get), cmocka_unit_test(test_bare_dollar_warns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
