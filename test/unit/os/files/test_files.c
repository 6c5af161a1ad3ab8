#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "embark/os/files/files.h"

/* All tests are in a folder of their own, which is the working directory. */
static char folder[] = "/tmp/embark-test-files.XXXXXX";

static int start(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int end(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void expect_refused(const char *path, size_t limit, const char *reason)
{
    struct em_str out = EM_STR_INIT, why = EM_STR_INIT;

    em_str_puts(&out, "before");
    assert_false(em_file_read(path, limit, &out, &why));
    assert_string_equal(em_str_c(&why), reason);
    assert_string_equal(em_str_c(&out), "before");
    em_str_free(&out);
    em_str_free(&why);
}

static void test_read(void **state)
{
    struct em_str out = EM_STR_INIT, why = EM_STR_INIT;

    (void)state;
    write_file("data", "a\0b\n", 4);
    em_str_puts(&out, "before ");
    assert_true(em_file_read("data", 4, &out, &why));
    assert_int_equal(out.len, 11);
    assert_memory_equal(out.data, "before a\0b\n", 11);
    em_str_free(&out);
    assert_true(em_file_read("/proc/self/status", 65536, &out, &why)); /* st_size is 0 */
    assert_non_null(strstr(em_str_c(&out), "Pid:"));
    assert_int_equal(symlink("data", "link"), 0);
    assert_true(em_file_read("link", 4, &out, &why));
    em_str_free(&out);
    write_file("nothing", "", 0);
    assert_true(em_file_read("nothing", 0, &out, &why));
    assert_int_equal(out.len, 0);
    assert_int_equal(why.len, 0);
    em_str_free(&out);
}

static void test_read_refuses(void **state)
{
    char big[5000];

    (void)state;
    memset(big, 'x', sizeof(big));
    write_file("big", big, sizeof(big));
    expect_refused("big", 4999, "is larger than 4999 bytes");
    expect_refused("big", 4096, "is larger than 4 KiB");
    expect_refused(".", 100, "is a directory");
    expect_refused("missing", 100, "No such file or directory");
    expect_refused("big/x", 100, "Not a directory");
    expect_refused("/dev/zero", 100, "is a character device");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    expect_refused("fifo", 100, "is a FIFO"); /* and doesn't wait for a writer */
    assert_int_equal(symlink("circle", "circle"), 0);
    expect_refused("circle", 100, strerror(ELOOP));
}

static void test_head(void **state)
{
    char bytes[4];
    size_t length = 0;

    (void)state;
    write_file("text", "abcdef", 6);
    assert_true(em_file_head("text", bytes, sizeof(bytes), &length));
    assert_int_equal(length, 4);
    assert_memory_equal(bytes, "abcd", 4);
    write_file("text", "ab", 2);
    assert_true(em_file_head("text", bytes, sizeof(bytes), &length));
    assert_int_equal(length, 2);
    assert_false(em_file_head("missing", bytes, sizeof(bytes), &length));
    assert_false(em_file_head(".", bytes, sizeof(bytes), &length));
}

static void test_world(void **state)
{
    const struct em_config_source *world = &em_config_source_real;
    struct em_str out = EM_STR_INIT, why = EM_STR_INIT;

    (void)state;
    assert_ptr_equal(world->environ, environ);
    assert_string_equal(world->env(world->ctx, "PATH"), getenv("PATH"));
    assert_null(world->env(world->ctx, "EMBARK_TEST_NOT_SET"));
    write_file("secret", "s\n", 2);
    assert_true(world->read_file(world->ctx, "secret", &out, &why));
    assert_string_equal(em_str_c(&out), "s\n");
    assert_false(world->read_file(world->ctx, "/dev/null", &out, &why));
    em_str_free(&out);
    em_str_free(&why);
}

/* `expected` with %s for the folder. */
static void expect_nearest(const char *path, const char *expected)
{
    struct em_str out = EM_STR_INIT, wanted = EM_STR_INIT;
    const char *at = strstr(expected, "%s");

    if (at) {
        em_str_add(&wanted, expected, (size_t)(at - expected));
        em_str_puts(&wanted, folder);
        em_str_puts(&wanted, at + 2);
    } else {
        em_str_puts(&wanted, expected);
    }
    em_path_nearest(path, &out);
    assert_string_equal(em_str_c(&out), em_str_c(&wanted));
    em_str_free(&out);
    em_str_free(&wanted);
}

static void test_nearest(void **state)
{
    (void)state;
    assert_int_equal(mkdir("app", 0755), 0);
    expect_nearest("app/public", "the nearest existing parent is %s/app, which is empty");
    assert_int_equal(mkdir("app/Public", 0755), 0);
    expect_nearest("app/public", "the nearest existing parent is %s/app, which holds Public/");
    expect_nearest("./app//public//", "the nearest existing parent is %s/app, which holds Public/");
    expect_nearest("app/public/static/css",
                   "the nearest existing parent is %s/app, which holds Public/");
    expect_nearest("app/dist", "the nearest existing parent is %s/app, which holds only Public/");
    assert_int_equal(rename("app/Public", "app/public "), 0);
    expect_nearest("app/public/x",
                   "the nearest existing parent is %s/app, which holds \"public /\"");
    expect_nearest("app", "");
    expect_nearest("/", "");
    expect_nearest("", "");
    write_file("app/file", "", 0);
    expect_nearest("app/file/x", "%s/app/file is a file, not a directory");
    expect_nearest("app/flie", "the nearest existing parent is %s/app, which holds file");
}

static void test_nearest_links(void **state)
{
    (void)state;
    assert_int_equal(mkdir("links", 0755), 0);
    assert_int_equal(symlink("/build/public", "links/broken"), 0);
    assert_int_equal(symlink("loop", "links/loop"), 0);
    assert_int_equal(mkdir("links/real", 0755), 0);
    assert_int_equal(symlink("real", "links/good"), 0);
    expect_nearest("links/broken",
                   "%s/links/broken is a symbolic link to /build/public, which does not exist");
    expect_nearest("links/broken/x/y",
                   "%s/links/broken is a symbolic link to /build/public, which does not exist");
    expect_nearest("links/loop/x",
                   "%s/links/loop is a symbolic link to loop, which leads back to itself");
    expect_nearest("links/good/x", "the nearest existing parent is %s/links/good, which is empty");
}

static void test_nearest_in_a_crowd(void **state)
{
    (void)state;
    assert_int_equal(mkdir("crowd", 0755), 0);
    for (int i = 0; i < 20; i++) {
        char name[40];

        snprintf(name, sizeof(name), "crowd/entry-number-%d", i);
        write_file(name, "", 0);
    }
    expect_nearest("crowd/x", "the nearest existing parent is %s/crowd");
}

static void test_nearest_without_working_directory(void **state)
{
    (void)state;
    assert_int_equal(mkdir("gone", 0755), 0);
    assert_int_equal(chdir("gone"), 0);
    assert_int_equal(rmdir("../gone"), 0);
    expect_nearest("x", "the working directory does not exist any more");
    assert_int_equal(chdir(folder), 0);
}

static void test_access(void **state)
{
    struct em_str out = EM_STR_INIT, wanted = EM_STR_INIT;
    struct stat st;

    (void)state;
    write_file("mode", "", 0);
    assert_int_equal(chmod("mode", 0640), 0);
    assert_int_equal(em_path_access("mode", R_OK | W_OK), 0);
    assert_int_equal(em_path_access("mode", X_OK), EACCES);
    assert_int_equal(em_path_access("missing", R_OK), ENOENT);
    assert_int_equal(stat("mode", &st), 0);
    em_path_owner(&st, &out);
    em_str_printf(&wanted, "belongs to %u:%u with mode 0640, and we are %u:%u", geteuid(),
                  st.st_gid, geteuid(), getegid());
    assert_string_equal(em_str_c(&out), em_str_c(&wanted));
    em_str_free(&out);
    em_str_free(&wanted);
    assert_string_equal(em_path_kind(S_IFSOCK), "a socket");
    assert_string_equal(em_path_kind(S_IFBLK), "a block device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_refuses),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_world),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_links),
        cmocka_unit_test(test_nearest_in_a_crowd),
        cmocka_unit_test(test_nearest_without_working_directory),
        cmocka_unit_test(test_access),
    };

    return cmocka_run_group_tests(tests, start, end);
}
