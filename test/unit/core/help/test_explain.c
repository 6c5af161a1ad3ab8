/* What is said of exit codes, SQLSTATEs and well-known failures. */
#include "embark/core/help/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "embark/core/base/err.h"

static void assert_fits(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), width = 0;

        for (size_t i = 0; i < n; i++)
            width += ((unsigned char)text[i] & 0xC0) != 0x80;
        assert_true(width <= 100); /* a title */
        if (*text == ' ')
            assert_true(width <= 78);
        text += n + 1;
    }
}

static void assert_explained(const char *topic, const char *expected)
{
    EM_STR_AUTO out = EM_STR_INIT;

    assert_true(em_explain(topic, &out));
    if (!strstr(em_str_c(&out), expected))
        fail_msg("help %s has no \"%s\":\n%s", topic, expected, em_str_c(&out));
    assert_true(em_ends(em_str_c(&out), "\n"));
    assert_fits(em_str_c(&out));
}

/* Every code that an error can end in has advice of its own. */
static void all_exit_codes(void **state)
{
    static const int codes[] = {
#define X(name, value, text) value,
        EM_EXITS(X)
#undef X
    };
    static const char *const texts[] = {
#define X(name, value, text) text,
        EM_EXITS(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        EM_STR_AUTO topic = EM_STR_INIT;
        EM_STR_AUTO out = EM_STR_INIT;

        em_str_printf(&topic, "%d", codes[i]);
        assert_explained(em_str_c(&topic), texts[i]);
        assert_true(em_explain(em_str_c(&topic), &out));
        assert_non_null(strstr(em_str_c(&out), "\n  ")); /* a line of advice that isn't empty */
        assert_null(strstr(em_str_c(&out), "\n\n"));
        assert_string_equal(em_exit_text(codes[i]), texts[i]);
    }
    assert_null(em_exit_text(1));
}

static void other_exit_codes(void **state)
{
    (void)state;
    assert_explained("1", "the service's");
    assert_explained("125", "docker run itself");
    assert_explained("137", "memory");
    assert_explained("139", "SIGSEGV");
    assert_explained("143", "SIGTERM");
    assert_explained("160", "ended by signal 32");
    assert_explained("255", "not one of embark's");
}

static void sqlstates(void **state)
{
    static const struct {
        const char *state, *text;
    } known[] = {
        {"28P01", "the role does not exist"},
        {"28P01", "auth_grace"},
        {"28000", "pg_hba.conf"},
        {"28000", "auth_grace"},
        {"3D000", "isn't tried again"},
        {"42501", "isn't tried again"},
        {"55000", "isn't tried again"},
        {"57P01", "tried again until"},
        {"57P03", "tried again until"},
        {"53300", "tried again until"},
        {"53100", "disk"},
        {"08006", "tried again until"},
        {"08P01", "PgBouncer"},
        {"42601", "sql-variable"},
        {"42703", "exit code 65"},
        {"23505", "DETAIL"},
        {"P0001", "DO block"},
        {"ZZ999", "Appendix A"},
        {"12345", "Appendix A"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_explained(known[i].state, known[i].text);
}

static void failures(void **state)
{
    const char *name, *title;
    size_t n = 0;

    (void)state;
    for (; em_explain_topic(n, &name, &title); n++) {
        assert_explained(name, title);
        assert_true(strlen(name) <= 17);
    }
    assert_true(n >= 7);
    assert_false(em_explain_topic(n + 1, &name, &title));
    assert_explained("stale-image", "[image] expect");
    assert_explained("hidden-module", "namespace package");
    assert_explained("sql-variable", "current_setting('embark.NAME')");
}

/* "See also: NAME" leads somewhere. */
static void references(void **state)
{
    static const char *const names[] = {"sql-variable", "hidden-module", "missing-directory",
                                        "stale-image",  "inlined-value", "missing-role",
                                        "older-image"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_explained(names[i], names[i]);
}

static void nothing(void **state)
{
    static const char *const topics[] = {"",       "x",           "256",   "-1",    "77x",
                                         "1e2",    "99999999999", "28p01", "CHECK", "28P0",
                                         "28P011", " 77",         "stale"};

    (void)state;
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        EM_STR_AUTO out = EM_STR_INIT;

        assert_false(em_explain(topics[i], &out));
        assert_int_equal(out.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_exit_codes), cmocka_unit_test(other_exit_codes),
        cmocka_unit_test(sqlstates),      cmocka_unit_test(failures),
        cmocka_unit_test(references),     cmocka_unit_test(nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
