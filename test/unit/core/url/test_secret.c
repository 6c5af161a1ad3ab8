/* No message about a URL shows anything of its password, however it was written: random passwords
 * made of three marks with hostile bytes between them, put where people put passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/url/url.h"

static const char *const marks[] = {"Zq7x", "Wv9k", "Kj3m"};

static const char *const hostile[] = {
    "@",    ":",    "/",    "?",   "#",     "[",        "]",   "!",   "$",   "&",  "'",  "(",
    ")",    "*",    "+",    ",",   ";",     "=",        "%",   " ",   "\"",  "\\", "<",  ">",
    "^",    "`",    "{",    "|",   "}",     "~",        "-",   ".",   "_",   "\t", "\n", "\r",
    "\x01", "\x7F", "\xC3", "ä",   "%%",    "%zz",      "%00", "%4",  "://", "//", "&&", "==",
    ";;",   "''",   "\"\"", "\\'", "@@",    "@h",       "@/",  "/@",  "?@",  "#@", "=@", "?a=@",
    "&b=",  ";c=",  ":1",   ":@",  " usr ", "/d?e=f@g", "$$",  "%40", "%2F",
};

/* %s is the password, or a text that might be one. */
static const char *const templates[] = {
    "postgres://u:%s@h/d",
    "postgresql://u:%s@h",
    "postgresql+asyncpg://u:%s@[::1]:5432/d?ssl=require",
    "POSTGRES://:%s@h:5432,i/d?sslmode=require&pool_size=5",
    "postgres://u:%s@/d?host=/tmp",
    "postgres://u:12%s@h/d",
    "postgres://u:12,%s@h/d",
    "postgres://%s@h/d",
    "postgres://u:x%s",
    "postgres://u:%s@h/d?application_name=a@b",
    "postgres://h/d?user=u&password=%s",
    "postgres://h/d?password=%s&sslmode=require",
    "jdbc:postgresql://h/d?user=u&password=%s",
    "jdbc:postgresql:d?password=%s&user=u",
    "r2dbc:postgresql://u:%s@h/d",
    "host=h password=%s user=u",
    "password=%s host=h",
    "password='%s' host=h",
    "host=h user=u password = %s",
    "Host=h;Password=%s;Username=u",
    "Password=%s;Host=h",
    "Host=h;Username=u;Password=\"%s\"",
    "Host=h;Username=u;Password='%s';Pooling=true",
    "%s",
    "%s://u@h/d",
    "%s=1",
    "u:%s@h/d",
    "postgres:%s",
    "postgres:u:%s@h/d",
    "postgress://u:%s@h/d",
    "mysql://u:%s@h/d",
    "jdbc:%s",
    "\"postgres://u:%s@h/d\"",
    "'postgres://u:%s@h/d'",
    "DATABASE_URL=postgres://u:%s@h/d",
    "psql postgres://u:%s@h/d",
};

static uint64_t random_state = 3;

static size_t draw(size_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(random_state >> 33) % n;
}

static const char *hostile_bytes(void)
{
    return hostile[draw(sizeof hostile / sizeof *hostile)];
}

static void make_password(struct em_str *out)
{
    size_t n = draw(3);
    for (size_t i = 0; i < n; i++)
        em_str_puts(out, hostile_bytes());
    for (size_t i = 0; i < 3; i++) {
        em_str_puts(out, marks[i]);
        n = i < 2 ? 1 + draw(2) : draw(2);
        for (size_t k = 0; k < n; k++)
            em_str_puts(out, hostile_bytes());
    }
}

static void check_shown(const char *text, const struct em_str *shown)
{
    for (size_t i = 0; i < 3; i++)
        if (strstr(em_str_c(shown), marks[i]))
            fail_msg("%s\n  shows: %s", text, em_str_c(shown));
}

/* Of the user's name in "postgres://MARK:…@" and "%s@h" nothing is secret: all marks must be in the
 * password. */
static bool has_all(const char *password)
{
    for (size_t i = 0; i < 3; i++)
        if (!password || !strstr(password, marks[i]))
            return false;
    return true;
}

static void print_places(const struct em_url *url, struct em_str *shown)
{
    for (size_t i = 0; i < em_url_places(url); i++) {
        EM_PLACE_AUTO place = EM_PLACE_INIT;
        em_url_place(url, i, &place);
        em_place_print(place.host, place.port, shown);
        em_str_printf(shown, "\n%s\n", place.address);
    }
}

static void check_read(const char *text, const struct em_url *url)
{
    EM_STR_AUTO shown = EM_STR_INIT;
    EM_STR_AUTO log = EM_STR_INIT;
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    print_places(url, &shown);
    if (!em_url_get(url, "user") || !strstr(em_url_get(url, "user"), marks[0]))
        em_url_print(url, false, &shown);
    for (size_t i = 0; i < url->dropped.n; i++)
        em_str_printf(&shown, "\n%s", url->dropped.v[i]);
    for (size_t i = 0; i < url->notes.n; i++)
        em_str_printf(&shown, "\n%s", url->notes.v[i]);
    check_shown(text, &shown);
    if (!has_all(em_url_get(url, "password")))
        return;
    /* The log may meet the whole text, and the URL for a child. */
    em_url_secrets(url, &secrets);
    em_str_printf(&log, "%s\n", text);
    em_url_print(url, true, &log);
    em_redact(&secrets, &log);
    check_shown(text, &log);
}

static void no_message_shows_it(void **state)
{
    int read = 0, refused = 0;
    (void)state;
    for (int round = 0; round < 30000; round++) {
        const char *template = templates[draw(sizeof templates / sizeof *templates)];
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO password = EM_STR_INIT;
        EM_STR_AUTO shown = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        EM_URL_AUTO url = EM_URL_INIT;
        const char *place = strstr(template, "%s");
        make_password(&password);
        /* Without a host of its own, what follows the last @ can't be told from one. */
        if (!place[2] && !strchr(template, '=') &&
            (strchr(em_str_c(&password), '@') || em_starts(em_str_c(&password), "//")))
            continue;
        em_str_add(&text, template, (size_t)(place - template));
        em_str_puts(&text, em_str_c(&password));
        em_str_puts(&text, place + 2);
        if (em_url_parse(&url, em_str_c(&text), NULL, &err) == 0) {
            read++;
            check_read(em_str_c(&text), &url);
            continue;
        }
        refused++;
        em_str_printf(&shown, "%s\n%s", em_str_c(&err.text), em_str_c(&err.hint));
        check_shown(em_str_c(&text), &shown);
        assert_int_equal(url.keys.n + url.values.n + url.dropped.n + url.notes.n, 0);
        assert_null(url.schema);
    }
    assert_true(read > 3000);
    assert_true(refused > 3000);
}

/* Any bytes at all: no crash, and pairs that libpq can be given. */
static void any_bytes(void **state)
{
    static const char *const parts[] = {"postgresql://",
                                        "jdbc:postgresql:",
                                        "Host=",
                                        "host=",
                                        "password=",
                                        "sslaccept=",
                                        "sslcert=/",
                                        "port=",
                                        "schema=",
                                        "ssl=",
                                        "?",
                                        "&",
                                        ";",
                                        "[",
                                        "]"};
    (void)state;
    for (int round = 0; round < 20000; round++) {
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO printed = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        EM_URL_AUTO url = EM_URL_INIT;
        for (size_t n = draw(12); n > 0; n--) {
            if (draw(3) == 0)
                em_str_puts(&text, hostile_bytes());
            else if (draw(2) == 0)
                em_str_puts(&text, parts[draw(sizeof parts / sizeof *parts)]);
            else
                em_str_putc(&text, (char)(1 + draw(255)));
        }
        int code = em_url_parse(&url, em_str_c(&text), NULL, &err);
        assert_int_equal(code, err.code);
        assert_int_equal(url.keys.n, url.values.n);
        em_url_print(&url, true, &printed);
        print_places(&url, &printed);
        for (size_t i = 0; i < url.keys.n; i++)
            assert_true(*url.values.v[i] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_message_shows_it),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
