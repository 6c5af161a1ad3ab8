#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/languages/java/class_path.h"
#include "embark/core/languages/java/zip.h"

/* Numbers of n bytes, little-endian. */
static void put(struct em_str *s, uint64_t value, size_t n)
{
    for (; n--; value >>= 8)
        em_str_putc(s, (char)(value & 255));
}

static void entry(struct em_str *s, const char *name, unsigned method, uint64_t local,
                  const char *comment)
{
    em_str_add(s, "PK\1\2", 4);
    put(s, 0, 6);
    put(s, method, 2);
    put(s, 0, 8);
    put(s, 7, 4); /* compressed */
    put(s, 9, 4);
    put(s, strlen(name), 2);
    put(s, 0, 2);
    put(s, strlen(comment), 2);
    put(s, 0, 8);
    put(s, local, 4);
    em_str_puts(s, name);
    em_str_puts(s, comment);
}

static void finish(struct em_str *s, uint64_t size, uint64_t offset, const char *comment)
{
    em_str_add(s, "PK\5\6", 4);
    put(s, 0, 8);
    put(s, size, 4);
    put(s, offset, 4);
    put(s, strlen(comment), 2);
    em_str_puts(s, comment);
}

static void names(const struct em_str *file, const struct em_zip_end *end, struct em_str *out)
{
    struct em_zip_entry e;
    size_t at = 0;

    while (em_zip_next(file->data + end->offset, (size_t)end->size, &at, &e))
        em_str_printf(out, "%.*s%s %d;", (int)e.name_length, e.name, e.stored ? "" : " compressed",
                      (int)e.local);
}

static void test_directory(void **state)
{
    struct em_str file = EM_STR_INIT, directory = EM_STR_INIT, out = EM_STR_INIT;
    struct em_zip_end end;

    (void)state;
    entry(&directory, "a/B.class", 8, 0, "why");
    entry(&directory, "lib/x.jar", 0, 42, "");
    em_str_puts(&file, "#!/bin/sh\n"); /* before the archive */
    em_str_puts(&file, "contents");
    em_str_add(&file, directory.data, directory.len);
    finish(&file, directory.len, 8, "a comment PK\5");
    assert_true(em_zip_end_read(file.data, file.len, file.len, &end));
    assert_int_equal(end.base, 10);
    assert_int_equal(end.size, directory.len);
    names(&file, &end, &out);
    assert_string_equal(em_str_c(&out), "a/B.class compressed 0;lib/x.jar 42;");
    /* every cut and every spoilt byte: an answer, and no crash */
    for (size_t i = 0; i < file.len; i++) {
        struct em_zip_end any;
        char old = file.data[i];

        em_zip_end_read(file.data, i, i, &any);
        file.data[i] = (char)~old;
        if (em_zip_end_read(file.data, file.len, file.len, &any))
            names(&file, &any, &out);
        file.data[i] = old;
    }
    em_str_free(&file);
    em_str_free(&directory);
    em_str_free(&out);
}

static void test_zip64(void **state)
{
    struct em_str file = EM_STR_INIT, directory = EM_STR_INIT, out = EM_STR_INIT;
    struct em_zip_end end;

    (void)state;
    entry(&directory, "a/B.class", 8, 0, "");
    em_str_add(&file, directory.data, directory.len);
    em_str_add(&file, "PK\6\6", 4);
    put(&file, 44, 8);
    put(&file, 0, 12);
    put(&file, 1, 8);
    put(&file, 1, 8);
    put(&file, directory.len, 8);
    put(&file, 0, 8);
    em_str_add(&file, "PK\6\7", 4);
    put(&file, 0, 4);
    put(&file, directory.len, 8);
    put(&file, 1, 4);
    finish(&file, UINT32_MAX, UINT32_MAX, "");
    assert_true(em_zip_end_read(file.data, file.len, file.len, &end));
    names(&file, &end, &out);
    assert_string_equal(em_str_c(&out), "a/B.class compressed 0;");
    em_str_free(&file);
    em_str_free(&directory);
    em_str_free(&out);
}

static void test_no_zip(void **state)
{
    struct em_zip_end end;
    char header[EM_ZIP_LOCAL] = {'P', 'K', 3, 4, [26] = 5, [28] = 3};

    (void)state;
    assert_false(em_zip_end_read("", 0, 0, &end));
    assert_false(em_zip_end_read("PK\5\6", 4, 4, &end));
    assert_false(em_zip_end_read("0123456789012345678901234567", 28, 28, &end));
    assert_int_equal(em_zip_local_length(header), 38);
    header[2] = 1;
    assert_int_equal(em_zip_local_length(header), 0);
}

static void expect_path(const char *line, const char *expected)
{
    struct em_list words = EM_LIST_INIT;
    struct em_java_path path;
    struct em_str out = EM_STR_INIT;
    char *copy = em_strdup(line);

    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        em_list_add(&words, word);
    if (em_java_path_read(words.v, words.n, &path))
        for (size_t i = 0; i < path.parts.n; i++)
            em_str_printf(&out, "%s|", path.parts.v[i]);
    if (path.jar)
        em_str_puts(&out, "jar");
    assert_string_equal(em_str_c(&out), expected);
    em_list_free(&path.parts);
    em_list_free(&words);
    em_str_free(&out);
    free(copy);
}

static void test_java(void **state)
{
    struct em_str file = EM_STR_INIT;

    (void)state;
    expect_path("java -jar app.jar --port 1", "app.jar|jar");
    expect_path("tini -- /opt/java/bin/java -Xmx1g -cp a:b/*::c Main -jar x", "a|b/*|c|");
    expect_path("java --class-path=a Main", "a|");
    expect_path("java -p mods -cp a Main", "a|");
    expect_path("java -cp a -jar b.jar", "b.jar|jar");
    expect_path("java -jar", "");
    expect_path("java Main", "");
    expect_path("node x", "");
    em_java_class_file("org.postgresql.Driver$X", &file);
    assert_string_equal(em_str_c(&file), "org/postgresql/Driver$X.class");
    assert_true(em_java_is_own("java.sql.Driver"));
    assert_false(em_java_is_own("javax.persistence.Entity"));
    em_str_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_zip64),
        cmocka_unit_test(test_no_zip),
        cmocka_unit_test(test_java),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
