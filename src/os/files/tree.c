#include "embark/os/files/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"
#include "embark/os/loop/refused.h"

struct walk {
    const struct em_tree *tree;
    struct em_str path; /* of what is looked at now */
    unsigned entries;
};

/* Whether to go on. Signals are only seen when they are asked for. */
static bool goes_on(struct walk *walk)
{
    if (walk->entries++ % 64 == 0)
        em_wait(NULL, 0, em_now());
    return !em_loop_stopped();
}

static void problem(const struct walk *walk, int error)
{
    walk->tree->problem(walk->tree->ctx, em_str_c(&walk->path), error,
                        error ? em_why(error) : "is nested too deeply");
}

/* The kind was looked at before it is opened, as opening a device can do something; and is looked
 * at again, as it may be another file by then. */
static void look_at_file(const struct walk *walk, int dir, const char *name)
{
    struct stat st;
    int fd;

    if (walk->tree->wanted && !walk->tree->wanted(walk->tree->ctx, dir, name))
        return;
    fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0)
        problem(walk, errno);
    else if (S_ISREG(st.st_mode))
        walk->tree->file(walk->tree->ctx, em_str_c(&walk->path), fd, &st);
    if (fd >= 0)
        close(fd);
}

static unsigned char kind_of(int dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_CHR;
}

static void look_into(struct walk *walk, int fd, int depth);

static void look_into_folder(struct walk *walk, int dir, const char *name, int depth)
{
    int fd;

    if (depth >= EM_TREE_DEPTH) {
        problem(walk, 0);
        return;
    }
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        problem(walk, errno);
    else
        look_into(walk, fd, depth + 1);
}

static void look_at(struct walk *walk, int dir, const struct dirent *entry, int depth)
{
    size_t before = walk->path.len;
    unsigned char kind;

    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return;
    if (!em_ends(em_str_c(&walk->path), "/"))
        em_str_putc(&walk->path, '/');
    em_str_puts(&walk->path, entry->d_name);
    kind = kind_of(dir, entry);
    if (kind == DT_DIR)
        look_into_folder(walk, dir, entry->d_name, depth);
    else if (kind == DT_REG)
        look_at_file(walk, dir, entry->d_name);
    em_str_cut(&walk->path, before);
}

/* Closes fd. */
static void look_into(struct walk *walk, int fd, int depth)
{
    DIR *stream = fdopendir(fd);
    struct dirent *entry;

    if (!stream) {
        problem(walk, errno);
        close(fd);
        return;
    }
    while (goes_on(walk) && (errno = 0, entry = readdir(stream)))
        look_at(walk, fd, entry, depth);
    if (!em_loop_stopped() && errno)
        problem(walk, errno);
    closedir(stream);
}

int em_tree_walk(const char *root, const struct em_tree *tree, struct em_err *err)
{
    struct walk walk = {tree, EM_STR_INIT, 0};
    struct stat st;
    int fd;

    if (stat(root, &st) == 0 && !S_ISDIR(st.st_mode))
        return em_fail(err, EM_EXIT_REQUIREMENT, "is %s, not a directory",
                       em_path_kind(st.st_mode));
    fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        EM_STR_AUTO nearest = EM_STR_INIT;
        bool missing = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;

        em_fail(err, EM_EXIT_REQUIREMENT, "%s", missing ? "does not exist" : em_why(errno));
        em_path_nearest(root, &nearest);
        em_str_printf(&err->text, "%s%s", nearest.len ? "; " : "", em_str_c(&nearest));
        return err->code;
    }
    em_str_puts(&walk.path, root);
    look_into(&walk, fd, 0);
    em_str_free(&walk.path);
    return em_loop_stopped() ? em_fail_stopped(err) : 0;
}

size_t em_tree_read(int fd, char *into, size_t length, int *error)
{
    size_t done = 0;

    *error = 0;
    while (done < length) {
        ssize_t n = read(fd, into + done, length - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            *error = errno;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}
