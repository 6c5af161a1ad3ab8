/* em_exec_check() of exec.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "embark/core/executable/shebang.h"
#include "embark/os/exec/check_elf.h"
#include "embark/os/exec/find.h"
#include "embark/os/files/files.h"
#include "embark/os/loop/refused.h"

/* The kernel follows a script to its interpreter, which may be a script, this many times. */
enum { DEPTH_MAX = 5 };

static int check(const char *file, int depth, struct em_err *err);

/* ---- The file itself
 * -------------------------------------------------------------------------------------------------
 */

static int check_missing(const char *file, int error, struct em_err *err)
{
    EM_STR_AUTO nearest = EM_STR_INIT;
    struct stat st;

    if (error != ENOENT && error != ENOTDIR && error != ELOOP && error != EACCES)
        return em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: %s", file, em_why(error));
    em_path_nearest(file, &nearest);
    if (error == EACCES)
        return em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: permission denied: %s", file,
                       em_str_c(&nearest));
    if (lstat(file, &st) == 0 && S_ISLNK(st.st_mode)) {
        em_fail(err, error == ELOOP ? EM_EXIT_NOT_EXECUTABLE : EM_EXIT_NOT_FOUND, "%s: %s", file,
                em_str_c(&nearest));
        em_hint(err, "%s", em_path_nearest_hint(&nearest, "make the link lead to the program"));
        return err->code;
    }
    em_fail(err, EM_EXIT_NOT_FOUND, "%s: does not exist%s%s", file, nearest.len ? "; " : "",
            em_str_c(&nearest));
    em_hint(err, "%s",
            em_path_nearest_hint(&nearest, "COPY it into the image; see that .dockerignore doesn't "
                                           "leave it out and no volume hides it"));
    return err->code;
}

static int check_mode(const char *file, const struct stat *st, struct em_err *err)
{
    EM_STR_AUTO owner = EM_STR_INIT;
    int error;

    if (!S_ISREG(st->st_mode)) {
        em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is %s, not a program", file,
                em_path_kind(st->st_mode));
        em_hint(err, "name the program itself");
        return err->code;
    }
    if (em_path_mount_has(file, ST_NOEXEC)) {
        em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is on a file system that is mounted noexec",
                file);
        em_hint(err, "put it elsewhere in the image, or mount with exec");
        return err->code;
    }
    error = em_path_access(file, X_OK);
    if (error == 0)
        return 0;
    if (error != EACCES) {
        em_refusal(error);
        errno = error;
        return em_fail_errno(err, EM_EXIT_NOT_EXECUTABLE, "%s", file);
    }
    em_path_owner(st, &owner);
    if (st->st_mode & 0111)
        em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is not executable for us: it %s", file,
                em_str_c(&owner));
    else
        em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: has no x bit (mode %04o)", file,
                (unsigned)(st->st_mode & 07777));
    em_hint(
        err,
        "chmod +x it before the image is built (git update-index --chmod=+x), or COPY --chmod=755");
    return err->code;
}

/* ---- Scripts
 * ---------------------------------------------------------------------------------------------------------
 */

static void hint_interpreter(const char *interpreter, struct em_err *err)
{
    const char *name = strrchr(interpreter, '/');

    name = name ? name + 1 : interpreter;
    if (em_starts(name, "python"))
        em_hint(err, "a virtual environment works only at the path where it was made: make it at "
                     "the path that it has in the "
                     "image, and copy its interpreter too");
    else if (strcmp(name, "bash") == 0)
        em_hint(err, "this image may have no bash (Alpine has not): install it, or write the "
                     "script for #!/bin/sh");
    else
        em_hint(err, "install it in the image, or correct the script's first line");
}

/* The interpreter, which must itself be executable; its fault is told as the script's. */
static int check_interpreter(const char *file, const char *interpreter, int depth,
                             struct em_err *err)
{
    EM_ERR_AUTO inner = EM_ERR_INIT;
    struct stat st;
    int code;

    if (stat(interpreter, &st) != 0 && errno == ENOENT && lstat(interpreter, &st) != 0) {
        em_fail(err, EM_EXIT_NOT_FOUND, "%s: its interpreter %s (of the #! line) does not exist",
                file, interpreter);
        hint_interpreter(interpreter, err);
        return err->code;
    }
    code = check(interpreter, depth + 1, &inner);
    if (code) {
        em_fail(err, code, "%s: its interpreter can't be executed: %s", file,
                em_str_c(&inner.text));
        if (inner.hint.len)
            em_hint(err, "%s", em_str_c(&inner.hint));
    }
    return code;
}

/* The path of what the script runs in, where the kernel's interpreter only passes it on. */
static int find_program(const char *file, const struct em_shebang *s, struct em_str *path,
                        struct em_err *err)
{
    if (s->in_path)
        return em_exec_find(s->program, getenv("PATH"), path, err);
    if (s->beside) {
        char *real = realpath(file, NULL), *slash = real ? strrchr(real, '/') : NULL;

        if (slash)
            em_str_add(path, real, (size_t)(slash + 1 - real));
        free(real);
    }
    em_str_puts(path, s->program);
    return 0;
}

static int check_program(const char *file, const struct em_shebang *s, int depth,
                         struct em_err *err)
{
    EM_STR_AUTO path = EM_STR_INIT;
    EM_ERR_AUTO inner = EM_ERR_INIT;
    int code;

    if (s->one_word) {
        em_fail(err, EM_EXIT_NOT_FOUND, "%s: its #! line hands \"%s\" to env as one word", file,
                s->program);
        em_hint(err, "write #!%s -S %s", s->interpreter, s->program);
        return err->code;
    }
    code = find_program(file, s, &path, &inner);
    if (!code && (s->in_path || s->beside || strcmp(s->program, s->interpreter) != 0))
        code = check(em_str_c(&path), depth + 1, &inner);
    if (code) {
        em_fail(err, code, "%s: the program of its #! line can't be executed: %s", file,
                em_str_c(&inner.text));
        if (inner.hint.len)
            em_hint(err, "%s", em_str_c(&inner.hint));
    }
    return code;
}

static int fail_cr(const char *file, const struct em_shebang *s, struct em_err *err)
{
    const char *last = s->argument ? s->argument : s->interpreter;

    em_fail(err, EM_EXIT_NOT_FOUND,
            "%s: its first line ends in CR (\\r), so that \"%s\\r\" is looked for", file,
            last ? last : "");
    em_hint(err, "the file has Windows line ends: dos2unix it, and keep them out with "
                 ".gitattributes (*.sh text eol=lf)");
    return err->code;
}

static int check_script(const char *file, const char *bytes, size_t length, int depth,
                        struct em_err *err)
{
    struct em_shebang s;
    enum em_shebang_state state = em_shebang_read(bytes, length, &s);
    int code;

    if (s.cr) {
        code = fail_cr(file, &s, err);
    } else if (state == EM_SHEBANG_LONG) {
        code = em_fail(err, EM_EXIT_NOT_EXECUTABLE,
                       "%s: the interpreter of its #! line is longer than the %d bytes that the "
                       "kernel reads",
                       file, EM_SHEBANG_LINE);
    } else if (!s.interpreter || !s.program) {
        code = em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: its #! line names no interpreter", file);
    } else {
        code = check_interpreter(file, s.interpreter, depth, err);
        if (!code)
            code = check_program(file, &s, depth, err);
    }
    em_shebang_free(&s);
    return code;
}

/* ---- Files of other kinds
 * -------------------------------------------------------------------------------------------- */

/* Beginnings of what lands in an image in a program's place. */
static const struct kind {
    const char *magic;
    size_t length;
    const char *what, *hint;
} kinds[] = {
    {"\xEF\xBB\xBF#!", 5, "has a byte order mark before its #! line",
     "save it as UTF-8 without BOM"},
    {"\xFF\xFE", 2, "is UTF-16 text", "save it as UTF-8 without BOM"},
    {"MZ", 2, "is a Windows program", "take the one for Linux"},
    {"\xCF\xFA\xED\xFE", 4, "is a macOS program",
     "build it for Linux (GOOS=linux, a Linux stage of the Dockerfile)"},
    {"\xCE\xFA\xED\xFE", 4, "is a macOS program", "build it for Linux"},
    {"\xCA\xFE\xBA\xBE", 4, "is a macOS program, or a Java class",
     "build it for Linux; a class is run by java"},
    {"\0asm", 4, "is a WebAssembly module", "run it with a WebAssembly runtime"},
    {"version https://git-lfs", 23, "is a Git LFS pointer, not the file itself",
     "git lfs pull before the build"},
    {"<!DOCTYPE", 9, "is an HTML page", "a download that failed? use curl -f"},
    {"<!doctype", 9, "is an HTML page", "a download that failed? use curl -f"},
    {"<html", 5, "is an HTML page", "a download that failed? use curl -f"},
    {"Not Found", 9, "holds \"Not Found\"", "a download that failed? use curl -f"},
    {"\x1F\x8B", 2, "is a gzip archive", "unpack it"},
    {"PK\x03\x04", 4, "is a zip archive", "unpack it; a .jar is run by java, a .pyz by python"},
    {"\xFD"
     "7zXZ",
     5, "is an xz archive", "unpack it"},
    {"!<arch>\n", 8, "is an ar archive (a static library or a .deb)", "install it"},
};

static bool is_text(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 27)
            return false;
    }
    return true;
}

static int check_other(const char *file, const char *bytes, size_t length, struct em_err *err)
{
    for (size_t i = 0; i < EM_COUNT(kinds); i++)
        if (length >= kinds[i].length && memcmp(bytes, kinds[i].magic, kinds[i].length) == 0) {
            em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: %s", file, kinds[i].what);
            em_hint(err, "%s", kinds[i].hint);
            return err->code;
        }
    if (!is_text(bytes, length))
        return em_fail(err, EM_EXIT_NOT_EXECUTABLE,
                       "%s: is of no kind that the kernel executes (neither ELF nor #!)", file);
    em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is a text file without a #! line", file);
    em_hint(err,
            "make #!/bin/sh (or what it is written for) its very first line; only a shell guesses");
    return err->code;
}

/* ---- All of it
 * -------------------------------------------------------------------------------------------------------
 */

static int check_content(const char *file, int fd, const struct stat *st, int depth,
                         struct em_err *err)
{
    char bytes[EM_SHEBANG_BYTES];
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

    if (n < 0)
        return 0; /* can't be looked at: no verdict */
    if (n == 0) {
        em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is empty", file);
        em_hint(err, "a download or COPY that went wrong?");
        return err->code;
    }
    if (n >= 4 && memcmp(bytes, "\177ELF", 4) == 0)
        return em_exec_check_elf(file, fd, (uint64_t)st->st_size, err);
    if (n >= 2 && memcmp(bytes, "#!", 2) == 0)
        return check_script(file, bytes, (size_t)n, depth, err);
    return check_other(file, bytes, (size_t)n, err);
}

static int check(const char *file, int depth, struct em_err *err)
{
    struct stat st;
    int fd, code;

    if (depth > DEPTH_MAX)
        return em_fail(err, EM_EXIT_NOT_EXECUTABLE,
                       "%s: scripts that are each other's interpreters", file);
    if (stat(file, &st) != 0)
        return check_missing(file, errno, err);
    code = check_mode(file, &st, err);
    if (code)
        return code;
    fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        em_refusal(errno);
    if (fd < 0)
        return errno == EACCES ? 0 /* may be executed but not read */
                               : em_fail_errno(err, EM_EXIT_NOT_EXECUTABLE, "%s", file);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        code = check_content(file, fd, &st, depth, err);
    close(fd);
    return code;
}

int em_exec_check(const char *file, struct em_err *err)
{
    return check(file, 0, err);
}
