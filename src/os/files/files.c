#include "embark/os/files/files.h"

#include "embark/os/loop/refused.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ_SIZE = 4096 };

const char *em_path_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
        return "a character device";
    case S_IFBLK:
        return "a block device";
    default:
        return "a file";
    }
}

static void say_limit(size_t limit, struct em_str *why)
{
    if (limit >= 1024 * 1024 && limit % (1024 * 1024) == 0)
        em_str_printf(why, "is larger than %zu MiB", limit / (1024 * 1024));
    else if (limit >= 1024 && limit % 1024 == 0)
        em_str_printf(why, "is larger than %zu KiB", limit / 1024);
    else
        em_str_printf(why, "is larger than %zu bytes", limit);
}

/* Reads to the end, whatever st_size says: a file may grow, shrink, or be one of /proc. */
static bool read_blocks(int fd, char buffer[READ_SIZE], size_t limit, struct em_str *out,
                        struct em_str *why)
{
    size_t total = 0;

    for (;;) {
        ssize_t n = read(fd, buffer, READ_SIZE);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            em_str_puts(why, em_why(errno));
            return false;
        }
        if (n == 0)
            return true;
        total += (size_t)n;
        if (total > limit) {
            say_limit(limit, why);
            return false;
        }
        em_str_add(out, buffer, (size_t)n);
    }
}

/* The file may be a secret's. */
static bool read_all(int fd, size_t limit, struct em_str *out, struct em_str *why)
{
    char buffer[READ_SIZE];
    bool ok = read_blocks(fd, buffer, limit, out, why);

    explicit_bzero(buffer, sizeof buffer);
    return ok;
}

/* It is looked at before it is opened, as opening a device can do something; and again after that,
 * as it may be another one by then. */
int em_file_open(const char *path, struct stat *st, struct em_str *why)
{
    int fd = -1;

    if (stat(path, st) != 0) {
        em_str_puts(why, em_why(errno));
    } else if (!S_ISREG(st->st_mode)) {
        em_str_printf(why, "is %s", em_path_kind(st->st_mode));
    } else if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)) < 0 ||
               fstat(fd, st) != 0) {
        em_str_puts(why, em_why(errno));
    } else if (!S_ISREG(st->st_mode)) {
        em_str_printf(why, "is %s", em_path_kind(st->st_mode));
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

DIR *em_dir_open(const char *path)
{
    DIR *dir = opendir(path);

    if (!dir)
        em_refusal(errno);
    return dir;
}

bool em_file_read(const char *path, size_t limit, struct em_str *out, struct em_str *why)
{
    size_t before = out->len;
    struct stat st;
    int fd = em_file_open(path, &st, why);
    bool ok;

    if (fd < 0)
        return false;
    /* What says itself that it is too large isn't read up to there. */
    ok = st.st_size <= 0 || (uintmax_t)st.st_size <= limit;
    if (ok)
        ok = read_all(fd, limit, out, why);
    else
        say_limit(limit, why);
    close(fd);
    if (!ok)
        em_str_cut(out, before);
    return ok;
}

bool em_file_head(const char *path, char *bytes, size_t size, size_t *length)
{
    EM_STR_AUTO ignored = EM_STR_INIT;
    struct stat st;
    int fd = em_file_open(path, &st, &ignored);
    ssize_t n;

    if (fd < 0)
        return false;
    n = pread(fd, bytes, size, 0);
    close(fd);
    *length = n > 0 ? (size_t)n : 0;
    return n >= 0;
}

static const char *world_env(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static bool world_read(void *ctx, const char *path, struct em_str *out, struct em_str *why)
{
    (void)ctx;
    return em_file_read(path, 1024 * 1024, out, why);
}

/* Docker mounts secrets with mode 0444 below /run/secrets, and Kubernetes with 0644 on a read-only
 * tmpfs wherever one likes: who may enter the container may read them anyway. */
static bool world_readable_by_all(void *ctx, const char *path, unsigned *mode)
{
    struct stat st;
    struct statfs fs;
    (void)ctx;
    if (em_starts(path, "/run/secrets/") || em_starts(path, "/var/run/secrets/") ||
        stat(path, &st) != 0 || !(st.st_mode & S_IROTH))
        return false;
    *mode = (unsigned)(st.st_mode & 07777);
    return !(statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC &&
             em_path_mount_has(path, ST_RDONLY));
}

struct em_config_source em_config_source_real = {
    .env = world_env, .read_file = world_read, .readable_by_all = world_readable_by_all};

/* environ is no constant expression; embark never changes its environment, so that once is enough.
 */
__attribute__((constructor)) static void world_start(void)
{
    em_config_source_real.environ = environ;
}

int em_path_access(const char *path, int mode)
{
    if (faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0)
        return 0;
    /* faccessat2(2), which AT_EACCESS needs, is refused with EPERM by seccomp filters that are
     * older than it (Docker's, up to 20.10). Where the real ids are the effective ones the old
     * system call gives the same answer. */
    if ((errno == EPERM || errno == ENOSYS) && getuid() == geteuid() && getgid() == getegid())
        return faccessat(AT_FDCWD, path, mode, 0) == 0 ? 0 : errno;
    return errno;
}

void em_path_owner(const struct stat *st, struct em_str *out)
{
    em_str_printf(out, "belongs to %u:%u with mode %04o, and we are %u:%u", (unsigned)st->st_uid,
                  (unsigned)st->st_gid, (unsigned)(st->st_mode & 07777), (unsigned)geteuid(),
                  (unsigned)getegid());
}

bool em_path_mount_has(const char *path, unsigned long flag)
{
    struct statvfs vfs;

    return statvfs(path, &vfs) == 0 && (vfs.f_flag & flag);
}

void em_close(int fd)
{
    if (syscall(SYS_close, fd) != 0) /* C libraries keep EINTR to themselves */
        syscall(SYS_close, fd);
}
