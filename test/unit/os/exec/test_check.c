#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "embark/core/executable/elf.h"
#include "embark/os/exec/find.h"

#include "../../core/executable/elf_bytes.h"

/* All tests are in a folder of their own, which is the working directory. */
static char folder[] = "/tmp/embark-test-exec.XXXXXX";
static char cwd_path[100];

static int start(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("bin", 0755) != 0)
        return -1;
    snprintf(cwd_path, sizeof(cwd_path), "%s/bin:/usr/bin:/bin", folder);
    return setenv("PATH", cwd_path, 1);
}

static int end(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static void make(const char *path, const void *bytes, size_t length, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void make_text(const char *path, const char *text, mode_t mode)
{
    make(path, text, strlen(text), mode);
}

static bool has(const struct em_str *text, const char *part)
{
    if (strstr(em_str_c(text), part))
        return true;
    print_error("\"%s\" is not in \"%s\"\n", part, em_str_c(text));
    return false;
}

static void expect_fine(const char *file)
{
    struct em_err err = EM_ERR_INIT;

    if (em_exec_check(file, &err) != 0)
        fail_msg("%s", em_str_c(&err.text));
}

/* `text` and `hint` are parts. */
static void expect_wrong(const char *file, int code, const char *text, const char *hint)
{
    struct em_err err = EM_ERR_INIT;

    assert_int_equal(em_exec_check(file, &err), code);
    assert_int_equal(err.code, code);
    assert_true(has(&err.text, file));
    assert_true(has(&err.text, text));
    assert_true(has(&err.hint, hint));
    em_err_free(&err);
}

/* ---- em_exec_find ---------------------------------------------------------------------------- */

static void expect_found(const char *name, const char *path, const char *expected)
{
    struct em_str found = EM_STR_INIT;
    struct em_err err = EM_ERR_INIT;

    assert_int_equal(em_exec_find(name, path, &found, &err), 0);
    assert_string_equal(em_str_c(&found), expected);
    em_str_free(&found);
}

static void expect_lost(const char *name, const char *path, int code, const char *text,
                        const char *hint)
{
    struct em_str found = EM_STR_INIT;
    struct em_err err = EM_ERR_INIT;

    assert_int_equal(em_exec_find(name, path, &found, &err), code);
    assert_int_equal(err.code, code);
    assert_true(has(&err.text, text));
    assert_true(has(&err.hint, hint));
    em_err_free(&err);
    em_str_free(&found);
}

static void test_find(void **state)
{
    (void)state;
    make_text("bin/tool", "#!/bin/sh\n", 0755);
    make_text("plain", "#!/bin/sh\n", 0644);
    assert_int_equal(mkdir("bin/folder", 0755), 0);
    expect_found("sh", NULL, "/bin/sh");
    expect_found("tool", "bin", "bin/tool");
    expect_found("tool", "/nowhere:bin/:/bin", "bin/tool");
    expect_found("tool", "bin//:/bin", "bin//tool");
    expect_found("./nowhere", "/bin", "./nowhere"); /* not looked at */
    expect_lost("plain", "", EM_EXIT_NOT_EXECUTABLE, "plain: has no x bit", "chmod +x");
    expect_lost("plain", "/bin:", EM_EXIT_NOT_EXECUTABLE, "plain: has no x bit", "chmod +x");
    expect_lost("folder", "bin", EM_EXIT_NOT_FOUND, "folder: not found in PATH (bin)", "");
    expect_lost("", "/bin", EM_EXIT_NOT_FOUND, "empty", "");
    expect_lost("embark-no-such", NULL, EM_EXIT_NOT_FOUND,
                "not found in PATH (/usr/local/bin:/bin:/usr/bin; PATH is not set)", "");
}

static void test_find_prefers_what_can_be_executed(void **state)
{
    (void)state;
    assert_int_equal(mkdir("first", 0755), 0);
    make_text("first/tool", "#!/bin/sh\n", 0644);
    make_text("bin/tool", "#!/bin/sh\n", 0755);
    expect_found("tool", "first:bin", "bin/tool");
    expect_lost("tool", "first", EM_EXIT_NOT_EXECUTABLE, "first/tool: has no x bit", "chmod");
}

static void test_hints(void **state)
{
    (void)state;
    make_text("bin/uvicorn", "#!/bin/sh\n", 0755);
    make_text("start.sh", "#!/bin/sh\n", 0755);
    expect_lost("uvcorn", "bin", EM_EXIT_NOT_FOUND, "uvcorn: not found in PATH (bin)",
                "did you mean bin/uvicorn?");
    expect_lost("uvicorn3", "bin", EM_EXIT_NOT_FOUND, "", "did you mean bin/uvicorn?");
    expect_lost("uvicorn app:app --port 80", "bin", EM_EXIT_NOT_FOUND, "", "[\"uvicorn\", …]");
    expect_lost("start.sh", "bin", EM_EXIT_NOT_FOUND, "", "./start.sh");
    expect_lost("uvicorn", "/nowhere", EM_EXIT_NOT_FOUND, "", "bin/uvicorn exists");
    expect_lost("cd", "/nowhere", EM_EXIT_NOT_FOUND, "", "sh -c 'cd …'");
    expect_lost("A=1", "/nowhere", EM_EXIT_NOT_FOUND, "", "env A=1");
}

/* ---- em_exec_check: the file ----------------------------------------------------------------- */

static void test_file(void **state)
{
    (void)state;
    expect_fine("/bin/sh");
    expect_wrong("./missing", EM_EXIT_NOT_FOUND, "does not exist; the nearest existing parent is",
                 "");
    expect_wrong("/etc/passwd/x", EM_EXIT_NOT_FOUND, "/etc/passwd is a file, not a directory", "");
    expect_wrong("bin", EM_EXIT_NOT_EXECUTABLE, "is a directory, not a program", "");
    expect_wrong("/dev/null", EM_EXIT_NOT_EXECUTABLE, "is a character device", "");
    assert_int_equal(mkfifo("fifo", 0755), 0);
    expect_wrong("fifo", EM_EXIT_NOT_EXECUTABLE, "is a FIFO", "");
    make_text("mode", "#!/bin/sh\n", 0640);
    expect_wrong("mode", EM_EXIT_NOT_EXECUTABLE, "has no x bit (mode 0640)", "--chmod=755");
    make_text("empty", "", 0755);
    expect_wrong("empty", EM_EXIT_NOT_EXECUTABLE, "is empty", "");
    assert_int_equal(symlink("/build/app", "broken"), 0);
    expect_wrong("broken", EM_EXIT_NOT_FOUND,
                 "is a symbolic link to /build/app, which does not exist", "COPY");
    assert_int_equal(symlink("loop2", "loop1"), 0);
    assert_int_equal(symlink("loop1", "loop2"), 0);
    expect_wrong("loop1", EM_EXIT_NOT_EXECUTABLE, "leads back to itself", "");
}

static void test_other_kinds(void **state)
{
    (void)state;
    make_text("text", "echo hello\n", 0755);
    expect_wrong("text", EM_EXIT_NOT_EXECUTABLE, "text file without a #! line", "#!/bin/sh");
    make("binary", "\x01\x02\x03\x04", 4, 0755);
    expect_wrong("binary", EM_EXIT_NOT_EXECUTABLE, "of no kind that the kernel executes", "");
    make_text("bom", "\xEF\xBB\xBF#!/bin/sh\n", 0755);
    expect_wrong("bom", EM_EXIT_NOT_EXECUTABLE, "byte order mark", "BOM");
    make_text("exe", "MZ\x90", 0755);
    expect_wrong("exe", EM_EXIT_NOT_EXECUTABLE, "Windows", "Linux");
    make_text("mac", "\xCF\xFA\xED\xFE....", 0755);
    expect_wrong("mac", EM_EXIT_NOT_EXECUTABLE, "macOS", "Linux");
    make_text("lfs", "version https://git-lfs.github.com/spec/v1\n", 0755);
    expect_wrong("lfs", EM_EXIT_NOT_EXECUTABLE, "Git LFS pointer", "git lfs pull");
    make_text("page", "<!DOCTYPE html>\n", 0755);
    expect_wrong("page", EM_EXIT_NOT_EXECUTABLE, "HTML", "curl -f");
}

/* ---- em_exec_check: scripts ------------------------------------------------------------------ */

static void test_scripts(void **state)
{
    (void)state;
    make_text("good", "#!/bin/sh -e\n", 0755);
    expect_fine("good");
    make_text("good", "#!/usr/bin/env sh\n", 0755);
    expect_fine("good");
    make_text("bad", "#!/venv/bin/python3\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND,
                 "its interpreter /venv/bin/python3 (of the #! line) does not exist",
                 "virtual environment");
    make_text("bad", "#!/nowhere/bash\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND, "/nowhere/bash", "#!/bin/sh");
    make_text("bad", "#!/bin/sh\r\necho\r\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND, "ends in CR (\\r), so that \"/bin/sh\\r\" is looked for",
                 "dos2unix");
    make_text("bad", "#!/usr/bin/env sh\r\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND, "\"sh\\r\"", ".gitattributes");
    make_text("bad", "#!\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_EXECUTABLE, "names no interpreter", "");
    make_text("bad", "#!\r\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND, "CR", "dos2unix");
    make_text("bad", "#!/usr/bin/env nosuchprogram\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND, "nosuchprogram: not found in PATH", "");
    make_text("bad", "#!/usr/bin/env sh -e\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND, "\"sh -e\" to env as one word", "-S sh -e");
    make_text("mode", "x", 0644);
    make_text("bad", "#!./mode\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_EXECUTABLE, "mode: has no x bit", "chmod");
    make_text("bad", "#!/bin/sh\n'''exec' /nowhere/bin/python \"$0\" \"$@\"\n' '''\n", 0755);
    expect_wrong("bad", EM_EXIT_NOT_FOUND, "/nowhere/bin/python: does not exist", "");
}

static void test_scripts_of_scripts(void **state)
{
    char text[400];

    (void)state;
    make_text("one", "#!/bin/sh\n", 0755);
    make_text("two", "#!./one\n", 0755);
    expect_fine("two");
    make_text("self", "#!./self\n", 0755);
    expect_wrong("self", EM_EXIT_NOT_EXECUTABLE, "scripts that are each other's interpreters", "");
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    text[1] = '!';
    text[2] = '/';
    make("long", text, sizeof(text), 0755);
    expect_wrong("long", EM_EXIT_NOT_EXECUTABLE, "longer than the 256 bytes", "");
}

/* uv's movable scripts: the interpreter is beside the script, not beside the link to it. */
static void test_script_beside_its_interpreter(void **state)
{
    static const char text[] = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- "
                               "\"$0\")\")\"/'snake' \"$0\" \"$@\"\n' '''\n";

    (void)state;
    make_text("bin/movable", text, 0755);
    assert_int_equal(symlink("bin/movable", "link"), 0);
    expect_wrong("link", EM_EXIT_NOT_FOUND, "bin/snake: does not exist", "");
    make_text("bin/snake", "#!/bin/sh\n", 0755);
    expect_fine("link");
}

/* ---- em_exec_check: ELF ---------------------------------------------------------------------- */

static uint16_t machine_here(void)
{
    struct utsname here;

    assert_int_equal(uname(&here), 0);
    return strcmp(here.machine, "aarch64") == 0 ? 183 : 62;
}

static void make_elf(const char *path, uint16_t machine, const char *interp)
{
    struct elf_bytes e;

    elf_make(&e, true, false, machine, interp);
    make(path, e.b, sizeof(e.b), 0755);
}

static void test_elf(void **state)
{
    struct elf_bytes e;

    (void)state;
    make_elf("static", machine_here(), NULL);
    expect_fine("static");
    make_elf("dynamic", machine_here(), "/bin/sh");
    expect_fine("dynamic");
    make_elf("lost", machine_here(), "/lib64/ld-other.so.9");
    expect_wrong("lost", EM_EXIT_NOT_FOUND, "its loader /lib64/ld-other.so.9 does not exist",
                 "not the one that the program was linked with");
    make_elf("foreign", machine_here() == 62 ? 183 : 62, "/lib64/ld-other.so.9");
    expect_wrong("foreign", EM_EXIT_NOT_EXECUTABLE,
                 machine_here() == 62 ? "is a program for AArch64 (arm64), and this machine is "
                                        "x86-64 (amd64)"
                                      : "is a program for x86-64 (amd64)",
                 "--platform");
    elf_make(&e, true, false, machine_here(), NULL);
    make("cut", e.b, 1000, 0755);
    expect_wrong("cut", EM_EXIT_NOT_EXECUTABLE, "cut off (1000 bytes)", "bring it in again");
    make("cut", e.b, 10, 0755);
    expect_wrong("cut", EM_EXIT_NOT_EXECUTABLE, "cut off (10 bytes)", "");
    elf_put(&e, 16, EM_ELF_REL, 2);
    make("object.o", e.b, sizeof(e.b), 0755);
    expect_wrong("object.o", EM_EXIT_NOT_EXECUTABLE, "object file", "");
    elf_make(&e, true, false, machine_here(), NULL);
    elf_count(&e, 0);
    make("damaged", e.b, sizeof(e.b), 0755);
    expect_wrong("damaged", EM_EXIT_NOT_EXECUTABLE, "damaged", "");
}

static void test_elf_32_bits(void **state)
{
    struct elf_bytes e;

    (void)state;
    elf_make(&e, false, false, machine_here() == 62 ? 3 : 40, "/lib/ld-32.so.2");
    make("small", e.b, sizeof(e.b), 0755);
    expect_wrong("small", EM_EXIT_NOT_FOUND, "/lib/ld-32.so.2", "32-bit program");
}

/* The compilers' own output, where both are there. */
static void test_real_binaries(void **state)
{
    (void)state;
    make_text("t.c", "int main(void) { return 0; }\n", 0644);
    if (system("gcc -o glibc t.c 2>/dev/null") == 0)
        expect_fine("./glibc");
    if (system("gcc -m32 -static -o small32 t.c 2>/dev/null") == 0)
        expect_fine("./small32");
    if (system("musl-gcc -o musl t.c 2>/dev/null") == 0)
        expect_fine("./musl");
    if (system("musl-gcc -static -o musl-static t.c 2>/dev/null") == 0)
        expect_fine("./musl-static");
    if (system("gcc -c -o t.o t.c 2>/dev/null && chmod +x t.o") == 0)
        expect_wrong("./t.o", EM_EXIT_NOT_EXECUTABLE, "object file", "");
}

/* In a child whose root is `root`: what em_exec_check("/app") says there, text and hint. */
static void say_in_root(const char *root, char *said, size_t size)
{
    int fds[2], status;
    pid_t pid;
    ssize_t n;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        struct em_err err = EM_ERR_INIT;

        if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
            _exit(77);
        if (chroot(root) != 0 || chdir("/") != 0)
            _exit(77);
        em_exec_check("/app", &err);
        dprintf(fds[1], "%d %s | %s", err.code, em_str_c(&err.text), em_str_c(&err.hint));
        _exit(0);
    }
    close(fds[1]);
    n = read(fds[0], said, size - 1);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WEXITSTATUS(status) == 77)
        skip();
    said[n > 0 ? n : 0] = '\0';
}

static void expect_in_root(const char *app, const char *loader_there, const char *text)
{
    char said[2000], command[200];
    struct em_str got = EM_STR_INIT;

    snprintf(command, sizeof(command), "rm -rf root && mkdir -p root/lib root/lib64%s%s",
             loader_there ? " && touch root" : "", loader_there ? loader_there : "");
    assert_int_equal(system(command), 0);
    make_elf("root/app", machine_here(), app);
    say_in_root("root", said, sizeof(said));
    em_str_puts(&got, said);
    assert_true(has(&got, text));
    em_str_free(&got);
}

static void test_the_other_libc(void **state)
{
    (void)state;
    expect_in_root(
        "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1",
        "127 /app: was built for glibc (Debian, Ubuntu…), and this image has musl (Alpine): "
        "its loader /lib64/ld-linux-x86-64.so.2 does not exist, /lib/ld-musl-x86_64.so.1 does");
    expect_in_root("/lib/ld-musl-x86_64.so.1", "/lib64/ld-linux-x86-64.so.2",
                   "127 /app: was built for musl (Alpine), and this image has glibc: its loader "
                   "/lib/ld-musl-x86_64.so.1 does not exist, /lib64/ld-linux-x86-64.so.2 does");
    expect_in_root("/lib64/ld-linux-x86-64.so.2", NULL, "the image has no C library (scratch");
    expect_in_root("/lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2", "0  | ");
}

static void test_noexec_mount(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(mkdir("mounted", 0755), 0);
    pid = fork();
    if (pid == 0) {
        struct em_err err = EM_ERR_INIT;

        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("none", "mounted", "tmpfs", MS_NOEXEC, "size=64k") != 0)
            _exit(77);
        make_text("mounted/tool", "#!/bin/sh\n", 0755);
        _exit(em_exec_check("mounted/tool", &err) == EM_EXIT_NOT_EXECUTABLE &&
                      has(&err.text, "mounted noexec")
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

/* ---- em_exec_explain ----------------------------------------------------------------------------- */

static void expect_why(const char *file, int error, int code, const char *text)
{
    struct em_err err = EM_ERR_INIT;

    assert_int_equal(em_exec_explain("tool", file, error, &err), code);
    assert_int_equal(err.code, code);
    assert_true(has(&err.text, text));
    em_err_free(&err);
}

static void test_why(void **state)
{
    char *big = em_alloc(100001);

    (void)state;
    expect_why("./missing", ENOENT, EM_EXIT_NOT_FOUND, "does not exist");
    make_text("bad", "#!/nowhere/sh\n", 0755);
    expect_why("bad", ENOENT, EM_EXIT_NOT_FOUND, "/nowhere/sh");
    /* nothing to be seen at the file */
    expect_why("/bin/sh", EACCES, EM_EXIT_NOT_EXECUTABLE,
               "/bin/sh: can't be executed: Permission denied");
    expect_why("/bin/sh", ENOENT, EM_EXIT_NOT_FOUND, "No such file");
    expect_why("/bin/sh", ETXTBSY, EM_EXIT_NOT_EXECUTABLE, "being written to");
    expect_why("/bin/sh", ENOMEM, EM_EXIT_SYSTEM, "Cannot allocate memory");
    memset(big, 'x', 100000);
    assert_int_equal(setenv("EMBARK_TEST_BIG", big, 1), 0);
    expect_why("/bin/sh", E2BIG, EM_EXIT_SYSTEM, "larger than the system allows");
    assert_int_equal(unsetenv("EMBARK_TEST_BIG"), 0);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_prefers_what_can_be_executed),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_scripts_of_scripts),
        cmocka_unit_test(test_script_beside_its_interpreter),
        cmocka_unit_test(test_elf),
        cmocka_unit_test(test_elf_32_bits),
        cmocka_unit_test(test_real_binaries),
        cmocka_unit_test(test_the_other_libc),
        cmocka_unit_test(test_noexec_mount),
        cmocka_unit_test(test_why),
    };

    return cmocka_run_group_tests(tests, start, end);
}
