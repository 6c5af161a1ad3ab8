#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "embark/core/redact/secrets.h"

static void check(const struct em_secrets *secrets, const char *text, const char *shown)
{
    EM_STR_AUTO s = EM_STR_INIT;
    em_str_puts(&s, text);
    em_redact(secrets, &s);
    if (strcmp(em_str_c(&s), shown) != 0)
        fail_msg("%s\n  gives    %s\n  expected %s", text, em_str_c(&s), shown);
    assert_int_equal(s.len, strlen(shown));
}

struct example {
    const char *text, *shown;
};

static void check_all(const struct em_secrets *secrets, const struct example *examples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(secrets, examples[i].text, examples[i].shown);
}
#define CHECK(secrets, examples) check_all(secrets, examples, sizeof(examples) / sizeof *(examples))

/* ---- Known secrets ---- */

static void as_it_is(void **state)
{
    static const struct example examples[] = {
        {"hunter2", "****"},
        {"a hunter2 b hunter2", "a **** b ****"},
        {"xhunter2y", "x****y"},
        {"hunter2hunter2", "****"},
        {"hunter", "hunter"},
        {"Hunter2", "Hunter2"},
        {"", ""},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "hunter2");
    CHECK(&secrets, examples);
}

static void percent_encoded(void **state)
{
    static const struct example examples[] = {
        {"p@s/s é%", "****"},
        {"x p%40s%2Fs%20%C3%A9%25 y", "x **** y"},
        {"x p%40s%2fs%20%c3%a9%25 y", "x **** y"},
        {"x p@s%2Fs+%C3%A9%25 y", "x **** y"},
        {"%70%40%73%2F%73%20%C3%A9%25", "****"},
        {"p%40s%2Fs%20%C3%A9%", "p%40s%2Fs%20%C3%A9%"},
        {"p%4", "p%4"},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "p@s/s é%");
    CHECK(&secrets, examples);
}

/* As it was given, before anybody decoded it. */
static void encoded_already(void **state)
{
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "p%40ss");
    check(&secrets, "p%40ss p%2540ss p@ss", "**** **** p@ss");
}

static void quoted(void **state)
{
    static const struct example examples[] = {
        {"it's \"a\"\\b\n", "****"},
        {"'it''s \"a\"\\b\n'", "'****'"},
        {"'it\\'s \"a\"\\\\b\n'", "'****'"},
        {"'it's \"\"a\"\"\\b\n'", "'****'"},
        {"\"it's \\\"a\\\"\\\\b\n\"", "\"****\""},
        {"it's \"a\"\\b\\n", "****"},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "it's \"a\"\\b\n");
    CHECK(&secrets, examples);
}

static void overlapping(void **state)
{
    static const struct example examples[] = {
        {"abcdef", "****"},     {"xabcdefgy", "x****y"}, {"cdefg abcd", "**** ****"},
        {"abcdefabcd", "****"}, {"aaaa", "****"},        {"zaaaaz", "z****z"},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "abcd");
    em_secrets_add(&secrets, "cdefg");
    em_secrets_add(&secrets, "abcdef");
    em_secrets_add(&secrets, "aaa");
    CHECK(&secrets, examples);
}

/* By somebody who didn't know the secret. */
static void cut(void **state)
{
    static const struct example examples[] = {
        {"works on: ALTER … 'Tr0ub4…", "works on: ALTER … '****…"},
        {"(Tr0...", "(Tr0..."},
        {"...AndMore' x", "...****' x"},
        {"...dor x", "...dor x"},
        {"Tr0ub4dorAndMor", "Tr0ub4dorAndMor"},
        {"%54r0ub%34…", "****…"},
        {"\xE2\x80\xA6 ... …", "\xE2\x80\xA6 ... …"},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    size_t at = 17;
    (void)state;
    em_secrets_add(&secrets, "Tr0ub4dorAndMore");
    CHECK(&secrets, examples);
    em_str_puts(&text, "Tr0ub4dorAndMore x");
    em_redact_at(&secrets, &text, &at);
    assert_string_equal(em_str_c(&text) + at, "x");
    at = text.len;
    em_redact_at(&secrets, &text, &at);
    assert_int_equal(at, text.len);
}

/* As others write it. */
static void in_other_hands(void **state)
{
    static const struct example examples[] = {
        {"{\"a\": \"gr\\u00fcn<\\\\\\\"\\n'\\ud83d\\ude00\"}", "{\"a\": \"****\"}"},
        {"{\"a\":\"gr\xC3\xBCn\\u003c\\\\\\\"\\n'\xF0\x9F\x98\x80\"}", "{\"a\":\"****\"}"},
        {"+ psql 'gr\xC3\xBCn<\\\"\n'\\''\xF0\x9F\x98\x80'", "+ psql '****'"},
        {"'gr\xC3\xBCn<\\\"\n'\"'\"'\xF0\x9F\x98\x80'", "'****'"},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "gr\xC3\xBCn<\\\"\n'\xF0\x9F\x98\x80");
    CHECK(&secrets, examples);
}

static void made_of_stars(void **state)
{
    static const struct example examples[] = {
        {"****", "****"},    {"a****b", "a****b"},        {"xx****yy", "****"},
        {"hunter2", "****"}, {"xxhunter2yy", "xx****yy"},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "****");
    em_secrets_add(&secrets, "xx****yy");
    em_secrets_add(&secrets, "hunter2");
    CHECK(&secrets, examples);
}

static void short_ones(void **state)
{
    static const struct example examples[] = {
        {"a", "****"},
        {"a cat is a cat", "**** cat is **** cat"},
        {"(a)", "(****)"},
        {"_a a1 éa aé", "_a a1 éa aé"},
        {"user 12: 123", "user ****: 123"},
        {"x@y @ %40", "x@y **** ****"},
    };
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "a");
    em_secrets_add(&secrets, "12");
    em_secrets_add(&secrets, "@");
    CHECK(&secrets, examples);
}

static void the_set(void **state)
{
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    EM_STR_AUTO nothing = EM_STR_INIT;
    (void)state;
    em_secrets_add(&secrets, "");
    em_secrets_add(&secrets, NULL);
    assert_int_equal(secrets.list.n, 0);
    em_secrets_add(&secrets, "plain");
    em_secrets_add(&secrets, "plain");
    assert_int_equal(secrets.list.n, 1);
    em_redact(&secrets, &nothing);
    assert_int_equal(nothing.len, 0);
    em_secrets_free(&secrets);
    em_secrets_free(&secrets);
    check(&secrets, "plain", "plain");
}

static void nul_bytes_and_ends(void **state)
{
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    (void)state;
    em_secrets_add(&secrets, "hunter2");
    em_str_add(&text, "a\0hunter2\0b hunter2", 19);
    em_redact(&secrets, &text);
    assert_int_equal(text.len, 13);
    assert_memory_equal(text.data, "a\0****\0b ****", 14);
}

/* ---- Unknown ones ---- */

static void in_urls(void **state)
{
    static const struct example examples[] = {
        {"postgres://u:secret@h/d", "postgres://u:****@h/d"},
        {"see postgres://u:secret@h/d and redis://:pw@r:6379/0.",
         "see postgres://u:****@h/d and redis://:****@r:6379/0."},
        {"postgres://u:a@b/c?d#e:f@h/d", "postgres://u:****@h/d"},
        {"jdbc:postgresql+x://u:'a\"b@h", "jdbc:postgresql+x://u:****@h"},
        {"amqp://u:@h", "amqp://u:@h"},
        {"postgres://u@x:secret@h", "postgres://u@x:****@h"},
        {"postgres://u:****@h", "postgres://u:****@h"},
        {"a@b ://c:d@", "a@b ://c:****@"},
        /* nothing to hide */
        {"postgres://u@h:5432/d", "postgres://u@h:5432/d"},
        {"http://h:80/a?b=c mail a@b", "http://h:80/a?b=c mail a@b"},
        {"http://h/@scope/pkg", "http://h/@scope/pkg"},
        {"http://h/a:b@c", "http://h/a:b@c"},
        {"://", "://"},
    };
    (void)state;
    CHECK(NULL, examples);
}

static void with_a_name(void **state)
{
    static const struct example examples[] = {
        /* keyword=value */
        {"host=h password=secret user=u", "host=h password=**** user=u"},
        {"password = 'a b\\'c' user=u", "password = '****' user=u"},
        {"password=a\\ b user=u", "password=**** user=u"},
        {"password='a", "password='****"},
        {"password='a'b user=u", "password='**** user=u"},
        {"sslpassword=x PGPASSWORD=y DB_PASSWORD=z",
         "sslpassword=**** PGPASSWORD=**** DB_PASSWORD=****"},
        {"CLIENT_SECRET=x db-passwd=y Pwd=z", "CLIENT_SECRET=**** db-passwd=**** Pwd=****"},
        {"password=\nnext", "password=\n****"},
        {"password=", "password="},
        {"password= ", "password= "},
        /* query */
        {"jdbc:postgresql://h/d?user=u&password=p;q&ssl=true",
         "jdbc:postgresql://h/d?user=u&password=****&ssl=true"},
        {"?password=a'b\"c&x=1", "?password=****&x=1"},
        {"?sslpassword=a&password=b", "?sslpassword=****&password=****"},
        /* Npgsql */
        {"Host=h;Password=a b;Database=d", "Host=h;Password=****;Database=d"},
        {"Host=h;Password=\"a;b\";Database=d", "Host=h;Password=\"****\";Database=d"},
        {"Host=h; Password='a''b;c' ; Database=d", "Host=h; Password='****' ; Database=d"},
        {"Password=a b;Host=h", "Password=****;Host=h"},
        {"Password=a;Host=h", "Password=****"},
        /* JSON and the like */
        {"{\"password\": \"a\\\"b\", \"user\": \"u\"}",
         "{\"password\": \"****\", \"user\": \"u\"}"},
        {"{'password':'a','user':'u'}", "{'password':'****','user':'u'}"},
        {"password => 'x'", "password => '****'"},
        /* SQL */
        {"ALTER ROLE a PASSWORD 'x''y' LOGIN", "ALTER ROLE a PASSWORD '****' LOGIN"},
        {"create role a password E'x\\'y'", "create role a password E'****'"},
        {"PASSWORD $$x$y$$ LOGIN", "PASSWORD $$****$$ LOGIN"},
        {"PASSWORD $q$x$$y$q$;", "PASSWORD $q$****$q$;"},
        {"PASSWORD $1, NULL", "PASSWORD $1, NULL"},
        {"PASSWORD 'x", "PASSWORD '****"},
        /* nothing to hide */
        {"password authentication failed for user \"app\"",
         "password authentication failed for user \"app\""},
        {"fe_sendauth: no password supplied", "fe_sendauth: no password supplied"},
        {"PASSWORD_FILE=/run/x passfile=/y passes=3", "PASSWORD_FILE=/run/x passfile=/y passes=3"},
        {"PWD=/srv OLDPWD=/ bypass=1", "PWD=/srv OLDPWD=/ bypass=1"},
        {"password: what?", "password: what?"},
        {"replace_password = yes has", "replace_password = yes has"},
    };
    (void)state;
    CHECK(NULL, examples);
}

/* ---- Random texts ---- */

static uint64_t random_state = 9;

static size_t draw(size_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(random_state >> 33) % n;
}

static void add_in_some_form(struct em_str *out, const char *secret)
{
    size_t form = draw(5);
    for (const char *p = secret; *p; p++) {
        bool quote = *p == '\'' || *p == '"';
        if (form == 1 && (draw(2) || *p == '%'))
            em_str_printf(out, draw(2) ? "%%%02X" : "%%%02x", (unsigned char)*p);
        else if (form == 2 && *p == '\'')
            em_str_puts(out, "''");
        else if (form == 3 && (quote || *p == '\\') && *p != '"')
            em_str_printf(out, "\\%c", *p);
        else if (form == 4 && (quote || *p == '\\') && *p != '\'')
            em_str_printf(out, "\\%c", *p);
        else
            em_str_putc(out, *p);
    }
}

/* Every secret that is put in, in any form, is gone afterwards, and once more changes nothing. */
static void never_shown(void **state)
{
    static const char bytes[] = "abc%'\"\\@/:= +&;4025*\n";
    (void)state;
    for (int round = 0; round < 20000; round++) {
        EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO again = EM_STR_INIT;
        char secret[3][12];
        for (size_t i = 0; i < 3; i++) {
            size_t n = 3 + draw(8);
            for (size_t k = 0; k < n; k++)
                secret[i][k] = bytes[draw(sizeof bytes - 1)];
            secret[i][n] = '\0';
            /* A mark that nothing else of the text has; marks of their own, so that they can
             * overlap. */
            secret[i][draw(n)] = "XYZ"[i];
            em_secrets_add(&secrets, secret[i]);
        }
        for (size_t n = 1 + draw(6); n > 0; n--) {
            add_in_some_form(&text, secret[draw(3)]);
            for (size_t k = draw(4); k > 0; k--)
                em_str_putc(&text, bytes[draw(sizeof bytes - 1)]);
        }
        em_redact(&secrets, &text);
        if (strpbrk(em_str_c(&text), "XYZ"))
            fail_msg("shown: %s (%s, %s, %s)", em_str_c(&text), secret[0], secret[1], secret[2]);
        em_str_puts(&again, em_str_c(&text));
        em_redact(&secrets, &again);
        assert_true(again.len <= text.len + 4 * 6);
    }
}

static void any_bytes(void **state)
{
    static const char *const parts[] = {"://", "password", "=", "'", "\"", "\\", "$",  "$$",  ";a=",
                                        "?",   "&",        ":", "@", "E'", " ",  "\n", "pwd", ">"};
    (void)state;
    for (int round = 0; round < 50000; round++) {
        EM_STR_AUTO text = EM_STR_INIT;
        for (size_t n = draw(16); n > 0; n--) {
            if (draw(4))
                em_str_puts(&text, parts[draw(sizeof parts / sizeof *parts)]);
            else
                em_str_putc(&text, (char)draw(256));
        }
        em_redact(NULL, &text);
    }
}

/* ---- Escaping ---- */

static void escape(void **state)
{
    static const struct example examples[] = {
        {"plain \\ text", "plain \\ text"},
        {"a\nb\tc\rd\x1b[31m\x7f", "a\\nb\\tc\\x0dd\\x1b[31m\\x7f"},
        {"é€😀", "é€😀"},
        {"\xC2\x80\xC2\x9F\xC2\xA0", "\\xc2\\x80\\xc2\\x9f\xC2\xA0"},
        {"\xE2\x80\xA8\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\x8F",
         "\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x80\\x8f"},
        {"\xD8\x9C\xE2\x80\x8E\xE2\x80\x8D\xE2\x80\xA7",
         "\\xd8\\x9c\\xe2\\x80\\x8e\xE2\x80\x8D\xE2\x80\xA7"},
        {"\x80\xBF\xC3", "\\x80\\xbf\\xc3"},
        {"\xC3(", "\\xc3("},
        {"\xE2\x82", "\\xe2\\x82"},
        {"\xC0\xAF\xE0\x80\xAF", "\\xc0\\xaf\\xe0\\x80\\xaf"},
        {"\xED\xA0\x80\xF4\x90\x80\x80\xFF", "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xff"},
        {"\xF0\x9F\x98", "\\xf0\\x9f\\x98"},
        {"", ""},
    };
    EM_STR_AUTO nul = EM_STR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        EM_STR_AUTO out = EM_STR_INIT;
        em_escape(&out, examples[i].text, strlen(examples[i].text));
        assert_string_equal(em_str_c(&out), examples[i].shown);
    }
    em_escape(&nul, "a\0b", 3);
    assert_string_equal(em_str_c(&nul), "a\\x00b");
    em_str_cut(&nul, 0);
    em_foreign(&nul, NULL);
    em_foreign(&nul, "x\ny");
    em_str_putc(&nul, ' ');
    em_escape_lines(&nul, "a\x1b\n\n\r\nb", 7);
    assert_string_equal(em_str_c(&nul), "x\\ny a\\x1b\n\n\\x0d\nb");
}

/* The processor's time for a text of `size` bytes that is this piece again and again. */
static clock_t time_of(const struct em_secrets *secrets, const char *piece, size_t size)
{
    EM_STR_AUTO text = EM_STR_INIT;
    clock_t began = clock();
    while (text.len < size)
        em_str_puts(&text, piece);
    em_redact(secrets, &text);
    return clock() - began;
}

/* Texts that somebody has made so that looking at them takes for ever: four times the text takes
 * four times as long, and not sixteen times, however slow the machine is. */
static void made_to_last(void **state)
{
    static const char *const pieces[] = {
        "pass='",       "pass=' ",      "pass=\"",     "a://b:c@", "a://",     "pass=;",
        ";a=b",         "password $a$", "password=\n", "--key ",   "--key=\\", "...",
        "\xE2\x80\xA6", "%41",          "%",           "key=\"",   "\"key\":", "?token=x&",
        "pass_",        "ABAB",         "a:@"};
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_add(&secrets, "ABABABABABABABABABABABABABABABAC");
    em_secrets_add(&secrets, "........................!");
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        clock_t one = time_of(&secrets, pieces[i], 75000);
        clock_t four = time_of(&secrets, pieces[i], 300000);
        if (four > 10 * one + CLOCKS_PER_SEC / 2)
            fail_msg("%s: %ld and %ld ms", pieces[i], (long)(one * 1000 / CLOCKS_PER_SEC),
                     (long)(four * 1000 / CLOCKS_PER_SEC));
    }
}

/* However a stream is cut, what comes out is the same. */
static void escape_pieces(void **state)
{
    static const char all[] =
        "a\tb\r\nü€😀\x1b[2J\r\r\n\xE2\x80\xAE\xFF\x1b[31mred\x1b[mx\x1b[1;31m\nb"
        "\x1b[5\x1b[0123456789012345678901234567890123m\x1b[4m\xF0\x9F\xE2\x82";
    static const char shown[] =
        "a\tb\nü€😀\\x1b[2J\\x0d\n\\xe2\\x80\\xae\\xff\x1b[31mred\x1b[mx\x1b[1;31m\x1b[0m\nb"
        "\\x1b[5\\x1b[0123456789012345678901234567890123m\x1b[4m\\xf0\\x9f\\xe2\\x82\x1b[0m";
    (void)state;
    for (size_t piece = 1; piece <= sizeof all; piece++) {
        EM_STR_AUTO out = EM_STR_INIT;
        size_t from = 0;
        bool coloured = false;
        for (size_t to = 0; to < sizeof all - 1;) {
            to = to + piece < sizeof all - 1 ? to + piece : sizeof all - 1;
            from += em_escape_output(&out, all + from, to - from, &coloured, true);
        }
        assert_true(sizeof all - 1 - from <= 3 && !strchr(em_str_c(&out), '\xFF'));
        from += em_escape_output(&out, all + from, sizeof all - 1 - from, &coloured, false);
        assert_int_equal(from, sizeof all - 1);
        assert_string_equal(em_str_c(&out), shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_is),
        cmocka_unit_test(percent_encoded),
        cmocka_unit_test(encoded_already),
        cmocka_unit_test(quoted),
        cmocka_unit_test(overlapping),
        cmocka_unit_test(made_of_stars),
        cmocka_unit_test(cut),
        cmocka_unit_test(in_other_hands),
        cmocka_unit_test(short_ones),
        cmocka_unit_test(the_set),
        cmocka_unit_test(nul_bytes_and_ends),
        cmocka_unit_test(in_urls),
        cmocka_unit_test(with_a_name),
        cmocka_unit_test(never_shown),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(escape),
        cmocka_unit_test(escape_pieces),
        cmocka_unit_test(made_to_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
