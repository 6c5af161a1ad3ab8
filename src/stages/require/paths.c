#include "paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "embark/core/base/tristate.h"
#include "embark/core/config/dir_rule.h"
#include "embark/core/linux/mountinfo.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/refused.h"

/* A host with thousands of containers has a long table, but not in a container. */
#define MOUNTINFO_MAX ((size_t)16 * 1024 * 1024)

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
                      missing ? "does not exist" : em_why(errno));
    em_path_nearest(path, &nearest);
    em_str_printf(&err->text, "%s%s (%s)", nearest.len ? "; " : "", em_str_c(&nearest), where);
    if (missing)
        em_hint(err, "%s",
                em_path_nearest_hint(&nearest, "COPY or make it in the image; see that "
                                               ".dockerignore doesn't leave it out"));
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
                      what, em_why(error), em_str_c(&owner), where);
    if (error == EPERM)
        em_hint(err, "the mode allows it: the file may be immutable (lsattr)");
    else
        em_hint(
            err,
            "COPY --chown=%u:%u it, chown it before USER in the Dockerfile, or for a volume give "
            "its owner's id with --user",
            (unsigned)geteuid(), (unsigned)getegid());
}

/* Whether something is mounted at the very path. `mount` is what it lies on, and is to be freed. */
static enum em_tristate find_mount(const char *path, struct em_mount *mount)
{
    EM_STR_AUTO table = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_FREE char *real = realpath(path, NULL);

    *mount = (struct em_mount){0};
    if (!real || !em_file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &table, &why) ||
        !em_mountinfo_find(em_str_c(&table), real, mount))
        return EM_UNKNOWN;
    return strcmp(mount->point, real) == 0 ? EM_YES : EM_NO;
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

/* ---- dir ------------------------------------------------------------------------------------- */

/* A mount over what the image holds there is the usual reason for an empty folder that isn't. */
static void hint_empty(const char *path, struct em_err *err)
{
    struct em_mount mount;

    if (find_mount(path, &mount) == EM_YES)
        em_hint(err, "%s (%s) is mounted there, and hides what the image holds at this path",
                mount.source, mount.type);
    else
        em_hint(err, "COPY into it, and see that .dockerignore doesn't leave its contents out");
    em_mount_free(&mount);
}

static void require_contents(const char *path, const char *where, const struct stat *st,
                             struct em_errs *errs)
{
    DIR *stream = em_dir_open(path);
    struct dirent *entry = NULL;

    if (!stream) {
        refused("dir", path, where, "listed", st, errno, errs);
        return;
    }
    while ((entry = readdir(stream)) &&
           (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)) {
    }
    closedir(stream);
    if (!entry)
        hint_empty(path,
                   em_errs_add(errs, EM_EXIT_REQUIREMENT, "dir %s: is empty (%s)", path, where));
}

static void require_free(const struct em_dir_rule *rule, const char *where, struct em_errs *errs)
{
    EM_STR_AUTO has = EM_STR_INIT;
    struct statvfs vfs;
    uint64_t free_bytes;

    if (statvfs(rule->path, &vfs) != 0)
        return; /* can't be told */
    free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    if (free_bytes >= rule->free)
        return;
    em_size_print(free_bytes, &has);
    em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT,
                        "dir %s: has %s free, of %s that are asked for (%s)", rule->path,
                        em_str_c(&has), rule->free_text, where),
            "make room on the volume or the host's disk (docker system df), or give it more");
}

static void require_dir(const struct em_dir_rule *rule, bool build_time, const char *where,
                        struct em_errs *errs)
{
    const char *path = rule->path;
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
    if (error) {
        refused("dir", path, where, "entered", &st, error, errs);
        return;
    }
    if (rule->not_empty)
        require_contents(path, where, &st, errs);
    if (rule->free && !build_time)
        require_free(rule, where, errs);
}

static void read_rule(const char *value, bool build_time, const char *where, struct em_errs *errs)
{
    struct em_dir_rule rule;
    EM_ERR_AUTO said = EM_ERR_INIT; /* by em_require_validate() */

    if (em_dir_rule_read(value, &rule, &said) == 0)
        require_dir(&rule, build_time, where, errs);
    em_dir_rule_free(&rule);
}

void em_require_dir(const char *value, const char *where, struct em_errs *errs)
{
    read_rule(value, false, where, errs);
}

void em_require_dir_of_image(const char *value, const char *where, struct em_errs *errs)
{
    read_rule(value, true, where, errs);
}

/* ---- mount ----------------------------------------------------------------------------------- */

void em_require_mount(const char *path, const char *where, struct em_errs *errs)
{
    struct em_mount mount;
    struct stat st;
    struct em_err *err;

    if (!exists("mount", path, where, &st, errs))
        return;
    switch (find_mount(path, &mount)) {
    case EM_NO:
        err = em_errs_add(errs, EM_EXIT_REQUIREMENT,
                          "mount %s: nothing is mounted there: it lies on %s (%s) (%s)", path,
                          mount.point, mount.type, where);
        em_hint(err,
                "mount a volume there, as what is written is lost with the container "
                "otherwise: docker run -v NAME:%s, volumes:, volumeMounts:",
                path);
        break;
    case EM_UNKNOWN:
        em_log(EM_LOG_WARN, "require", "mount %s: can't be told, as /proc is not mounted (%s)",
               path, where);
        break;
    case EM_YES:
        break;
    }
    em_mount_free(&mount);
}

/* ---- writable -------------------------------------------------------------------------------- */

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
