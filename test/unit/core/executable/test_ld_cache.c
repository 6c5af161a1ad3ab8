#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/executable/ld_cache.h"

struct cache {
    unsigned char b[1024];
    size_t length;
    bool big;
};

static void put(struct cache *c, size_t at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        c->b[at + (c->big ? 3 - i : i)] = (unsigned char)(value >> (8 * i));
}

/* Two libraries, one of them twice; behind an old table with `old` entries, unless that is -1. */
static void make(struct cache *c, bool big, int old)
{
    static const char *const texts[] = {"libone.so.1", "/lib/a/libone.so.1", "/lib/b/libone.so.1",
                                        "libtwo.so.2", "/lib/a/libtwo.so.2"};
    uint32_t at[5], strings = 48 + 3 * 24;
    size_t start = 0;

    memset(c, 0, sizeof(*c));
    c->big = big;
    if (old >= 0) {
        memcpy(c->b, "ld.so-1.7.0", 11);
        put(c, 12, (uint32_t)old);
        start = (16 + (size_t)old * 12 + 7) / 8 * 8;
    }
    memcpy(c->b + start, "glibc-ld.so.cache1.1", 20);
    put(c, start + 20, 3);
    for (size_t i = 0; i < 5; i++) {
        at[i] = strings;
        memcpy(c->b + start + strings, texts[i], strlen(texts[i]) + 1);
        strings += (uint32_t)strlen(texts[i]) + 1;
    }
    put(c, start + 48 + 4, at[0]);
    put(c, start + 48 + 8, at[1]);
    put(c, start + 72 + 4, at[0]);
    put(c, start + 72 + 8, at[2]);
    put(c, start + 96 + 4, at[3]);
    put(c, start + 96 + 8, at[4]);
    c->length = start + strings;
}

static bool find(const struct cache *c, size_t length, bool big, const char *name,
                 struct em_list *paths)
{
    char *copy = malloc(length ? length : 1);
    bool result;

    memcpy(copy, c->b, length);
    result = em_ld_cache_find(copy, length, big, name, paths);
    free(copy);
    return result;
}

static void test_finds(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct em_list paths = EM_LIST_INIT;
        struct cache c;

        make(&c, i & 1, i < 4 ? -1 : i);
        assert_true(find(&c, c.length, i & 1, "libone.so.1", &paths));
        assert_int_equal(paths.n, 2);
        assert_string_equal(paths.v[1], "/lib/b/libone.so.1");
        assert_true(find(&c, c.length, i & 1, "libtwo.so.2", &paths));
        assert_int_equal(paths.n, 3);
        assert_true(find(&c, c.length, i & 1, "libtwo.so", &paths));
        assert_int_equal(paths.n, 3);
        em_list_free(&paths);
    }
}

static void test_old_table(void **state)
{
    static const char strings[] = "libone.so.1\0/lib/libone.so.1";
    struct em_list paths = EM_LIST_INIT;
    struct cache c = {.length = 28 + sizeof(strings)};

    (void)state;
    memcpy(c.b, "ld.so-1.7.0", 11);
    put(&c, 12, 1);
    put(&c, 24, 12);
    memcpy(c.b + 28, strings, sizeof(strings));
    assert_true(find(&c, c.length, false, "libone.so.1", &paths));
    assert_int_equal(paths.n, 1);
    assert_string_equal(paths.v[0], "/lib/libone.so.1");
    em_list_free(&paths);
    for (size_t length = 0; length < c.length; length++)
        find(&c, length, false, "libone.so.1", &paths);
    assert_int_equal(paths.n, 0);
}

/* The cache's own word on its byte order counts. */
static void test_order(void **state)
{
    struct em_list paths = EM_LIST_INIT;
    struct cache c;

    (void)state;
    make(&c, false, -1);
    assert_false(find(&c, c.length, true, "libone.so.1", &paths));
    c.b[28] = 2;
    assert_true(find(&c, c.length, true, "libone.so.1", &paths));
    assert_int_equal(paths.n, 2);
    em_list_free(&paths);
}

static void test_damaged(void **state)
{
    struct em_list paths = EM_LIST_INIT;
    struct cache c;
    unsigned seed = 9;

    (void)state;
    assert_false(em_ld_cache_find("", 0, false, "x", &paths));
    assert_false(em_ld_cache_find("something else", 14, false, "x", &paths));
    for (int old = -1; old < 3; old++) {
        make(&c, false, old);
        for (size_t length = 0; length < c.length; length++)
            find(&c, length, false, "libtwo.so.2", &paths);
        put(&c, 20, UINT32_MAX);
        find(&c, c.length, false, "libtwo.so.2", &paths);
    }
    for (int round = 0; round < 20000; round++) {
        make(&c, false, round % 4 - 1);
        for (int i = 0; i < 5; i++) {
            seed = seed * 1103515245u + 12345u;
            c.b[20 + (seed >> 8) % (c.length - 20)] = (unsigned char)(seed >> 24);
        }
        find(&c, c.length, false, "libone.so.1", &paths);
        em_list_free(&paths);
    }
    em_list_free(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_old_table),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
