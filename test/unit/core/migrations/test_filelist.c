#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/filelist.h"

/* sha256sum(1) of nothing, and of "abc" (FIPS 180-2, appendix B.1) */
#define OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_ABC     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void add(struct em_filelist *list, const char *name, const char *text)
{
    em_filelist_add(list, name, text, strlen(text));
}

/* "a=1 b=2": files a and b that hold "1" and "2". */
static void fill(struct em_filelist *list, const char *spec)
{
    char copy[256], *rest = copy;

    snprintf(copy, sizeof copy, "%s", spec);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *text = strchr(word, '=');
        if (!text)
            continue;
        *text = '\0';
        add(list, word, text + 1);
    }
}

static void test_hex(void **state)
{
    char hex[EM_HEX_DIGEST];

    (void)state;
    em_hex_sha256("", 0, hex);
    assert_string_equal(hex, OF_NOTHING);
    em_hex_sha256("abc", 3, hex);
    assert_string_equal(hex, OF_ABC);
}

static void prints(const char *spec, const char *expected)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    fill(&list, spec);
    em_filelist_print(&list, false, &out);
    assert_string_equal(em_str_c(&out), expected);
}

static void test_print_is_sorted_by_bytes(void **state)
{
    (void)state;
    prints("", "");
    prints("x= a=abc", OF_ABC "  a\n" OF_NOTHING "  x\n");
    prints("b= B= a/b= a= \xc3\xa4= a-b=",
           OF_NOTHING "  B\n" OF_NOTHING "  a\n" OF_NOTHING "  a-b\n" OF_NOTHING
                      "  a/b\n" OF_NOTHING "  b\n" OF_NOTHING "  \xc3\xa4\n");
    prints("10_x= 9_x=", OF_NOTHING "  10_x\n" OF_NOTHING "  9_x\n");
}

static void test_same_name_twice_is_left_alone(void **state)
{
    (void)state;
    prints("a=abc a= a=other", OF_ABC "  a\n");
}

static void test_contents_with_nul(void **state)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;

    (void)state;
    em_filelist_add(&list, "one", "a\0b", 3);
    em_filelist_add(&list, "two", "a\0c", 3);
    em_filelist_add(&list, "three", "a", 1);
    assert_string_not_equal(list.v[0].hash, list.v[1].hash);
    assert_string_not_equal(list.v[0].hash, list.v[2].hash);
}

/* As sha256sum(1) prints them: a backslash before the line, \\ and \n in it. */
static void test_names_with_newlines(void **state)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;
    EM_FILELIST_AUTO again = EM_FILELIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    const char *names[] = {"a\nb", "back\\slash", "\\",     "\n",
                           "\\n",  " lead",       "trail ", "two  spaces"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add(&list, names[i], "");
    em_filelist_print(&list, false, &out);
    assert_non_null(strstr(em_str_c(&out), "\\" OF_NOTHING "  a\\nb\n"));
    assert_non_null(strstr(em_str_c(&out), "\\" OF_NOTHING "  back\\\\slash\n"));
    assert_true(em_filelist_parse(&again, em_str_c(&out)));
    assert_int_equal(again.n, sizeof names / sizeof *names);
    assert_int_equal(em_filelist_compare(&list, &again, NULL, NULL, NULL, NULL), EM_SAME);
    for (size_t i = 0; i < again.n; i++)
        assert_string_equal(again.v[i].name, list.v[i].name);
}

/* For a database whose encoding lacks them: bytes are written as numbers, and read again. */
static void test_names_in_ascii(void **state)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;
    EM_FILELIST_AUTO again = EM_FILELIST_INIT;
    EM_FILELIST_AUTO bad = EM_FILELIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;
    const char *const no[] = {"\\x", "\\x8", "\\x41", "\\xzz", "\\x8g", "\\t", "\\"};

    (void)state;
    add(&list, "plain", "");
    add(&list, "sch\xc3\xb6n\\\n", "");
    add(&list, "\xff\xfe", "");
    em_filelist_print(&list, true, &out);
    for (size_t i = 0; i < out.len; i++)
        assert_true((unsigned char)em_str_c(&out)[i] < 0x80);
    assert_non_null(strstr(em_str_c(&out), "\\" OF_NOTHING "  sch\\xc3\\xb6n\\\\\\n\n"));
    assert_true(em_filelist_parse(&again, em_str_c(&out)));
    assert_int_equal(em_filelist_compare(&list, &again, NULL, NULL, NULL, NULL), EM_SAME);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        em_str_cut(&out, 0);
        em_str_printf(&out, "\\" OF_NOTHING "  a%s\n", no[i]);
        assert_false(em_filelist_parse(&bad, em_str_c(&out)));
    }
}

static void test_digest(void **state)
{
    EM_FILELIST_AUTO one = EM_FILELIST_INIT;
    EM_FILELIST_AUTO other = EM_FILELIST_INIT;
    EM_FILELIST_AUTO moved = EM_FILELIST_INIT;
    EM_FILELIST_AUTO none = EM_FILELIST_INIT;
    char a[EM_HEX_DIGEST], b[EM_HEX_DIGEST];

    (void)state;
    em_filelist_digest(&none, a);
    assert_string_equal(a, OF_NOTHING);
    fill(&one, "a=1 b=2");
    fill(&other, "b=2 a=1");
    fill(&moved, "a=2 b=1");
    em_filelist_digest(&one, a);
    em_filelist_digest(&other, b);
    assert_string_equal(a, b);
    em_filelist_digest(&moved, b);
    assert_string_not_equal(a, b);
}

static void parses(const char *text, size_t n)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;

    assert_true(em_filelist_parse(&list, text));
    assert_int_equal(list.n, n);
}

static void refuses(const char *text)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;

    assert_false(em_filelist_parse(&list, text));
    assert_int_equal(list.n, 0);
    assert_null(list.v);
}

static void test_parse(void **state)
{
    (void)state;
    parses("", 0);
    parses(OF_ABC "  a\n", 1);
    parses(OF_ABC "  a", 1);
    parses(OF_ABC "  b\n" OF_ABC "  a\n", 2);
    parses(OF_ABC "  a\\b\n", 1); /* not marked as escaped: the backslash is one */
    parses("\\" OF_ABC "  a\\\\b\n", 1);
    parses(OF_ABC "   \n", 1); /* a file called " " */
}

static void test_parse_refuses(void **state)
{
    (void)state;
    refuses("\n");
    refuses("x");
    refuses(OF_ABC);
    refuses(OF_ABC "\n");
    refuses(OF_ABC " a\n");
    refuses(OF_ABC "  \n"); /* no name */
    refuses(OF_ABC " *a\n");
    refuses(OF_ABC "\ta\n");
    refuses(OF_ABC "0  a\n");
    refuses("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD  a\n");
    refuses(OF_ABC "  a\n\n");
    refuses(OF_ABC "  a\n" OF_ABC "  a\n"); /* twice */
    refuses(OF_ABC "  good\nbad\n");
    refuses("\\" OF_ABC "  a\\\n");
    refuses("\\" OF_ABC "  a\\t\n");
    refuses("\\" OF_ABC "  \n");
    refuses("\\");
    refuses("\\\n");
}

/* Every beginning of a good text, and every text with one byte changed: no crash, and what is
 * accepted prints as what it was parsed from. */
static void test_parse_damaged(void **state)
{
    static const char text[] = "\\" OF_ABC "  a\\nb\n" OF_NOTHING "  c\n";
    char damaged[sizeof text];

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (int c = 0; c < 256; c++) {
            EM_FILELIST_AUTO list = EM_FILELIST_INIT;
            EM_STR_AUTO out = EM_STR_INIT;
            memcpy(damaged, text, sizeof text);
            damaged[i] = (char)c;
            if (!em_filelist_parse(&list, damaged))
                continue;
            em_filelist_print(&list, false, &out);
            EM_FILELIST_AUTO again = EM_FILELIST_INIT;
            assert_true(em_filelist_parse(&again, em_str_c(&out)));
            assert_int_equal(em_filelist_compare(&list, &again, NULL, NULL, NULL, NULL), EM_SAME);
        }
}

static void joined(const struct em_list *names, struct em_str *out)
{
    for (size_t i = 0; i < names->n; i++)
        em_str_printf(out, "%s%s", i ? " " : "", names->v[i]);
}

/* How ours relates to theirs, and "lacking/added/changed". */
static void relates(const char *ours, const char *theirs, enum em_relation relation,
                    const char *expected)
{
    EM_FILELIST_AUTO a = EM_FILELIST_INIT;
    EM_FILELIST_AUTO b = EM_FILELIST_INIT;
    EM_LIST_AUTO lacking = EM_LIST_INIT;
    EM_LIST_AUTO added = EM_LIST_INIT;
    EM_LIST_AUTO changed = EM_LIST_INIT;
    EM_STR_AUTO out = EM_STR_INIT;

    fill(&a, ours);
    fill(&b, theirs);
    assert_int_equal(em_filelist_compare(&a, &b, &lacking, &added, &changed, NULL), relation);
    joined(&lacking, &out);
    em_str_putc(&out, '/');
    joined(&added, &out);
    em_str_putc(&out, '/');
    joined(&changed, &out);
    assert_string_equal(em_str_c(&out), expected);
    assert_int_equal(em_filelist_compare(&a, &b, NULL, NULL, NULL, NULL), relation);
}

static void test_compare(void **state)
{
    (void)state;
    relates("", "", EM_SAME, "//");
    relates("a=1 b=2", "b=2 a=1", EM_SAME, "//");
    relates("a=1", "a=2", EM_CHANGED, "//a");
    relates("a=1 b=2 c=3", "a=1 b=3 c=4", EM_CHANGED, "//b c");
    relates("a=1", "", EM_NEWER, "/a/");
    relates("a=1 b=2 c=3", "b=2", EM_NEWER, "/a c/");
    relates("a=1 b=2", "b=3", EM_NEWER, "/a/b");
    relates("", "a=1", EM_OLDER, "a//");
    relates("b=2", "a=1 b=2 c=3", EM_OLDER, "a c//");
    relates("b=1", "a=1 b=2", EM_OLDER, "a//b");
    relates("a=1", "b=2", EM_DIVERGED, "b/a/");
    relates("a=1 c=1 x=3", "b=4 c=2 d=5", EM_DIVERGED, "b d/a x/c");
    relates("squashed=0", "1=1 2=1 3=1", EM_DIVERGED, "1 2 3/squashed/");
}

static void test_many_files(void **state)
{
    EM_FILELIST_AUTO list = EM_FILELIST_INIT;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%04d", i * 7919 % 2000);
        add(&list, name, name);
    }
    assert_int_equal(list.n, 2000);
    for (size_t i = 1; i < list.n; i++)
        assert_true(strcmp(list.v[i - 1].name, list.v[i].name) < 0);
    em_filelist_free(&list);
    em_filelist_free(&list);
    assert_int_equal(list.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_print_is_sorted_by_bytes),
        cmocka_unit_test(test_same_name_twice_is_left_alone),
        cmocka_unit_test(test_contents_with_nul),
        cmocka_unit_test(test_names_with_newlines),
        cmocka_unit_test(test_names_in_ascii),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_damaged),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_many_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
