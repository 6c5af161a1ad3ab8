#include "embark/stages/require_paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/os/files.h"

/* False, and an error, if there is nothing. */
static bool exists(const char *key, const char *path, const char *where, struct stat *st,
                   struct em_errs *errs)
{
    EM_STR_AUTO nearest = EM_STR_INIT;
    struct em_err *err;
    bool missing;

    if (stat(path, st) == 0)
        return true;
    missing = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    err = em_errs_add(errs, EM_EXIT_REQUIREMENT, "%s %s: %s", key, path,
                      missing ? "does not exist" : strerror(errno));
    em_path_nearest(path, &nearest);
    em_str_printf(&err->text, "%s%s (%s)", nearest.len ? "; " : "", em_str_c(&nearest), where);
    if (missing)
        em_hint(err, "COPY or make it in the image; see that .dockerignore doesn't leave it out");
    return false;
}

/* EACCES said with what is needed to mend it. */
static void refused(const char *key, const char *path, const char *where, const char *what,
                    const struct stat *st, int error, struct em_errs *errs)
{
    EM_STR_AUTO owner = EM_STR_INIT;
    struct em_err *err;

    if (error == EROFS) {
        err = em_errs_add(errs, EM_EXIT_REQUIREMENT,
                          "%s %s: is on a file system that is mounted read-only (%s)", key, path,
                          where);
        em_hint(err, "mount a volume or a tmpfs there (docker run --tmpfs %s)", path);
        return;
    }
    em_path_owner(st, &owner);
    err = em_errs_add(errs, EM_EXIT_REQUIREMENT, "%s %s: can't be %s: %s: it %s (%s)", key, path,
                      what, strerror(error), em_str_c(&owner), where);
    if (error == EPERM)
        em_hint(err, "the mode allows it: the file may be immutable (lsattr)");
    else
        em_hint(
            err,
            "COPY --chown=%u:%u it, chown it before USER in the Dockerfile, or for a volume give "
            "its owner's id with --user",
            (unsigned)geteuid(), (unsigned)getegid());
}

void em_require_file(const char *path, const char *where, struct em_errs *errs)
{
    struct stat st;
    int error;

    if (!exists("file", path, where, &st, errs))
        return;
    if (!S_ISREG(st.st_mode)) {
        em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT, "file %s: is %s, not a file (%s)", path,
                            em_path_kind(st.st_mode), where),
                "see what the Dockerfile copies there (COPY x y/ makes a folder y), and what is "
                "mounted");
        return;
    }
    error = em_path_access(path, R_OK);
    if (error)
        refused("file", path, where, "read", &st, error, errs);
}

void em_require_dir(const char *path, const char *where, struct em_errs *errs)
{
    struct stat st;
    int error;

    if (!exists("dir", path, where, &st, errs))
        return;
    if (!S_ISDIR(st.st_mode)) {
        em_hint(
            em_errs_add(errs, EM_EXIT_REQUIREMENT, "dir %s: is %s, not a directory (%s)", path,
                        em_path_kind(st.st_mode), where),
            "see what the Dockerfile copies there (COPY x y makes a file y), and what is mounted");
        return;
    }
    error = em_path_access(path, X_OK);
    if (error)
        refused("dir", path, where, "entered", &st, error, errs);
}

void em_require_writable(const char *path, const char *where, struct em_errs *errs)
{
    struct stat st;
    int error;

    if (!exists("writable", path, where, &st, errs))
        return;
    /* To create a file a directory must be written and entered. */
    error = em_path_access(path, S_ISDIR(st.st_mode) ? W_OK | X_OK : W_OK);
    if (error)
        refused("writable", path, where, "written", &st, error, errs);
}
