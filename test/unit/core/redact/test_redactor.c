/* A stream's secrets, however the stream is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/redact/redactor.h"

/* What is done after a piece was added. */
enum then { LINES, PAUSE, END };

struct stream {
    struct em_redactor redactor;
    const struct em_secrets *secrets;
    struct em_str out;
};

static void add(struct stream *s, const char *bytes, size_t length, enum then then)
{
    em_redactor_add(&s->redactor, bytes, length);
    if (then == LINES)
        em_redactor_lines(&s->redactor, s->secrets, &s->out);
    else if (then == PAUSE)
        em_redactor_pause(&s->redactor, s->secrets, &s->out);
    else
        em_redactor_end(&s->redactor, s->secrets, &s->out);
}

static void end(struct stream *s)
{
    em_redactor_free(&s->redactor);
    em_str_free(&s->out);
}

/* Cut into two at every place, into three at every two, and into single bytes. */
static void check_cuts(const struct em_secrets *secrets, const char *text, const char *shown)
{
    size_t n = strlen(text);
    for (size_t a = 0; a <= n; a++)
        for (size_t b = a; b <= n; b++)
            for (enum then then = LINES; then <= PAUSE; then++) {
                struct stream s = {EM_REDACTOR_INIT, secrets, EM_STR_INIT};
                add(&s, text, a, then);
                add(&s, text + a, b - a, then);
                add(&s, text + b, n - b, END);
                if (strcmp(em_str_c(&s.out), shown) != 0)
                    fail_msg("%.*s|%.*s|%s\n  gives    %s\n  expected %s", (int)a, text,
                             (int)(b - a), text + a, text + b, em_str_c(&s.out), shown);
                assert_int_equal(em_redactor_held(&s.redactor), 0);
                end(&s);
            }
    struct stream s = {EM_REDACTOR_INIT, secrets, EM_STR_INIT};
    for (size_t i = 0; i < n; i++)
        add(&s, text + i, 1, PAUSE);
    add(&s, "", 0, END);
    assert_string_equal(em_str_c(&s.out), shown);
    end(&s);
}

static void cut_anywhere(void **state)
{
    static const char *const examples[][2] = {
        {"hunter22", "****"},
        {"a hunter22 b", "a **** b"},
        {"xhunter22hunter22y", "x****y"},
        {"hunhunter22", "hun****"},
        {"hunter2 hunter", "hunter2 ****"}, /* the end: it may have gone on */
        {"hunter2 hun", "hunter2 hun"},
        {"abcdefh", "****h"}, /* one begins with another */
        {"abcdeg", "****deg"},
        {"cdefg", "****"},
        {"abcdefg cd", "**** cd"},
        {"zzabcdcdefg", "zz****d****"},
        {"line one\nline\ttwo|\nline one\nline", "line one\nline\ttwo|\n****"},
        {"x line one\nline two y\n", "x **** y\n"},
        {"x line one\\nline two y\n", "x **** y\n"},
        {"p%40ss%20word p@ss+word p@ss%2", "**** **** ****"},
        {"p%40ss%20word%", "****%"},
        {"{\"pw\": \"s\\\"lash\\\\ed\"}", "{\"pw\": \"****\"}"},
        {"gr\\u00fc\\u00dfe gr\xC3\xBC\xC3\x9F"
         "e!",
         "**** ****!"},
        {"'it'\\''s me' 'it'\"'\"'s me' 'it''s me'", "'****' '****' '****'"},
        {"up: ab, about 12 of 123", "up: ****, about **** of 123"},
        {"see postgres://u:other@h/d and\nmore", "see postgres://u:****@h/d and\nmore"},
        {"http://h:8080/x y", "http://h:8080/x y"},
        {"host=h password=other user=u\n", "host=h password=**** user=u\n"},
        {"password='it is' x\n", "password='****' x\n"},
        {"Host=h;Password=a b;Database=d\n", "Host=h;Password=****;Database=d\n"},
        {"", ""},
    };
    static const char *const known[] = {"hunter22",
                                        "abc",
                                        "abcdef",
                                        "cdefg",
                                        "line one\nline two",
                                        "p@ss word",
                                        "s\"lash\\ed",
                                        "gr\xC3\xBC\xC3\x9F"
                                        "e",
                                        "it's me",
                                        "ab",
                                        "12"};
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        em_secrets_add(&secrets, known[i]);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        check_cuts(&secrets, examples[i][0], examples[i][1]);
}

static void lines_go_out_at_once(void **state)
{
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    struct stream s = {EM_REDACTOR_INIT, &secrets, EM_STR_INIT};
    (void)state;
    em_secrets_add(&secrets, "hunter22");
    add(&s, "one\ntwo\nhun", 11, LINES);
    assert_string_equal(em_str_c(&s.out), "one\ntwo\n");
    add(&s, "dred.", 5, LINES);
    assert_string_equal(em_str_c(&s.out), "one\ntwo\n");
    add(&s, "", 0, PAUSE);
    assert_string_equal(em_str_c(&s.out), "one\ntwo\nhundred.");
    add(&s, ".", 1, PAUSE);
    assert_string_equal(em_str_c(&s.out), "one\ntwo\nhundred..");
    end(&s);
}

static void a_pause_reveals_nothing(void **state)
{
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    struct stream s = {EM_REDACTOR_INIT, &secrets, EM_STR_INIT};
    (void)state;
    em_secrets_add(&secrets, "hunter22");
    add(&s, "pw: hunte", 9, PAUSE);
    add(&s, "", 0, PAUSE);
    assert_string_equal(em_str_c(&s.out), "pw: ");
    assert_int_equal(em_redactor_held(&s.redactor), 5);
    add(&s, "d\n", 2, LINES);
    assert_string_equal(em_str_c(&s.out), "pw: hunted\n");
    add(&s, "hunt", 4, END);
    assert_string_equal(em_str_c(&s.out), "pw: hunted\n****");
    end(&s);
}

/* No more is kept than is needed, whatever comes. */
static void bounded(void **state)
{
    static char x[4096];
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    struct stream s = {EM_REDACTOR_INIT, &secrets, EM_STR_INIT};
    (void)state;
    em_secrets_add(&secrets, "hunter22");
    add(&s, "://u:", 5, PAUSE);
    memset(x, 'x', sizeof x);
    for (int i = 0; i < 1000; i++) {
        add(&s, x, sizeof x, PAUSE);
        assert_in_range(s.redactor.text.len, 1, 80000);
    }
    end(&s);
}

static uint64_t random_state = 4;

static size_t draw(size_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(random_state >> 33) % n;
}

/* Of random secrets in a random text, in random pieces: none is shown, and what one call of
 * em_redact() hides stays hidden. */
static void never_shown(void **state)
{
    static const char bytes[] = "abc%'\"\\@/:= +&;4025*\n";
    (void)state;
    for (int round = 0; round < 20000; round++) {
        EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
        EM_STR_AUTO text = EM_STR_INIT;
        struct stream s = {EM_REDACTOR_INIT, &secrets, EM_STR_INIT};
        char secret[3][12];
        for (size_t i = 0; i < 3; i++) {
            size_t n = 3 + draw(8);
            for (size_t k = 0; k < n; k++)
                secret[i][k] = bytes[draw(sizeof bytes - 1)];
            secret[i][n] = '\0';
            secret[i][draw(n)] = "XYZ"[i]; /* nothing else of the text has it */
            em_secrets_add(&secrets, secret[i]);
        }
        for (size_t n = 1 + draw(6); n > 0; n--) {
            em_str_puts(&text, secret[draw(3)]);
            for (size_t k = draw(4); k > 0; k--)
                em_str_putc(&text, bytes[draw(sizeof bytes - 1)]);
        }
        for (size_t at = 0, n; at < text.len; at += n) {
            n = 1 + draw(9);
            n = n < text.len - at ? n : text.len - at;
            add(&s, text.data + at, n, draw(2) ? LINES : PAUSE);
        }
        add(&s, "", 0, END);
        if (strpbrk(em_str_c(&s.out), "XYZ"))
            fail_msg("shown: %s\n  of %s", em_str_c(&s.out), em_str_c(&text));
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(lines_go_out_at_once),
        cmocka_unit_test(a_pause_reveals_nothing),
        cmocka_unit_test(bounded),
        cmocka_unit_test(never_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
