#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/bundle/search.h"

struct finds {
    size_t count, text[64], at[64];
    bool once;
};

static bool note(void *ctx, size_t text, size_t at)
{
    struct finds *finds = ctx;

    assert_true(finds->count < 64);
    finds->text[finds->count] = text;
    finds->at[finds->count++] = at;
    return !finds->once;
}

/* In a block of exactly that size, so that AddressSanitizer sees a byte too much. */
static void run(const struct em_search *scan, const char *bytes, size_t length, size_t from,
                size_t to, struct finds *finds)
{
    char *copy = malloc(length ? length : 1);

    memcpy(copy, bytes, length);
    em_search_run(scan, copy, length, from, to, note, finds);
    free(copy);
}

static void test_finds_all(void **state)
{
    struct em_search scan = EM_SCAN_INIT;
    struct finds finds = {0};
    const char *text = "aXbXXc localhost:3000 https://a localhost:300";

    (void)state;
    assert_int_equal(em_search_add(&scan, "X", 1), 0);
    assert_int_equal(em_search_add(&scan, "localhost:3000", 14), 1);
    assert_int_equal(em_search_add(&scan, "", 0), 2);
    assert_int_equal(em_search_longest(&scan), 14);
    run(&scan, text, strlen(text), 0, strlen(text), &finds);
    assert_int_equal(finds.count, 4);
    assert_int_equal(finds.at[0], 1);
    assert_int_equal(finds.at[2], 4);
    assert_int_equal(finds.text[3], 1);
    assert_int_equal(finds.at[3], 7);
    em_search_free(&scan);
    em_search_free(&scan);
}

/* At every place of blocks of every length around the steps in which it searches. */
static void test_every_place(void **state)
{
    static const char text[] = "needle:/%";
    char block[300];

    (void)state;
    for (size_t length = 1; length < sizeof(text); length++) {
        struct em_search scan = EM_SCAN_INIT;

        em_search_add(&scan, text, length);
        for (size_t size = length; size < sizeof(block); size += 7)
            for (size_t at = 0; at + length <= size; at++) {
                struct finds finds = {0};

                memset(block, 'x', sizeof(block));
                memcpy(block + at, text, length);
                run(&scan, block, size, 0, size, &finds);
                assert_int_equal(finds.count, 1);
                assert_int_equal(finds.at[0], at);
            }
        em_search_free(&scan);
    }
}

static void test_from_and_to(void **state)
{
    struct em_search scan = EM_SCAN_INIT;
    struct finds finds = {0};

    (void)state;
    em_search_add(&scan, "ab", 2);
    run(&scan, "abababab", 8, 1, 6, &finds);
    assert_int_equal(finds.count, 2);
    assert_int_equal(finds.at[0], 2);
    assert_int_equal(finds.at[1], 4);
    run(&scan, "ababa", 5, 4, 5, &finds); /* begins there, but doesn't end in the block */
    run(&scan, "a", 1, 0, 1, &finds);
    run(&scan, "", 0, 0, 0, &finds);
    assert_int_equal(finds.count, 2);
    em_search_free(&scan);
}

static void test_enough_and_off(void **state)
{
    struct em_search scan = EM_SCAN_INIT;
    struct finds finds = {.once = true};

    (void)state;
    em_search_add(&scan, "a", 1);
    em_search_add(&scan, "b", 1);
    run(&scan, "aabb", 4, 0, 4, &finds);
    assert_int_equal(finds.count, 2);
    scan.v[0].off = true;
    run(&scan, "aabb", 4, 0, 4, &finds);
    assert_int_equal(finds.count, 3);
    assert_int_equal(finds.text[2], 1);
    em_search_free(&scan);
}

/* As memcmp at every place finds it, with bytes of all kinds. */
static void test_like_plain_search(void **state)
{
    static char block[5000];
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct em_search scan = EM_SCAN_INIT;
        struct finds finds = {0};
        size_t length = 1 + (unsigned)round % 5, expected = 0;

        for (size_t i = 0; i < sizeof(block); i++) {
            seed = seed * 1103515245u + 12345u;
            block[i] = (char)((seed >> 16) % (round % 2 ? 256 : 12) + (round % 2 ? 0 : 250));
        }
        em_search_add(&scan, block + 4990 - length, length);
        for (size_t i = 4000; i + length <= sizeof(block); i++)
            expected += memcmp(block + i, block + 4990 - length, length) == 0;
        if (expected < 60) {
            run(&scan, block, sizeof(block), 4000, sizeof(block), &finds);
            assert_int_equal(finds.count, expected);
        }
        em_search_free(&scan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_all),         cmocka_unit_test(test_every_place),
        cmocka_unit_test(test_from_and_to),       cmocka_unit_test(test_enough_and_off),
        cmocka_unit_test(test_like_plain_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
