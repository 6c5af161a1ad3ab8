#include "embark/os/exec/check_elf.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "elf_file.h"
#include "embark/core/executable/elf.h"
#include "embark/core/linux/binfmt.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "libraries.h"

bool em_image_has_libc(enum em_libc libc, struct em_str *name)
{
    static const char *const dirs[] = {"/lib", "/lib64", "/lib32"};

    for (size_t i = 0; i < EM_COUNT(dirs) && !name->len; i++) {
        DIR *stream = em_dir_open(dirs[i]);
        struct dirent *entry;

        while (stream && !name->len && (entry = readdir(stream)))
            if (em_elf_libc(entry->d_name) == libc) {
                EM_STR_AUTO path = EM_STR_INIT;
                struct stat st;

                em_str_printf(&path, "%s/%s", dirs[i], entry->d_name);
                if (stat(em_str_c(&path), &st) == 0) /* not a link that leads nowhere */
                    em_str_puts(name, em_str_c(&path));
            }
        if (stream)
            closedir(stream);
    }
    return name->len > 0;
}

static void say_libc(const char *file, const struct em_elf *elf, struct em_err *err)
{
    EM_STR_AUTO other = EM_STR_INIT;
    enum em_libc libc = em_elf_libc(elf->interp);

    if (libc == EM_LIBC_GLIBC && em_image_has_libc(EM_LIBC_MUSL, &other)) {
        em_fail(err, EM_EXIT_NOT_FOUND,
                "%s: was built for glibc (Debian, Ubuntu…), and this image has musl (Alpine): its "
                "loader %s does not exist, "
                "%s does",
                file, elf->interp, em_str_c(&other));
        em_hint(err, "build it in a stage from the same base image, use a static or musl build, or "
                     "a glibc base image");
    } else if (libc == EM_LIBC_MUSL && em_image_has_libc(EM_LIBC_GLIBC, &other)) {
        em_fail(err, EM_EXIT_NOT_FOUND,
                "%s: was built for musl (Alpine), and this image has glibc: its loader %s does not "
                "exist, %s does",
                file, elf->interp, em_str_c(&other));
        em_hint(err, "build it in a stage from the same base image, or use a static build");
    } else {
        em_fail(err, EM_EXIT_NOT_FOUND, "%s: its loader %s does not exist", file, elf->interp);
        em_hint(err, "%s",
                em_image_has_libc(EM_LIBC_GLIBC, &other) || em_image_has_libc(EM_LIBC_MUSL, &other)
                    ? "the image has a C library, but not the one that the program was linked with"
                    : "the image has no C library (scratch, distroless/static): link the program "
                      "statically, or "
                      "use a base image that has one");
    }
}

static int check_loader(const char *file, const struct em_elf *elf, struct em_err *err)
{
    EM_STR_AUTO machine = EM_STR_INIT;
    struct utsname here;
    struct stat st;

    if (stat(elf->interp, &st) == 0)
        return 0;
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EACCES)
        return em_fail_errno(err, EM_EXIT_NOT_EXECUTABLE, "%s: its loader %s", file, elf->interp);
    say_libc(file, elf, err);
    if (!elf->is64 && uname(&here) == 0 && strstr(here.machine, "64")) {
        em_elf_machine(elf, &machine);
        em_hint(err,
                "it is a 32-bit program (%s) on a 64-bit image: install that architecture's C "
                "library, or take the 64-bit build",
                em_str_c(&machine));
    }
    return err->code;
}

/* The handler of binfmt_misc(5) that takes the file, and that is there. It can only be seen where
 * that file system is mounted, which it isn't in most containers. */
static bool find_handler(int fd, struct em_str *handler)
{
    static const char dir[] = "/proc/sys/fs/binfmt_misc";
    char head[128];
    ssize_t length = pread(fd, head, sizeof(head), 0);
    DIR *stream = em_dir_open(dir);
    struct dirent *entry;
    bool found = false;

    while (stream && length > 0 && !found && (entry = readdir(stream))) {
        EM_STR_AUTO path = EM_STR_INIT;
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO why = EM_STR_INIT;
        bool fixed = false;

        em_str_printf(&path, "%s/%s", dir, entry->d_name);
        found = em_file_read(em_str_c(&path), 64 * 1024, &text, &why) &&
                em_binfmt_takes(em_str_c(&text), head, (size_t)length, handler, &fixed) &&
                (fixed || em_path_access(em_str_c(handler), X_OK) == 0);
    }
    if (stream)
        closedir(stream);
    return found;
}

static int check_machine(const char *file, int fd, const struct em_elf *elf, bool *emulated,
                         struct em_err *err)
{
    EM_STR_AUTO handler = EM_STR_INIT;
    EM_STR_AUTO theirs = EM_STR_INIT;
    EM_STR_AUTO ours = EM_STR_INIT;
    struct utsname here;

    if (uname(&here) != 0 || em_elf_runs_on(elf, here.machine))
        return 0;
    em_elf_machine(elf, &theirs);
    em_elf_kernel(here.machine, &ours);
    *emulated = find_handler(fd, &handler);
    if (*emulated) {
        em_log(EM_LOG_WARN, NULL,
               "%s: is a program for %s, and this machine is %s: it will run under %s, slowly",
               file, em_str_c(&theirs), em_str_c(&ours), em_str_c(&handler));
        return 0;
    }
    em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is a program for %s, and this machine is %s", file,
            em_str_c(&theirs), em_str_c(&ours));
    em_hint(err, "build or download it for this platform (docker build --platform, TARGETARCH)");
    return err->code;
}

static int check_type(const char *file, const struct em_elf *elf, struct em_err *err)
{
    if (elf->type == EM_ELF_EXEC || elf->type == EM_ELF_DYN)
        return 0;
    return em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is an ELF %s, not a program", file,
                   elf->type == EM_ELF_REL    ? "object file (.o)"
                   : elf->type == EM_ELF_CORE ? "core dump"
                                              : "file of an unknown type");
}

int em_exec_check_elf(const char *file, int fd, uint64_t size, struct em_err *err)
{
    struct em_elf_file blocks;
    struct em_elf_source source = em_elf_file_source(&blocks, fd, size);
    struct em_elf elf;
    enum em_elf_state state = em_elf_read(&source, &elf);
    bool emulated = false;
    int code = 0;

    /* The kernel looks at the machine first, too: a program for another one may be odd in other
     * ways. */
    if (elf.machine)
        code = check_machine(file, fd, &elf, &emulated, err);
    if (code || emulated) {
        /* said */
    } else if (state == EM_ELF_TRUNCATED) {
        code =
            em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is an ELF file that is cut off (%llu bytes)",
                    file, (unsigned long long)size);
        em_hint(err, "a copy or download that was interrupted: bring it in again");
    } else if (state != EM_ELF_OK) {
        code = em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: is a damaged ELF file", file);
    } else {
        code = check_type(file, &elf, err);
        if (!code && elf.interp)
            code = check_loader(file, &elf, err);
        if (!code && elf.interp)
            code = em_elf_libs_check(file, &source, &elf, err);
    }
    em_elf_free(&elf);
    return code;
}
