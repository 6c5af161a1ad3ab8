#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/migrations/identity.h"

static void digest(struct em_identity *identity, const char *word, const char *sql,
                   const char *order, const char *file, const char *settings, const char *place,
                   const char *acts_in, char hex[EM_HEX_DIGEST])
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_LIST_AUTO names = EM_LIST_INIT;
    EM_FILELIST_AUTO files = EM_FILELIST_INIT;

    for (const char *p = word; *p;) {
        size_t length = strcspn(p, " ");
        em_list_take(&words, em_strndup(p, length));
        p += length + (p[length] == ' ');
    }
    if (order)
        em_list_add(&names, order);
    em_filelist_add(&files, "a", file, strlen(file));
    *identity = (struct em_identity){&words, sql, &names, &files, settings, place, acts_in};
    em_identity_digest(identity, hex);
}

static void test_each_part_counts(void **state)
{
    static const char *const given[][7] = {
        {"tool up", NULL, NULL, "x", NULL, "public", "public"},
        {"tool up 1", NULL, NULL, "x", NULL, "public", "public"},
        {"tool", NULL, NULL, "x", NULL, "public", "public"},
        {"toolup", NULL, NULL, "x", NULL, "public", "public"},
        {"", "sql", NULL, "x", NULL, "public", "public"},
        {"", "sql", "a", "x", NULL, "public", "public"},
        {"", "sql", "b", "x", NULL, "public", "public"},
        {"", "sql2", "a", "x", NULL, "public", "public"},
        {"tool up", NULL, NULL, "y", NULL, "public", "public"},
        {"tool up", NULL, NULL, "x", NULL, "t1", "public"},
        {"tool up", NULL, NULL, "x", NULL, "public", "t1"},
        {"tool up", NULL, NULL, "x", NULL, "", ""},
        {"tool up", NULL, NULL, "x", "a.ini", "public", "public"},
        {"tool up", NULL, NULL, "x", "b.ini", "public", "public"},
    };
    enum { N = sizeof given / sizeof *given };
    char hex[N][EM_HEX_DIGEST], again[EM_HEX_DIGEST];
    struct em_identity identity;

    (void)state;
    for (int i = 0; i < N; i++) {
        const char *const *g = given[i];
        digest(&identity, g[0], g[1], g[2], g[3], g[4], g[5], g[6], hex[i]);
        digest(&identity, g[0], g[1], g[2], g[3], g[4], g[5], g[6], again);
        assert_int_equal(strlen(hex[i]), 64);
        assert_string_equal(hex[i], again);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(hex[i], hex[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_part_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
