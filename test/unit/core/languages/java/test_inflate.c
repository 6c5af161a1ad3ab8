#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/java/class_path.h"
#include "embark/core/languages/java/inflate.h"

/* By zlib: one block as it is, one with the fixed codes, one with codes of its own. */
static const unsigned char stored[] = {0x01, 0x21, 0x00, 0xde, 0xff, 0x43, 0x6c, 0x61, 0x73, 0x73,
                                       0x2d, 0x50, 0x61, 0x74, 0x68, 0x3a, 0x20, 0x6c, 0x69, 0x62,
                                       0x2f, 0x61, 0x2e, 0x6a, 0x61, 0x72, 0x20, 0x6c, 0x69, 0x62,
                                       0x2f, 0x62, 0x2e, 0x6a, 0x61, 0x72, 0x0d, 0x0a};
static const unsigned char fixed[] = {0x73, 0xce, 0x49, 0x2c, 0x2e, 0xd6, 0x0d, 0x48, 0x2c, 0xc9,
                                      0xb0, 0x52, 0xc8, 0xc9, 0x4c, 0xd2, 0x4f, 0xd4, 0xcb, 0x4a,
                                      0x2c, 0x02, 0xb3, 0x92, 0x40, 0x2c, 0x5e, 0x2e, 0x00};
static const unsigned char dynamic[] = {
    0x3d, 0x8d, 0xb1, 0x01, 0x00, 0x20, 0x0c, 0xc2, 0x76, 0xbe, 0x04, 0xfe, 0xff, 0xc1,
    0x86, 0x41, 0x97, 0x86, 0x82, 0xd4, 0x51, 0x6b, 0x3b, 0x4d, 0xe2, 0xa3, 0x58, 0xa8,
    0xba, 0x27, 0x7b, 0x92, 0x77, 0x16, 0x84, 0x5c, 0xce, 0x83, 0x1b, 0x9a, 0x53, 0xe1,
    0xf5, 0x36, 0xd1, 0x4c, 0x46, 0xe4, 0x35, 0x78, 0x89, 0x06, 0xda, 0x89, 0xec, 0xc0,
    0xfa, 0xc4, 0xe6, 0x77, 0x6b, 0xc4, 0x57, 0x92, 0xc5, 0xd7, 0x03};
static const char text[] = "Class-Path: lib/a.jar lib/b.jar\r\n";
static const char letters[] =
    "ab\nccaaabcbbbacaaba\naabccacbaccabaaaaabbaabaacabacbbbaaabacbaaa\nbbaabc\naacaccbab\nbaaabb\n"
    "bab\nabaccaabaabccbcaabbbacab\naabcabaac\nbbbabaabaacab\nbaaba\nbababbbcaac\n\n";

/* From a block of its very size, so that a sanitizer sees what is read beyond. */
static bool inflate(const void *bytes, size_t length, size_t limit, struct em_str *out)
{
    char *copy = malloc(length ? length : 1);
    bool ok;

    memcpy(copy, bytes, length);
    ok = em_inflate(copy, length, limit, out);
    free(copy);
    return ok;
}

static void expect(const void *bytes, size_t length, const char *expected)
{
    struct em_str out = EM_STR_INIT;
    size_t n = strlen(expected);

    em_str_puts(&out, "before ");
    assert_true(inflate(bytes, length, n, &out));
    assert_string_equal(em_str_c(&out) + 7, expected);
    em_str_cut(&out, 7);
    assert_false(inflate(bytes, length, n - 1, &out));
    for (size_t cut = 0; cut < length; cut++)
        assert_false(inflate(bytes, cut, n, &out));
    assert_string_equal(em_str_c(&out), "before ");
    em_str_free(&out);
}

static void test_blocks(void **state)
{
    (void)state;
    expect(stored, sizeof stored, text);
    expect(fixed, sizeof fixed, text);
    expect(dynamic, sizeof dynamic, letters);
}

static void test_hostile_bytes(void **state)
{
    static const unsigned char before_the_start[] = {0x63, 0x04, 0x12, 0x00};
    struct em_str out = EM_STR_INIT;
    unsigned seed = 1;

    (void)state;
    inflate(before_the_start, sizeof before_the_start, 1000, &out);
    for (int round = 0; round < 20000; round++) {
        unsigned char bytes[sizeof dynamic];

        memcpy(bytes, dynamic, sizeof dynamic);
        for (int i = 0; i < 1 + round % 40; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[(seed >> 16) % (round % 2 ? 8 : sizeof bytes)] = (unsigned char)(seed >> 8);
        }
        em_str_cut(&out, 0);
        inflate(bytes, sizeof bytes, 10000, &out);
        assert_true(out.len <= 10000);
    }
    em_str_free(&out);
}

static void expect_path(const char *manifest, const char *expected)
{
    struct em_list paths = EM_LIST_INIT;
    struct em_str got = EM_STR_INIT;

    em_java_manifest_read(manifest, strlen(manifest), &paths);
    for (size_t i = 0; i < paths.n; i++)
        em_str_printf(&got, "%s|", paths.v[i]);
    assert_string_equal(em_str_c(&got), expected);
    em_str_free(&got);
    em_list_free(&paths);
}

static void test_class_path(void **state)
{
    (void)state;
    expect_path("", "");
    expect_path("Manifest-Version: 1.0\r\nClass-Path: a.jar  b.jar\r\nMain-Class: x\r\n",
                "a.jar|b.jar|");
    expect_path("class-path: lib/a.j\n ar lib\n /b.jar\n", "lib/a.jar|lib/b.jar|");
    expect_path("A: b\n\nName: x/\nClass-Path: never.jar\n", "");
    expect_path("Class-Path:\nA: Class-Path: x\n", "");
    expect_path(" Class-Path: x.jar", "x.jar|");
    expect_path("Class-Path: last.jar", "last.jar|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_class_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
