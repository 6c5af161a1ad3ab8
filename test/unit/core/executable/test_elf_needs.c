#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/executable/elf_needs.h"
#include "embark/core/linux/binfmt.h"

#include "elf_bytes.h"

enum { AT_DYNAMIC = 0x480, AT_STRINGS = 0x580 };

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
static enum em_elf_state look(const struct elf_bytes *e, size_t size, struct em_elf_needs *needs)
{
    unsigned char *copy = malloc(size);
    struct memory memory = {copy, size};
    struct em_elf_source source = {read_memory, &memory, size};
    struct em_elf elf;
    enum em_elf_state state;

    memcpy(copy, e->b, size);
    *needs = (struct em_elf_needs){0};
    state = em_elf_read(&source, &elf);
    if (state == EM_ELF_OK)
        state = em_elf_needs_read(&source, &elf, needs);
    em_elf_free(&elf);
    free(copy);
    return state;
}

static void entry(struct elf_bytes *e, size_t index, uint64_t tag, uint64_t value)
{
    size_t word = e->is64 ? 8 : 4;

    elf_put(e, AT_DYNAMIC + index * 2 * word, tag, word);
    elf_put(e, AT_DYNAMIC + index * 2 * word + word, value, word);
}

/* The whole file is loaded at 0x10000. */
static void make(struct elf_bytes *e, bool is64, bool big)
{
    static const char strings[] = "\0libone.so.1\0libtwo.so\0$ORIGIN/../lib:/opt\0me.so.3\0/run";

    elf_make(e, is64, big, 62, "/lib/ld");
    elf_count(e, 3);
    elf_put(e, is64 ? 64 + 16 : 52 + 8, 0x10000, is64 ? 8 : 4);
    elf_segment(e, 2, 2, AT_DYNAMIC, (size_t)8 * (is64 ? 16 : 8));
    memcpy(e->b + AT_STRINGS, strings, sizeof(strings));
    entry(e, 0, 1, 1);
    entry(e, 1, 1, 13);
    entry(e, 2, 5, 0x10000 + AT_STRINGS);
    entry(e, 3, 15, 23);
    entry(e, 4, 14, 43);
    entry(e, 5, 29, 51);
    entry(e, 6, 0x6ffffffb, 0x800);
    entry(e, 7, 0, 0);
}

static void test_needs(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct elf_bytes e;
        struct em_elf_needs needs;

        make(&e, i & 1, i & 2);
        assert_int_equal(look(&e, sizeof(e.b), &needs), EM_ELF_OK);
        assert_int_equal(needs.needed.n, 2);
        assert_string_equal(needs.needed.v[0], "libone.so.1");
        assert_string_equal(needs.needed.v[1], "libtwo.so");
        assert_string_equal(needs.rpath, "$ORIGIN/../lib:/opt");
        assert_string_equal(needs.soname, "me.so.3");
        assert_string_equal(needs.runpath, "/run");
        assert_true(needs.no_default);
        em_elf_needs_free(&needs);
        em_elf_needs_free(&needs);
    }
}

static enum em_elf_state state_of(const struct elf_bytes *e)
{
    struct em_elf_needs needs;
    enum em_elf_state state = look(e, sizeof(e->b), &needs);

    em_elf_needs_free(&needs);
    return state;
}

static void test_without(void **state)
{
    struct elf_bytes e;

    (void)state;
    elf_make(&e, true, false, 62, "/lib/ld");
    assert_int_equal(state_of(&e), EM_ELF_OK);
    make(&e, true, false);
    entry(&e, 2, 21, 0); /* no string table: nothing has a name */
    assert_int_equal(state_of(&e), EM_ELF_OK);
    make(&e, true, false);
    elf_segment(&e, 2, 2, AT_DYNAMIC, 0);
    assert_int_equal(state_of(&e), EM_ELF_OK);
}

static void test_damaged(void **state)
{
    struct elf_bytes e;

    (void)state;
    make(&e, true, false);
    entry(&e, 0, 1, 0x1000); /* a name behind the file's end */
    assert_int_equal(state_of(&e), EM_ELF_DAMAGED);
    make(&e, true, false);
    entry(&e, 0, 1, UINT64_MAX);
    assert_int_equal(state_of(&e), EM_ELF_DAMAGED);
    make(&e, true, false);
    memset(e.b + AT_STRINGS, 'x', sizeof(e.b) - AT_STRINGS); /* never closed */
    assert_int_equal(state_of(&e), EM_ELF_DAMAGED);
    make(&e, true, false);
    entry(&e, 2, 5, 0x90000); /* strings that no segment loads */
    assert_int_equal(state_of(&e), EM_ELF_OK);
    make(&e, true, false);
    elf_segment(&e, 2, 2, UINT64_MAX - 4, 64);
    assert_int_equal(state_of(&e), EM_ELF_TRUNCATED);
    make(&e, true, false);
    elf_segment(&e, 2, 2, AT_DYNAMIC, UINT64_MAX);
    assert_int_equal(state_of(&e), EM_ELF_TRUNCATED);
}

static void test_cut_and_random(void **state)
{
    unsigned seed = 5;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct elf_bytes e;
        struct em_elf_needs needs;

        make(&e, round & 1, round & 2);
        for (int i = 0; i < round % 7; i++) {
            seed = seed * 1103515245u + 12345u;
            e.b[(seed >> 8) % sizeof(e.b)] = (unsigned char)(seed >> 24);
        }
        look(&e, round % 3 ? sizeof(e.b) : 64 + (unsigned)round % (sizeof(e.b) - 64), &needs);
        em_elf_needs_free(&needs);
    }
}

/* ---- binfmt_misc ----------------------------------------------------------------------------- */

static const char entry_text[] = "enabled\ninterpreter /usr/bin/qemu-x\nflags: OCF\noffset 0\n"
                                 "magic 7f454c4602\nmask fffffffff0\n";

static bool takes(const char *text, const char *bytes, size_t length, bool *fixed)
{
    struct em_str interpreter = EM_STR_INIT;
    bool result = em_binfmt_takes(text, bytes, length, &interpreter, fixed);

    if (result)
        assert_string_equal(em_str_c(&interpreter), "/usr/bin/qemu-x");
    em_str_free(&interpreter);
    return result;
}

static void test_binfmt(void **state)
{
    bool fixed = false;

    (void)state;
    assert_true(takes(entry_text, "\177ELF\x0f", 5, &fixed));
    assert_true(fixed);
    assert_false(takes(entry_text, "\177ELF\x10", 5, &fixed));
    assert_false(takes(entry_text, "\177ELF", 4, &fixed));
    assert_false(takes("disabled\ninterpreter /usr/bin/qemu-x\nmagic 7f\n", "\177", 1, &fixed));
    assert_true(
        takes("enabled\ninterpreter /usr/bin/qemu-x\nflags: \nmagic 7f\n", "\177", 1, &fixed));
    assert_false(fixed);
    assert_false(
        takes("enabled\ninterpreter /usr/bin/qemu-x\nflags: \nextension .x\n", "\177", 1, &fixed));
    assert_false(
        takes("enabled\ninterpreter /usr/bin/qemu-x\noffset 4\nmagic 7f\n", "\177", 1, &fixed));
    assert_false(
        takes("enabled\ninterpreter /usr/bin/qemu-x\nmagic 7f45\nmask ff\n", "\177E", 2, &fixed));
    assert_false(takes("enabled\ninterpreter /usr/bin/qemu-x\nmagic 7\n", "\177", 1, &fixed));
    assert_false(takes("", "", 0, &fixed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needs),   cmocka_unit_test(test_without),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_cut_and_random),
        cmocka_unit_test(test_binfmt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
