#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/executable/elf.h"

#include "elf_bytes.h"

struct memory {
    const unsigned char *bytes;
    size_t size;
};

static bool read_memory(void *ctx, uint64_t offset, void *into, size_t length)
{
    const struct memory *m = ctx;

    if (offset > m->size || length > m->size - offset)
        return false;
    memcpy(into, m->bytes + offset, length);
    return true;
}

/* In a block of exactly that size, so that AddressSanitizer sees a byte too much. */
static enum em_elf_state look(const unsigned char *bytes, size_t size, struct em_elf *elf)
{
    unsigned char *copy = malloc(size ? size : 1);
    struct memory memory = {copy, size};
    struct em_elf_source source = {read_memory, &memory, size};
    enum em_elf_state state;

    memcpy(copy, bytes, size);
    state = em_elf_read(&source, elf);
    free(copy);
    return state;
}

static enum em_elf_state look_at(const struct elf_bytes *e, struct em_elf *elf)
{
    return look(e->b, sizeof(e->b), elf);
}

static void expect_state(const struct elf_bytes *e, enum em_elf_state state)
{
    struct em_elf elf;

    assert_int_equal(look_at(e, &elf), state);
    em_elf_free(&elf);
}

static void test_both_classes_and_orders(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct elf_bytes e;
        struct em_elf elf;

        elf_make(&e, i & 1, i & 2, 62, "/lib64/ld-linux-x86-64.so.2");
        assert_int_equal(look_at(&e, &elf), EM_ELF_OK);
        assert_int_equal(elf.is64, i & 1);
        assert_int_equal(elf.big_endian, (i & 2) != 0);
        assert_int_equal(elf.machine, 62);
        assert_int_equal(elf.type, EM_ELF_DYN);
        assert_string_equal(elf.interp, "/lib64/ld-linux-x86-64.so.2");
        em_elf_free(&elf);
        em_elf_free(&elf); /* twice is allowed */
    }
}

static void test_static_and_object(void **state)
{
    struct elf_bytes e;
    struct em_elf elf;

    (void)state;
    elf_make(&e, true, false, 183, NULL);
    assert_int_equal(look_at(&e, &elf), EM_ELF_OK);
    assert_null(elf.interp);
    em_elf_free(&elf);
    elf_put(&e, 16, EM_ELF_REL, 2);
    elf_count(&e, 0);
    assert_int_equal(look_at(&e, &elf), EM_ELF_OK);
    assert_int_equal(elf.type, EM_ELF_REL);
    em_elf_free(&elf);
}

static void test_not_elf(void **state)
{
    struct em_elf elf;

    (void)state;
    assert_int_equal(look((const unsigned char *)"", 0, &elf), EM_ELF_NOT);
    assert_int_equal(look((const unsigned char *)"\177EL", 3, &elf), EM_ELF_NOT);
    assert_int_equal(look((const unsigned char *)"#!/bin/sh\n", 10, &elf), EM_ELF_NOT);
}

/* Cut off at every length. */
static void test_truncated(void **state)
{
    (void)state;
    for (int is64 = 0; is64 < 2; is64++) {
        struct elf_bytes e;

        elf_make(&e, is64, false, 62, "/lib/ld-musl-x86_64.so.1");
        for (size_t size = 4; size < sizeof(e.b); size++) {
            struct em_elf elf;

            assert_int_equal(look(e.b, size, &elf), EM_ELF_TRUNCATED);
            if (size >= 64)
                assert_int_equal(elf.machine, 62);
            em_elf_free(&elf);
        }
    }
}

static void test_damaged_header(void **state)
{
    struct elf_bytes e;

    (void)state;
    elf_make(&e, true, false, 62, NULL);
    e.b[4] = 3;
    expect_state(&e, EM_ELF_DAMAGED);
    elf_make(&e, true, false, 62, NULL);
    e.b[5] = 0;
    expect_state(&e, EM_ELF_DAMAGED);
    elf_make(&e, true, false, 62, NULL);
    elf_put(&e, 54, 55, 2); /* the size of a program header */
    expect_state(&e, EM_ELF_DAMAGED);
    elf_make(&e, true, false, 62, NULL);
    elf_count(&e, 0);
    expect_state(&e, EM_ELF_DAMAGED);
    elf_count(&e, 65535);
    expect_state(&e, EM_ELF_DAMAGED);
    elf_count(&e, 1000); /* within the kernel's limit, beyond the file's end */
    expect_state(&e, EM_ELF_TRUNCATED);
    elf_make(&e, true, false, 62, NULL);
    elf_put(&e, 32, UINT64_MAX - 10, 8); /* where the program headers are */
    expect_state(&e, EM_ELF_TRUNCATED);
}

static void test_damaged_interp(void **state)
{
    struct elf_bytes e;

    (void)state;
    elf_make(&e, true, false, 62, "/lib/ld");
    elf_segment(&e, 1, 3, AT_INTERP, 7); /* without its NUL */
    expect_state(&e, EM_ELF_DAMAGED);
    elf_segment(&e, 1, 3, AT_INTERP, 0);
    expect_state(&e, EM_ELF_DAMAGED);
    elf_segment(&e, 1, 3, AT_INTERP, 1);
    expect_state(&e, EM_ELF_DAMAGED);
    elf_segment(&e, 1, 3, AT_INTERP, UINT64_MAX);
    expect_state(&e, EM_ELF_TRUNCATED);
    elf_segment(&e, 1, 3, UINT64_MAX, 2);
    expect_state(&e, EM_ELF_TRUNCATED);
    elf_segment(&e, 1, 3, UINT64_MAX - 1, UINT64_MAX - 1);
    expect_state(&e, EM_ELF_TRUNCATED);
    elf_make(&e, true, false, 62, "");
    elf_segment(&e, 1, 3, AT_INTERP, 2); /* a NUL and a NUL */
    expect_state(&e, EM_ELF_DAMAGED);
    elf_make(&e, true, false, 62, "/lib/ld");
    elf_segment(&e, 0, 3, AT_INTERP, 8); /* two of them */
    expect_state(&e, EM_ELF_DAMAGED);
}

static void test_long_interp(void **state)
{
    size_t size = 0x400 + 5000;
    unsigned char *bytes = calloc(1, size);
    struct elf_bytes e;
    struct em_elf elf;

    (void)state;
    elf_make(&e, true, false, 62, "/");
    elf_segment(&e, 0, 1, 0, size);
    elf_segment(&e, 1, 3, AT_INTERP, 4096);
    memcpy(bytes, e.b, 0x400);
    memset(bytes + AT_INTERP, 'x', 5000);
    bytes[AT_INTERP + 4095] = '\0';
    assert_int_equal(look(bytes, size, &elf), EM_ELF_OK);
    assert_int_equal(strlen(elf.interp), 4095);
    em_elf_free(&elf);
    elf_segment(&e, 1, 3, AT_INTERP, 4097);
    memcpy(bytes, e.b, 0x400);
    assert_int_equal(look(bytes, size, &elf), EM_ELF_DAMAGED);
    em_elf_free(&elf);
    free(bytes);
}

/* Random bytes, and good files with random bytes in them: nothing but a verdict (under the
 * sanitizers). */
static void test_random(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct elf_bytes e;
        struct em_elf elf;
        size_t changes = round % 2 ? 4 : sizeof(e.b) - 4;

        elf_make(&e, round & 4, round & 8, 62, "/lib/ld-musl-x86_64.so.1");
        for (size_t i = 0; i < changes; i++) {
            seed = seed * 1103515245u + 12345u;
            e.b[4 + (round % 2 ? (seed >> 8) % 200 : i)] = (unsigned char)(seed >> 24);
        }
        look_at(&e, &elf);
        em_elf_free(&elf);
    }
}

static void expect_machine(bool is64, bool big, uint16_t machine, const char *kernel,
                           const char *name, bool runs)
{
    struct em_elf elf = {.is64 = is64, .big_endian = big, .machine = machine};
    struct em_str text = EM_STR_INIT;

    em_elf_machine(&elf, &text);
    assert_string_equal(em_str_c(&text), name);
    assert_int_equal(em_elf_runs_on(&elf, kernel), runs);
    em_str_free(&text);
}

static void test_machines(void **state)
{
    struct em_str text = EM_STR_INIT;

    (void)state;
    expect_machine(true, false, 62, "x86_64", "x86-64 (amd64)", true);
    expect_machine(true, false, 62, "aarch64", "x86-64 (amd64)", false);
    expect_machine(true, false, 62, "i686", "x86-64 (amd64)", false);
    expect_machine(false, false, 3, "x86_64", "x86, 32 bits (386)", true);
    expect_machine(false, false, 3, "i686", "x86, 32 bits (386)", true);
    expect_machine(false, false, 3, "aarch64", "x86, 32 bits (386)", false);
    expect_machine(true, false, 183, "x86_64", "AArch64 (arm64)", false);
    expect_machine(true, false, 183, "aarch64", "AArch64 (arm64)", true);
    expect_machine(false, false, 40, "armv7l", "ARM, 32 bits (arm)", true);
    expect_machine(false, false, 40, "aarch64", "ARM, 32 bits (arm)", true);
    expect_machine(true, false, 243, "riscv64", "RISC-V (riscv64)", true);
    expect_machine(true, false, 21, "ppc64le", "POWER (ppc64le)", true);
    expect_machine(true, true, 21, "ppc64le", "POWER, big-endian (ppc64)", false);
    expect_machine(true, true, 21, "ppc64", "POWER, big-endian (ppc64)", true);
    expect_machine(true, true, 22, "s390x", "S/390 (s390x)", true);
    expect_machine(true, false, 0x1234, "x86_64", "machine 0x1234", false);
    expect_machine(true, false, 62, "something-new", "x86-64 (amd64)", true);
    em_elf_kernel("armv7l", &text);
    em_elf_kernel("something-new", &text);
    assert_string_equal(em_str_c(&text), "ARM, 32 bits (arm)something-new");
    em_str_free(&text);
}

static void test_libc(void **state)
{
    (void)state;
    assert_int_equal(em_elf_libc("/lib64/ld-linux-x86-64.so.2"), EM_LIBC_GLIBC);
    assert_int_equal(em_elf_libc("/lib/ld-linux.so.2"), EM_LIBC_GLIBC);
    assert_int_equal(em_elf_libc("/lib/ld-linux-aarch64.so.1"), EM_LIBC_GLIBC);
    assert_int_equal(em_elf_libc("/lib/ld64.so.1"), EM_LIBC_GLIBC);
    assert_int_equal(em_elf_libc("/nix/store/x/lib/ld-linux-x86-64.so.2"), EM_LIBC_GLIBC);
    assert_int_equal(em_elf_libc("/lib/ld-musl-x86_64.so.1"), EM_LIBC_MUSL);
    assert_int_equal(em_elf_libc("ld-musl-aarch64.so.1"), EM_LIBC_MUSL);
    assert_int_equal(em_elf_libc("/system/bin/linker64"), EM_LIBC_OTHER);
    assert_int_equal(em_elf_libc("/lib/ld-uClibc.so.0"), EM_LIBC_OTHER);
    assert_int_equal(em_elf_libc(""), EM_LIBC_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_classes_and_orders),
        cmocka_unit_test(test_static_and_object),
        cmocka_unit_test(test_not_elf),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged_header),
        cmocka_unit_test(test_damaged_interp),
        cmocka_unit_test(test_long_interp),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_libc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
