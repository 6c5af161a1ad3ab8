#include "embark/os/machine/last_start_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "embark/os/files/files.h"
#include "embark/os/files/outlet.h"
#include "embark/os/loop/refused.h"
#include "embark/os/machine/host.h"

#define FOLDER "/run/embark"
#ifndef RENAME_EXCHANGE /* musl's headers don't have it */
#define RENAME_EXCHANGE 2
#endif

const char *em_last_start_file_folder(bool *named)
{
    const char *folder = getenv("EMBARK_STATE");
    *named = folder && *folder;
    return *named ? folder : FOLDER;
}

bool em_last_start_file_wanted(void)
{
    bool named;
    struct stat st;
    const char *folder = em_last_start_file_folder(&named);
    return named || (lstat(folder, &st) == 0 && S_ISDIR(st.st_mode));
}

/* A link in the place of the folder is followed only if somebody named it. */
static int open_folder(struct em_str *why)
{
    bool named;
    const char *folder = em_last_start_file_folder(&named);
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC | (named ? 0 : O_NOFOLLOW));
    if (fd < 0 && (named || errno != ENOENT))
        em_str_printf(why, "%s: %s", folder, em_why(errno));
    return fd;
}

/* Of this process alone, also where hosts share the folder: what a start left that was killed here
 * is in nobody's way for long. */
static void temporary_name(struct em_str *name)
{
    em_str_printf(name, ".%s.%d.", EM_LAST_START_FILE, (int)getpid());
    size_t from = name->len;
    em_host_name(name);
    for (size_t i = from; i < name->len; i++)
        if (name->data[i] == '/')
            name->data[i] = '_';
}

static int create(int folder, const char *name)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(folder, name, flags, 0644);
    if (fd >= 0 || errno != EEXIST)
        return fd;
    if (unlinkat(folder, name, 0) != 0)
        return -1;
    return openat(folder, name, flags, 0644);
}

/* A rename over an older file makes ext4 write the new one to the disk, which takes milliseconds,
 * and a report isn't worth that. An exchange doesn't. */
static bool put_in_place(int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, EM_LAST_START_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        syscall(SYS_renameat2, folder, name, folder, EM_LAST_START_FILE, RENAME_EXCHANGE) == 0) {
        unlinkat(folder, name, 0);
        return true;
    }
    return renameat(folder, name, folder, EM_LAST_START_FILE) == 0;
}

static bool write_and_rename(int folder, const char *name, const char *bytes, size_t length)
{
    int fd = create(folder, name);
    if (fd < 0)
        return false;
    bool good = em_put(fd, bytes, length);
    int error = errno;
    if (close(fd) != 0 && good) {
        good = false; /* a network's file system says only here that it is full */
        error = errno;
    }
    if (good && put_in_place(folder, name))
        return true;
    if (good)
        error = errno;
    unlinkat(folder, name, 0);
    errno = error;
    return false;
}

bool em_last_start_file_write(const char *bytes, size_t length, struct em_str *why)
{
    EM_STR_AUTO name = EM_STR_INIT;
    bool named;
    int folder = open_folder(why);
    if (folder < 0)
        return false;
    temporary_name(&name);
    bool good = write_and_rename(folder, em_str_c(&name), bytes, length);
    if (!good)
        em_str_printf(why, "%s can't be written: %s", em_last_start_file_folder(&named),
                      em_why(errno));
    close(folder);
    return good;
}

static void read_open(int fd, struct em_str *bytes, struct em_str *why)
{
    struct stat st;
    char buffer[4096];
    ssize_t n;
    if (fstat(fd, &st) != 0) {
        em_str_puts(why, em_why(errno));
    } else if (!S_ISREG(st.st_mode)) {
        em_str_printf(why, "is %s", em_path_kind(st.st_mode));
    } else {
        while (bytes->len <= EM_LAST_START_MAX && (n = read(fd, buffer, sizeof buffer)) > 0)
            em_str_add(bytes, buffer, (size_t)n);
        if (bytes->len > EM_LAST_START_MAX)
            em_str_puts(why, "is too large to be embark's");
    }
}

bool em_last_start_file_read(struct em_str *bytes, struct em_str *why)
{
    EM_STR_AUTO wrong = EM_STR_INIT;
    bool named;
    int folder = open_folder(why);
    if (folder < 0)
        return false;
    int fd = openat(folder, EM_LAST_START_FILE,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = errno;
    close(folder);
    if (fd < 0 && error == ENOENT)
        return false;
    if (fd < 0)
        em_str_puts(&wrong, error == ELOOP ? "is a symbolic link" : em_why(error));
    else
        read_open(fd, bytes, &wrong);
    if (fd >= 0)
        close(fd);
    if (wrong.len)
        em_str_printf(why, "%s/%s: %s", em_last_start_file_folder(&named), EM_LAST_START_FILE,
                      em_str_c(&wrong));
    return !wrong.len;
}

/* ---- Processes ---- */

/* Reads a small file of /proc, with a NUL behind it. */
static bool read_small(const char *path, char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, size - 1);
    if (fd >= 0)
        close(fd);
    bytes[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* "pid:[4026531836]". Ours is theirs: we see the process. */
static uint64_t own_pid_namespace(void)
{
    char target[64];
    ssize_t n = readlink("/proc/self/ns/pid", target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    return n > 5 ? strtoull(target + 5, NULL, 10) : 0;
}

bool em_process_read(int64_t pid, struct em_process *process, int64_t *parent)
{
    char path[64], stat[512];
    int64_t ignored;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    *process = (struct em_process){.pid = pid};
    if (!read_small(path, stat, sizeof stat) ||
        !em_stat_parse(stat, parent ? parent : &ignored, &process->started))
        return false;
    process->pid_namespace = own_pid_namespace();
    read_small("/proc/sys/kernel/random/boot_id", process->boot, sizeof process->boot);
    process->boot[strcspn(process->boot, "\n")] = '\0';
    return true;
}
