/* em_url_parse() beside PQconninfoParse() of the libpq that embark links: what both read, they read
 * as the same; what libpq's parameters are is no matter of opinion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "embark/core/url/url.h"

static PQconninfoOption *options;

static bool known(const char *keyword)
{
    for (PQconninfoOption *o = options; o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return true;
    return false;
}

static int start(void **state)
{
    (void)state;
    options = PQconndefaults();
    return options ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    PQconninfoFree(options);
    return 0;
}

/* What libpq reads, as a string of pairs; false: it refuses the text. A list of no port is none. */
static bool by_libpq(const char *text, struct em_str *out)
{
    char *error = NULL;
    PQconninfoOption *parsed = PQconninfoParse(text, &error);
    PQfreemem(error);
    for (PQconninfoOption *o = parsed; o && o->keyword; o++)
        if (o->val && *o->val &&
            (strcmp(o->keyword, "port") != 0 || strspn(o->val, ",") < strlen(o->val)))
            em_str_printf(out, "%s=[%s] ", o->keyword, o->val);
    PQconninfoFree(parsed);
    return parsed != NULL;
}

/* The same of embark, in libpq's order. */
static bool by_embark(const char *text, struct em_str *out)
{
    EM_URL_AUTO url = EM_URL_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (em_url_parse(&url, text, known, &err))
        return false;
    for (PQconninfoOption *o = options; o->keyword; o++)
        if (em_url_get(&url, o->keyword))
            em_str_printf(out, "%s=[%s] ", o->keyword, em_url_get(&url, o->keyword));
    return true;
}

static uint64_t state_of_random = 1;

static unsigned below(unsigned n)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return (unsigned)(state_of_random >> 33) % n;
}
#define ONE_OF(words) (words)[below(sizeof(words) / sizeof *(words))]

static const char *const values[] = {"a",     "app",  "x y",  "p@ss", "50%", "a=b", "a&b", "a/b",
                                     "a?b#c", "it's", "b\\s", "é",    "+",   ":",   "1",   "\"q\""};

static void add_encoded(struct em_str *out, const char *value)
{
    for (; *value; value++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789+", *value))
            em_str_putc(out, *value);
        else
            em_str_printf(out, "%%%02x", (unsigned char)*value);
}

/* Every keyword that may hold any text; hosts and ports have rules of their own. */
static const char *any_keyword(void)
{
    for (;;) {
        size_t n = 0;
        while (options[n].keyword)
            n++;
        const char *keyword = options[below((unsigned)n)].keyword;
        if (strcmp(keyword, "host") != 0 && strcmp(keyword, "hostaddr") != 0 &&
            strcmp(keyword, "port") != 0)
            return keyword;
    }
}

static void make_uri(struct em_str *out)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    static const char *const hosts[] = {"",        "db",      "db:5433",     "a,b",
                                        "a:1,b:2", "[::1]:5", "%2Frun%2Fpg", "10.0.0.1"};
    em_str_puts(out, ONE_OF(schemes));
    if (below(4)) {
        add_encoded(out, ONE_OF(values));
        if (below(3)) {
            em_str_putc(out, ':');
            add_encoded(out, ONE_OF(values));
        }
        em_str_putc(out, '@');
    }
    em_str_puts(out, ONE_OF(hosts));
    if (below(4)) {
        em_str_putc(out, '/');
        if (below(4))
            add_encoded(out, ONE_OF(values));
        for (unsigned i = 0, n = below(4); i < n; i++) {
            em_str_printf(out, "%c%s=", i ? '&' : '?', any_keyword());
            add_encoded(out, ONE_OF(values));
        }
    }
}

static void make_keywords(struct em_str *out)
{
    em_str_printf(out, "host=%s", below(2) ? "db" : "/run/pg");
    for (unsigned i = 0, n = below(5); i < n; i++) {
        em_str_printf(out, " %s%s=%s'", any_keyword(), below(4) ? "" : " ", below(4) ? "" : " ");
        for (const char *v = ONE_OF(values); *v; v++)
            em_str_printf(out, "%s%c", *v == '\'' || *v == '\\' ? "\\" : "", *v);
        em_str_putc(out, '\'');
    }
}

static void compare(const char *text, bool both_read_it)
{
    EM_STR_AUTO theirs = EM_STR_INIT;
    EM_STR_AUTO ours = EM_STR_INIT;
    bool libpq = by_libpq(text, &theirs), embark = by_embark(text, &ours);
    if (both_read_it && !(libpq && embark))
        fail_msg("%s\n  is refused by %s", text, libpq ? "embark" : "libpq");
    if (libpq && embark && strcmp(em_str_c(&theirs), em_str_c(&ours)) != 0)
        fail_msg("%s\n  libpq  %s\n  embark %s", text, em_str_c(&theirs), em_str_c(&ours));
}

static void well_formed(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        if (i % 2)
            make_uri(&text);
        else
            make_keywords(&text);
        compare(em_str_c(&text), true);
    }
}

/* Bytes put in and changed: where both still read it, they read the same. No blanks in URIs: since
 * 17 libpq takes them off, where drivers leave them. */
static void damaged(void **state)
{
    static const char bytes[] = "@:/?#[]=&%',;\\a1 ";
    (void)state;
    for (int i = 0; i < 60000; i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        if (i % 2)
            make_uri(&text);
        else
            make_keywords(&text);
        for (unsigned n = 1 + below(3); n && text.len > 14; n--) {
            size_t byte = below(sizeof bytes - (i % 2 ? 2 : 1));
            size_t at = 13 + below((unsigned)text.len - 13); /* behind the scheme */
            if (below(2))
                text.data[at] = bytes[byte];
            else
                em_str_insert(&text, at, &bytes[byte], 1);
        }
        compare(em_str_c(&text), false);
    }
}

/* All of libpq's parameters are passed on, in every form. */
static void every_parameter(void **state)
{
    (void)state;
    for (PQconninfoOption *o = options; o->keyword; o++) {
        EM_STR_AUTO uri = EM_STR_INIT;
        EM_STR_AUTO pair = EM_STR_INIT;
        bool host = strcmp(o->keyword, "hostaddr") == 0, port = strcmp(o->keyword, "port") == 0;
        const char *value = host ? "10.0.0.1" : port ? "5433" : "word";
        em_str_printf(&uri, "postgresql://?%s=%s", o->keyword, value);
        em_str_printf(&pair, "%s=%s", o->keyword, value);
        compare(em_str_c(&uri), true);
        compare(em_str_c(&pair), true);
        EM_URL_AUTO url = EM_URL_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        assert_int_equal(em_url_parse(&url, em_str_c(&uri), NULL, &err), 0); /* core's own list */
        assert_string_equal(em_url_get(&url, o->keyword), value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter),
        cmocka_unit_test(well_formed),
        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, start, end);
}
