/* What is wrong with a configuration file, and in which line. Every test gives the whole of what is
 * said. */
#include "fake_world.h"

#include <stdlib.h>

#define SECTIONS "  hint: embark help config lists the sections\n"

static void sections(void **state)
{
    (void)state;
    assert_says("embark.ini:1: there is no section [databse]\n  hint: did you mean [database]?\n",
                "[databse]\nurl = x\nnonsense = y\n    more\n[log]\nlevel = warn\n");
    assert_says("embark.ini:2: there is no section [Service]\n  hint: did you mean [service]?\n",
                "\n[Service]\n");
    assert_says("embark.ini:1: there is no section [ log ]\n" SECTIONS, "[ log ]\n");
    assert_says("embark.ini:1: there is no section []\n" SECTIONS, "[]\nx = y\n");
    assert_says("embark.ini:1: there is no section [frobnicate]\n" SECTIONS, "[frobnicate]");
    assert_says("embark.ini:3: the [ of a section has no ]\n",
                "[log]\n\n[wait\nfile = /x\n  /y\n nothing\n");
    assert_says("embark.ini:1: the [ of a section has no ]\n", "[wait ; ]\n");
    assert_says("embark.ini:1: there is more in the line of the section than its name\n"
                "  hint: a key starts in a line of its own\n"
                "embark.ini:2: [log] has no key x\n",
                "[log] level = warn\nx = y\n");
    assert_says("", "[log] # fine\n[wait];fine\n[log]   \n");
}

/* inih would cut the name, and find the section. */
static void long_sections(void **state)
{
    (void)state;
    assert_says("embark.ini:1: there is no section "
                "[0123456789012345678901234567890123456789012345678…]\n" SECTIONS,
                "[01234567890123456789012345678901234567890123456789]\nurl = x\n");
    assert_says("embark.ini:1: there is no section "
                "[0123456789012345678901234567890123456789012345678]\n" SECTIONS,
                "[0123456789012345678901234567890123456789012345678]\nurl = x\n");
}

static void keys(void **state)
{
    (void)state;
    assert_says(
        "embark.ini:2: [database] has no key tiemout\n  hint: did you mean timeout?\n"
        "embark.ini:3: [database] has no key URL\n  hint: did you mean url?\n"
        "embark.ini:4: [database] has no key direct-url\n  hint: did you mean direct_url?\n"
        "embark.ini:5: [database] has no key tcp\n  hint: it is a key of [wait] and [health]\n"
        "embark.ini:7: [database] has no key command\n"
        "  hint: it is a key of [require] and [migrate] and [service]\n"
        "embark.ini:8: [database] has no key frobnicate\n",
        "[database]\ntiemout = 5s\nURL=x\ndirect-url = y\ntcp = db:5432\n  other:1\ncommand = x\n"
        "frobnicate = \n");
    assert_says("embark.ini:1: \"url\" stands above every [section]\n  hint: it is a key of "
                "[database] and [bootstrap]\n"
                "embark.ini:2: \"x\" stands above every [section]\n",
                "url = postgres://db/app\nx = y\n  more\n[log]\n");
    assert_says("embark.ini:2: there is no key before the =\n"
                "embark.ini:4: there is no key before the =\n",
                "[wait]\n= /x\n  /y\n: /z\nfile = /w\n");
}

/* inih remembers 49 bytes of a name for the lines that go on with its value. */
static void long_keys(void **state)
{
    (void)state;
    assert_says(
        "embark.ini:2: \"0123456789012345678901234567890123456789012345678…\" is no key of [wait]\n"
        "embark.ini:5: [wait] has no key 0123456789012345678901234567890123456789012345678\n",
        "[wait]\n01234567890123456789012345678901234567890123456789 = x\n  more\n  still more\n"
        "0123456789012345678901234567890123456789012345678 = x\n  more\n");
}

/* A value that has strayed into a line of its own must not be shown. */
static void strays(void **state)
{
    (void)state;
    assert_says("embark.ini:2: there is no = in the line\n"
                "  hint: a value that goes on in a further line is indented there\n"
                "embark.ini:5: [database] has no key hunter\n", /* the colon is inih's = */
                "[database]\nhunter2\n  hunter3\n\nhunter: 22\n");
    assert_says(
        "embark.ini:2: \"url…\" is no key of [database]\n  hint: \"url\" is to be followed by a =\n"
        "embark.ini:3: \"url…\" is no key of [database]\n  hint: \"url\" is to be followed by a =\n"
        "embark.ini:4: [database] has no key postgres\n"
        "embark.ini:5: \"…\" is no key of [database]\n",
        "[database]\nurl postgres://app:hunter2@db/app\nurl user=app password=hunter2\n"
        "postgres://app:hunter2@db/app\n\xc3\xbc$ = hunter2\n");
    assert_says("embark.ini:3: there is no = in the line\n"
                "  hint: a value that goes on in a further line is indented there\n",
                "[database]\n\nurl ; = x\n");
}

static void repeated(void **state)
{
    (void)state;
    assert_says(
        "embark.ini:7: [database] url is given twice, first in line 2\n"
        "embark.ini:9: [database] url is given twice, first in line 2\n"
        "embark.ini:10: [database] timeout is given twice, first in line 3\n",
        "[database]\nurl = x\ntimeout = 5s\n[wait]\nfile = /x\n[database]\nurl = y\n  more\nurl=\n"
        "timeout = wrong\n");
    assert_says("", "[wait]\ntimeout = 5s\nfile=/x\nfile=/y\n[database]\ntimeout = 5s\n");
}

static void values(void **state)
{
    static const char durations[] =
        "  hint: write 500ms, 60s, 10m, 1h30m, 1d or none; a bare number is seconds\n";
    EM_STR_AUTO said = EM_STR_INIT;

    (void)state;
    em_str_printf(&said, "embark.ini:2: timeout: \"5 sec\" is no duration\n%s", durations);
    em_str_printf(&said, "embark.ini:3: auth_grace: what comes of \"${GRACE}\" is no duration\n%s",
                  durations);
    em_str_printf(&said, "embark.ini:4: connect_timeout: \"-1\" is no duration\n%s", durations);
    em_str_puts(&said,
                "embark.ini:6: format: \"jsn\" is none of text, json\n  hint: did you mean json?\n"
                "embark.ini:7: level: \"loud\" is none of info, error, warn, debug\n");
    assert_says(em_str_c(&said),
                "[database]\ntimeout = 5 sec\nauth_grace = ${GRACE}\nconnect_timeout = -1\n"
                "[log]\nformat = jsn\nlevel = loud\n",
                "GRACE=hunter2");
    em_str_cut(&said, 0);
    em_str_printf(&said,
                  "embark.ini:2: timeout: "
                  "\"012345678901234567890123456789012345678901234567890123456789…\" is no "
                  "duration\n%s",
                  durations);
    em_str_printf(&said,
                  "embark.ini:4: timeout: \"\xe2\x82\xac"
                  "01234567890123456789012345678901234567890123456789"
                  "012345"
                  "…\" is no duration\n%s",
                  durations);
    assert_says(
        em_str_c(&said),
        "[database]\ntimeout=0123456789012345678901234567890123456789012345678901234567890\n"
        "[wait]\ntimeout=\xe2\x82\xac"
        "01234567890123456789012345678901234567890123456789012345\xe2\x82\xac\n");
}

#define UNSET(place, name)                                           \
    place ": $" name " is not set\n  hint: set it, or write ${" name \
          ":-default}; $${ is a literal ${\n"

static void expansion(void **state)
{
    (void)state;
    assert_says(
        UNSET("embark.ini:2",
              "DB_URL") "embark.ini:3: a ${ has no }\n  hint: $${ is a literal ${\n" UNSET("embark."
                                                                                           "ini:5",
                                                                                           "A")
            UNSET("embark.ini:5",
                  "B") "embark.ini:6: ${file:/run/none} can't be read: No such file or directory\n"
                       "embark.ini:8: a \" is not closed\n  hint: \" ;\" starts a comment, in "
                       "quotes, too\n" UNSET("embark.ini:11", "C"),
        "[database]\nurl = ${DB_URL}\ndirect_url = postgres://app:hunter2${x@db\n"
        "[wait]\nfile = /${A}/${B}\n  ${file:/run/none}\n"
        "[service]\ncommand = sh -c \"a ; b\"\n  --more\n"
        "[require]\nenv = ${C}\n");
    /* half a password that looks like an expansion */
    assert_says("embark.ini:2: ${…} holds neither a variable's name nor file:\n"
                "  hint: write ${NAME}, ${NAME:-default}, ${NAME:url} or ${file:/path}; $${ is a "
                "literal ${\n",
                "[database]\nurl = postgres://app:hun${ter 2}@db/app\n");
    assert_says("embark.ini:2: $PW and $PW_FILE are both set\n  hint: unset one of them\n",
                "[database]\nurl = ${PW}\n", "PW=x", "PW_FILE=/run/secrets/pw");
}

#define INDENTED(line, key)                                                                       \
    "embark.ini:" line ": the line is indented, and " key " above it has one value of one line\n" \
    "  hint: let a key start in the first column\n"
#define COLUMN "  hint: let the line start in its first column\n"

static void continuation(void **state)
{
    (void)state;
    assert_says(INDENTED("3", "url") INDENTED("9", "lock"),
                "[database]\nurl = x\n  y\n  z\n[migrate]\ncommand = a\n\tb\nlock = "
                "x\n\ty\ntimeout = 5s\n");
    /* git's style: inih would take these for values */
    assert_says(
        "embark.ini:3: timeout is indented, and so goes on with the value of url above it\n" COLUMN
        "embark.ini:8: dir is indented, and so goes on with the value of file above it\n" COLUMN
        "embark.ini:10: [service] is indented, and so goes on with the value of command above "
        "it\n" COLUMN,
        "[database]\n  url = x\n  timeout = 5s\n\n[require]\n  file = /a\n  /b\n  dir = /c\n"
        "command = psql\n  [service]\n  command = x\n");
    /* what isn't meant so */
    assert_says("", "[migrate]\ncommand = env\n  NAME=value lock_timeoutx=3 =\n  [ x ] [service\n"
                    "[service]\n  command = x\n  [require\n");
    /* below a mistake, it is part of it */
    assert_says("embark.ini:2: [wait] has no key fiel\n  hint: did you mean file?\n"
                "embark.ini:5: [wait] timeout is given twice, first in line 4\n",
                "[wait]\nfiel = /x\n  /y\ntimeout = 5s\ntimeout = 6s\n  7s\n");
}

/* Behind lines that go on, comments, blank ones and CRLF, the number is still the line's. */
static void numbers(void **state)
{
    (void)state;
    assert_says(UNSET("embark.ini:9", "A") "embark.ini:12: [wait] has no key x\n",
                "\xef\xbb\xbf[wait]\r\n\r\nfile = /a\r\n  /b\r\n\r\n# c\r\n  ; d\r\n  /e\r\n  "
                "${A}\r\n  /f\r\n\r\nx = y");
    assert_says("embark.ini:1: there is no section [x]\n" SECTIONS, "\xef\xbb\xbf[x]");
    assert_says("", "\xef\xbb\xbf");
    assert_says("embark.ini:4: there is no = in the line\n"
                "  hint: a value that goes on in a further line is indented there\n",
                "[wait]\n\n\nlast");
}

static void long_lines(void **state)
{
    static const char hint[] =
        "  hint: a list or a command may go on in further, indented lines; a long value can "
        "come from ${NAME} or ${file:/path}\n";
    enum { LONGEST = 1 << 20 };
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO said = EM_STR_INIT;
    char *x = test_malloc(LONGEST + 1);

    (void)state;
    memset(x, 'x', LONGEST);
    x[LONGEST] = '\0';
    em_str_printf(&text, "#%s\n[wait]\n", x);   /* a comment may be as long as it likes */
    em_str_printf(&text, "file = %s\n", x + 6); /* one too many */
    em_str_printf(&text, "  dropped = with it\n");
    em_str_printf(&text, "file = %s\r\n", x + 7);         /* the longest */
    em_str_printf(&text, "  %s\r\n  /fine\n", x + 1);     /* one too many */
    em_str_printf(&text, "[%s]\nkeys = nowhere\n", x);    /* two too many */
    em_str_printf(&text, "[log]\n %s\nx = y\n%sx", x, x); /* one too many, no newline */
    static const struct {
        int line, more;
    } wrong[] = {{3, 1}, {6, 1}, {8, 2}, {11, 1}, {12, 0}, {13, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (wrong[i].more)
            em_str_printf(&said,
                          "embark.ini:%d: the line has %d bytes, and only 1048576 can be read\n%s",
                          wrong[i].line, LONGEST + wrong[i].more, hint);
        else
            em_str_printf(&said, "embark.ini:%d: [log] has no key x\n", wrong[i].line);
    }
    assert_says(em_str_c(&said), em_str_c(&text));
    test_free(x);
}

static void trial_says(const char *said, const char *bytes, size_t length)
{
    struct trial t;

    trial_bytes(&t, bytes, length, NULL);
    assert_string_equal(em_str_c(&t.said), said);
    trial_end(&t);
}

static void nul_bytes(void **state)
{
#define NUL(line)      \
    "embark.ini:" line \
    ": there is a NUL byte in the line\n  hint: the file must be text, in UTF-8\n"
    static const char text[] =
        "[wait]\nfile = /x\0/y\n  /z\n# \0\nfile = /w\n  \0\n  /v\n\0[log]\nlevel = x\n\0";
    static const char utf16[] = "\xff\xfe[\0l\0o\0g\0]\0\n\0";

    (void)state;
    trial_says(NUL("2") NUL("4") NUL("6") NUL("8") "embark.ini:9: [wait] has no key level\n"
                                                   "  hint: it is a key of [log]\n" NUL("10"),
               text, sizeof(text) - 1);
    trial_says("embark.ini:1: the file is UTF-16\n  hint: write it in UTF-8\n", utf16,
               sizeof(utf16) - 1);
    trial_says(NUL("1"), "\0", 1);
    trial_says("", "", 0);
}

/* The file's mistakes in the order of its lines, whenever they were found; then the environment's.
 */
static void all_at_once(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t,
              "[database]\n"
              "url = ${NOT_SET}\n"
              "tiemout = 5s\n"
              "timeout = never\n"
              "[wiat]\n"
              "[service]\n"
              "command = 'x\n"
              "  y\n"
              "grace\n"
              "command = z\n",
              "EMBARK_LOG_LEVEL=loud", "EMBARK_SKIP=everything", NULL);
    assert_int_equal(t.errs.n, 9);
    for (size_t i = 0; i < 7; i++) {
        static const char *const starts[] = {
            "embark.ini:2: ", "embark.ini:3: ", "embark.ini:4: ", "embark.ini:5: ",
            "embark.ini:7: ", "embark.ini:9: ", "embark.ini:10: "};
        assert_true(em_starts(em_str_c(&t.errs.v[i].text), starts[i]));
    }
    assert_true(em_starts(em_str_c(&t.errs.v[7].text), "$EMBARK_LOG_LEVEL: "));
    assert_true(em_starts(em_str_c(&t.errs.v[8].text), "$EMBARK_SKIP: "));
    trial_end(&t);
}

static void not_too_many(void **state)
{
    EM_STR_AUTO text = EM_STR_INIT;
    struct trial t;

    (void)state;
    em_str_puts(&text, "[wait]\n");
    for (int i = 0; i < 100; i++)
        em_str_puts(&text, i % 2 ? "x = y\n" : "file = ${NO}\n");
    trial_run(&t, em_str_c(&text), NULL);
    assert_int_equal(t.errs.n, 100);
    assert_true(em_starts(em_str_c(&t.errs.v[99].text), "embark.ini:101: "));
    trial_end(&t);
    em_str_puts(&text, "x = y\n");
    trial_run(&t, em_str_c(&text), NULL);
    assert_int_equal(t.errs.n, 101);
    assert_string_equal(em_str_c(&t.errs.v[100].text),
                        "embark.ini: more mistakes; the first 100 are listed");
    trial_end(&t);
}

static void nothing_secret_is_said(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t,
              "[database]\n"
              "url = 'postgres://app:hunter2@db/app ${NO} #'\n"
              "direct_url = ${PW} ${NO}\n"
              "url = hunter2\n"
              "  hunter2\n"
              "hunter2\n"
              "timeout = ${PW}\n"
              "auth_grace = ${file:/run/secrets/pw}\n"
              "[log]\n"
              "format = ${PW}\n",
              "PW=hunter2", "EMBARK_LOG_LEVEL_FILE=/run/secrets/pw", NULL);
    assert_false(t.ok);
    assert_null(strstr(em_str_c(&t.said), "hunter"));
    assert_null(strstr(em_str_c(&t.warned), "hunter"));
    trial_end(&t);
}

/* Valid, so only warned of. */
static void seldom_meant(void **state)
{
    (void)state;
    assert_warns("embark.ini:2: url: the quotes are part of the value\n"
                 "embark.ini:4: file: the # is part of the value\n"
                 "  hint: a comment behind a value starts with \" ;\"\n"
                 "embark.ini:5: file: the quotes are part of the value\n"
                 "embark.ini:7: $HOME is not expanded\n  hint: write ${HOME}\n",
                 "[database]\nurl = \"postgres://db/app\"\n[wait]\nfile = /x # y\n  '/a b'\n"
                 "[require]\ndir = $HOME/x\nfile = /x#y\n[service]\ncommand = 'x' # \"y\"\n",
                 "HOME=/root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections),
        cmocka_unit_test(long_sections),
        cmocka_unit_test(keys),
        cmocka_unit_test(long_keys),
        cmocka_unit_test(strays),
        cmocka_unit_test(repeated),
        cmocka_unit_test(values),
        cmocka_unit_test(expansion),
        cmocka_unit_test(continuation),
        cmocka_unit_test(numbers),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(nul_bytes),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(not_too_many),
        cmocka_unit_test(nothing_secret_is_said),
        cmocka_unit_test(seldom_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
