/* A login that is put into a URL's text: it is read from there as it was, and nothing else changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/url/url.h"

struct example {
    const char *text, *user, *password, *becomes;
};

static void examples(void **state)
{
    static const struct example all[] = {
        {"postgresql://app@h:1/d?sslmode=disable", NULL, "p w",
         "postgresql://app:p%20w@h:1/d?sslmode=disable"},
        {"postgresql+asyncpg://h/d?pool_size=3", "a@b", "x",
         "postgresql+asyncpg://a%40b:x@h/d?pool_size=3"},
        {"postgres://app:@h/d", NULL, "x", "postgres://app:x@h/d"},
        {"postgres://:x@h/d", "app", NULL, "postgres://app:x@h/d"},
        {"postgres://app@h/d", NULL, NULL, "postgres://app@h/d"},
        {"postgres://h", "app", NULL, "postgres://app@h"},
        {"postgres:///d?host=/tmp", "app", "x", "postgres://app:x@/d?host=/tmp"},
        {"postgres://h/d?user=app", NULL, "x&", "postgres://h/d?user=app&password=x%26"},
        {"jdbc:postgresql://h/d", "app", "x y", "jdbc:postgresql://h/d?user=app&password=x%20y"},
        {"jdbc:postgresql://h/d?ssl=false", "app", "x",
         "jdbc:postgresql://h/d?ssl=false&user=app&password=x"},
        {"host=h dbname=d", "app", "it's a\\b",
         "host=h dbname=d user='app' password='it\\'s a\\\\b'"},
        {"Host=h;Database=d", "app", "a\"b;c",
         "Host=h;Database=d;Username=\"app\";Password=\"a\"\"b;c\""},
        {" postgres://app@h/d\n", NULL, "x", " postgres://app:x@h/d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        EM_STR_AUTO raw = EM_STR_INIT;
        EM_URL_AUTO url = EM_URL_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        em_str_puts(&raw, all[i].text);
        em_url_complete(&raw, all[i].user, all[i].password);
        assert_string_equal(em_str_c(&raw), all[i].becomes);
        if (em_url_parse(&url, em_str_c(&raw), NULL, &err) != 0)
            fail_msg("%s: %s", all[i].becomes, em_str_c(&err.text));
        if (all[i].password)
            assert_string_equal(em_url_get(&url, "password"), all[i].password);
        if (all[i].user)
            assert_string_equal(em_url_get(&url, "user"), all[i].user);
    }
}

/* Any bytes, in each form. */
static void any_bytes(void **state)
{
    static const char *const forms[] = {"postgres://h/d", "jdbc:postgresql://h/d",
                                        "host=h dbname=d", "Host=h;Database=d"};
    (void)state;
    for (int c = 1; c < 256; c++)
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
            const char password[] = {'a', (char)c, (char)c, 'b', '\0'};
            EM_STR_AUTO raw = EM_STR_INIT;
            EM_URL_AUTO url = EM_URL_INIT;
            EM_ERR_AUTO err = EM_ERR_INIT;
            em_str_puts(&raw, forms[i]);
            em_url_complete(&raw, "app", password);
            if (em_url_parse(&url, em_str_c(&raw), NULL, &err) != 0)
                fail_msg("%s: %s", em_str_c(&raw), em_str_c(&err.text));
            assert_string_equal(em_url_get(&url, "password"), password);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples), cmocka_unit_test(any_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
