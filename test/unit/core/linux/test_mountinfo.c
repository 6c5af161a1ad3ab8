#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/linux/mountinfo.h"

static const char table[] = "1 2 0:5 / / rw,relatime - overlay overlay rw,lowerdir=/a - b\n"
                            "3 1 0:6 / /proc rw shared:5 master:1 - proc proc rw\n"
                            "4 1 8:1 /volumes/x /data rw,noatime - ext4 /dev/sda1 rw\n"
                            "5 1 8:1 /volumes/y /my\\040data\\134x rw - xfs /dev/s\\040x rw\n"
                            "6 4 0:9 / /data rw - tmpfs none rw\n"
                            "damaged line\n"
                            "7 1 0:7 / /short\n"
                            "8 1 0:8 / /dash rw -\n"
                            "\n"
                            "9 1 0:9 / /last rw - tmpfs none";

static void expect(const char *path, const char *point, const char *type, const char *source)
{
    struct em_mount mount;

    assert_true(em_mountinfo_find(table, path, &mount));
    assert_string_equal(mount.point, point);
    assert_string_equal(mount.type, type);
    assert_string_equal(mount.source, source);
    em_mount_free(&mount);
    em_mount_free(&mount);
}

static void test_finds(void **state)
{
    (void)state;
    expect("/", "/", "overlay", "overlay");
    expect("/app/public", "/", "overlay", "overlay");
    expect("/proc/1", "/proc", "proc", "proc");
    expect("/process", "/", "overlay", "overlay");
    expect("/data", "/data", "tmpfs", "none"); /* the later one hides the other */
    expect("/data/inner", "/data", "tmpfs", "none");
    expect("/my data\\x", "/my data\\x", "xfs", "/dev/s x");
    expect("/short", "/", "overlay", "overlay");
    expect("/last", "/last", "tmpfs", "none");
}

static void test_no_table(void **state)
{
    struct em_mount mount;

    (void)state;
    assert_false(em_mountinfo_find("", "/", &mount));
    em_mount_free(&mount);
    assert_false(em_mountinfo_find("- - - - - -\n\n 1 2 3\n", "/", &mount));
    em_mount_free(&mount);
}

static void test_cut_and_random(void **state)
{
    char text[sizeof(table)];
    unsigned seed = 3;

    (void)state;
    for (size_t size = 0; size < sizeof(table); size++) {
        char *copy = strndup(table, size);
        struct em_mount mount;

        em_mountinfo_find(copy, "/data", &mount);
        em_mount_free(&mount);
        free(copy);
    }
    for (int round = 0; round < 2000; round++) {
        struct em_mount mount;

        memcpy(text, table, sizeof(table));
        for (int i = 0; i < 8; i++) {
            seed = seed * 1103515245u + 12345u;
            text[(seed >> 8) % (sizeof(table) - 1)] = "\\ -\n/0\xff"[(seed >> 20) % 7];
        }
        em_mountinfo_find(text, "/data", &mount);
        em_mount_free(&mount);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_no_table),
        cmocka_unit_test(test_cut_and_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
