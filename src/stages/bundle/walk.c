#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embark/os/files/tree.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"
#include "embark/os/loop/refused.h"

/* Large enough for a system call to be cheap, and small enough for the second cache. */
enum { BLOCK = 256 * 1024 };

static bool has_original(int dir, const char *name, size_t length)
{
    EM_STR_AUTO original = EM_STR_INIT;
    struct stat st;

    em_str_add(&original, name, length);
    return fstatat(dir, em_str_c(&original), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static bool wanted(void *ctx, int dir, const char *name)
{
    static const char *const packed[] = {".gz", ".br", ".zst"};
    struct em_bundle_walk *look = ctx;

    if (em_ends(name, ".map"))
        return false;
    for (size_t i = 0; i < EM_COUNT(packed); i++)
        if (em_ends(name, packed[i])) {
            look->compressed += !has_original(dir, name, strlen(name) - strlen(packed[i]));
            return false;
        }
    return true;
}

/* What an image may be like: files that are not for us, or that go while they are looked at.
 * Anything else is no reason to take what was not seen for good. */
static bool is_usual(int error)
{
    return error == 0 || error == EACCES || error == EPERM || error == ENOENT || error == ENOTDIR ||
           error == ELOOP;
}

static void problem(void *ctx, const char *path, int error, const char *why)
{
    struct em_bundle_walk *look = ctx;

    if (!is_usual(error) && !look->broken.len)
        em_str_printf(&look->broken, "%s: %s", path, why);

    if (look->unreadable_count++ == 0)
        em_str_printf(&look->unreadable, "%s: %s", path, why);
}

/* A file of many gigabytes doesn't keep SIGTERM waiting, nor anybody for ever. */
static bool goes_on(struct em_bundle_walk *look)
{
    if (look->blocks++ % 64 == 63)
        em_wait(NULL, 0, em_now());
    return !em_loop_stopped() && look->bytes < (unsigned long long)EM_LOOK_GIB << 30;
}

/* What stands at a block's end is looked at with the next one, so that EM_LOOK_BEHIND bytes of the
 * file are there behind it. */
static void look_at(void *ctx, const char *path, int fd, const struct stat *st)
{
    struct em_bundle_walk *look = ctx;
    size_t tail = em_search_longest(&look->scan) + EM_LOOK_BEHIND, have = 0, from = 0;
    bool last = false;

    (void)st;
    look->path = path;
    look->files++;
    while (!last && goes_on(look)) {
        size_t wish = look->size - have, n, to, start;
        int error;

        n = em_tree_read(fd, look->buffer + have, wish, &error);
        if (error)
            problem(look, path, error, em_why(error));
        last = n < wish;
        have += n;
        look->bytes += n;
        look->block = look->buffer;
        look->length = have;
        to = last ? have : have - tail;
        em_search_run(&look->scan, look->buffer, have, from, to, look->found, look);
        start = to > EM_LOOK_BEFORE ? to - EM_LOOK_BEFORE : 0;
        have -= start;
        from = to - start;
        if (!last)
            memmove(look->buffer, look->buffer + start, have);
    }
}

int em_bundle_walk_run(struct em_bundle_walk *look, const char *dir, struct em_err *err)
{
    const struct em_tree tree = {wanted, look_at, problem, look};

    if (!look->buffer) {
        look->size = BLOCK + 2 * (em_search_longest(&look->scan) + EM_LOOK_BEHIND + EM_LOOK_BEFORE);
        look->buffer = em_realloc(NULL, look->size, 1);
    }
    return em_tree_walk(dir, &tree, err);
}

void em_bundle_walk_free(struct em_bundle_walk *look)
{
    em_search_free(&look->scan);
    em_str_free(&look->unreadable);
    em_str_free(&look->broken);
    free(look->buffer);
    *look = (struct em_bundle_walk){0};
}
