#include "embark/os/exec/find.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/core/base/nearest.h"
#include "embark/os/files/files.h"
#include "embark/os/loop/refused.h"

/* The next element of a PATH, as "DIR/"; an empty one is the working directory: "". */
static bool next_dir(const char **path, struct em_str *dir)
{
    size_t n;

    if (!*path)
        return false;
    n = strcspn(*path, ":");
    em_str_cut(dir, 0);
    em_str_add(dir, *path, n);
    if (n && !em_ends(em_str_c(dir), "/"))
        em_str_putc(dir, '/');
    *path = (*path)[n] ? *path + n + 1 : NULL;
    return true;
}

static bool is_file(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        em_refusal(errno);
        return false;
    }
    return S_ISREG(st.st_mode);
}

static bool is_executable(const char *path)
{
    return is_file(path) && em_path_access(path, X_OK) == 0;
}

/* ---- What the name may have been meant for
 * --------------------------------------------------------------------------- */

/* Programs are often outside of PATH because PATH was not set after they were put there. */
static bool hint_elsewhere(const char *name, struct em_err *err)
{
    static const char *const places[] = {
        "./",
        "bin/",
        ".venv/bin/",
        "venv/bin/",
        "/venv/bin/",
        "/opt/venv/bin/",
        "/app/.venv/bin/",
        "/app/venv/bin/",
        "/sbin/",
        "/usr/sbin/",
        "/usr/local/bin/",
        "/usr/local/sbin/",
        "/usr/bin/",
        "/bin/",
        "/root/.local/bin/",
        "node_modules/.bin/",
        "/app/node_modules/.bin/",
    };

    for (size_t i = 0; i < EM_COUNT(places); i++) {
        EM_STR_AUTO path = EM_STR_INIT;

        em_str_printf(&path, "%s%s", places[i], name);
        if (!is_executable(em_str_c(&path)))
            continue;
        if (i == 0)
            em_hint(err, "the working directory holds it, which is not in PATH: write ./%s", name);
        else
            em_hint(err, "%s exists: add its folder to PATH (ENV PATH=…), or give the whole path",
                    em_str_c(&path));
        return true;
    }
    return false;
}

/* CMD ["uvicorn app:app"] is one word to exec. */
static bool hint_one_word(const char *name, const char *path, struct em_err *err)
{
    EM_STR_AUTO first = EM_STR_INIT;
    EM_STR_AUTO found = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    size_t n = strcspn(name, " \t");

    if (name[n] == '\0')
        return false;
    em_str_add(&first, name, n);
    if (n == 0 || em_exec_find(em_str_c(&first), path, &found, &ignored) != 0)
        return false;
    em_hint(err,
            "this is one word: give program and arguments as words of their own, as in [\"%s\", …]",
            em_str_c(&first));
    return true;
}

static bool hint_builtin(const char *name, struct em_err *err)
{
    static const char *const builtins[] = {"cd",    "source", "export", "exec",  "set",  "ulimit",
                                           "umask", "trap",   "eval",   "alias", "wait", ".",
                                           "unset", "if",     "for",    "while", "until"};

    for (size_t i = 0; i < EM_COUNT(builtins); i++)
        if (strcmp(name, builtins[i]) == 0) {
            em_hint(err, "%s is a shell's own word: run it as sh -c '%s …'", name, name);
            return true;
        }
    if (strchr(name, '=')) {
        em_hint(err, "a variable in front of a command is a shell's: use env %s …, or sh -c", name);
        return true;
    }
    return false;
}

/* "python" for which only "python3" is there, and slips of the finger. */
static void hint_look_alike(const char *name, const char *path, struct em_err *err)
{
    EM_STR_AUTO dir = EM_STR_INIT;
    EM_STR_AUTO best = EM_STR_INIT;
    size_t length = strlen(name), least = length < 3 ? 1 : length < 8 ? 2 : 3;

    while (next_dir(&path, &dir)) {
        DIR *stream = em_dir_open(dir.len ? em_str_c(&dir) : ".");
        struct dirent *entry;

        while (stream && (entry = readdir(stream))) {
            EM_STR_AUTO file = EM_STR_INIT;
            size_t distance = em_distance(name, entry->d_name);

            if (distance >= least)
                continue;
            em_str_printf(&file, "%s%s", em_str_c(&dir), entry->d_name);
            if (!is_executable(em_str_c(&file)))
                continue;
            least = distance;
            em_str_cut(&best, 0);
            em_str_puts(&best, em_str_c(&file));
        }
        if (stream)
            closedir(stream);
    }
    if (best.len)
        em_hint(err, "did you mean %s?", em_str_c(&best));
}

/* ---- Finding
 * ---------------------------------------------------------------------------------------------------------
 */

static int not_found(const char *name, const char *path, bool path_set, struct em_err *err)
{
    em_fail(err, EM_EXIT_NOT_FOUND, "%s: not found in PATH (%s%s)", name, path,
            path_set ? "" : "; PATH is not set");
    em_hint(err, "install it in the image, or add its folder to PATH (ENV PATH=…)");
    if (!hint_one_word(name, path, err) && !hint_builtin(name, err) && !hint_elsewhere(name, err))
        hint_look_alike(name, path, err);
    return EM_EXIT_NOT_FOUND;
}

int em_exec_find(const char *name, const char *path, struct em_str *found, struct em_err *err)
{
    EM_STR_AUTO dir = EM_STR_INIT;
    EM_STR_AUTO refused = EM_STR_INIT;
    const char *rest = path ? path : EM_EXEC_DEFAULT_PATH;

    em_str_cut(found, 0);
    if (name[0] == '\0')
        return em_fail(err, EM_EXIT_NOT_FOUND, "the command's name is empty");
    if (strchr(name, '/')) {
        em_str_puts(found, name);
        return 0;
    }
    while (next_dir(&rest, &dir)) {
        em_str_puts(&dir, name);
        if (is_executable(em_str_c(&dir))) {
            em_str_puts(found, em_str_c(&dir));
            return 0;
        }
        /* execvp goes on after EACCES, and says it if there is nothing better */
        if (!refused.len && is_file(em_str_c(&dir)))
            em_str_puts(&refused, em_str_c(&dir));
    }
    if (refused.len && em_exec_check(em_str_c(&refused), err) != 0)
        return err->code = EM_EXIT_NOT_EXECUTABLE;
    return not_found(name, path ? path : EM_EXEC_DEFAULT_PATH, path != NULL, err);
}

/* ---- After execve
 * ----------------------------------------------------------------------------------------------------
 */

/* A megabyte in one variable is the usual cause, and nothing else names it. */
static int too_big(const char *name, struct em_err *err)
{
    size_t total = 0, count = 0, largest = 0;
    const char *worst = NULL;

    for (char **e = environ; e && *e; e++) {
        size_t n = strlen(*e) + 1;

        total += n;
        count++;
        if (n > largest) {
            largest = n;
            worst = *e;
        }
    }
    em_fail(err, EM_EXIT_SYSTEM,
            "%s: arguments and environment are larger than the system allows; the environment has "
            "%zu bytes in "
            "%zu variables",
            name, total, count);
    if (worst && largest > 65536)
        em_hint(err, "%.*s alone has %zu bytes (one string may have 131072)",
                (int)strcspn(worst, "="), worst, largest);
    return EM_EXIT_SYSTEM;
}

int em_exec_explain(const char *name, const char *file, int error, struct em_err *err)
{
    int code;

    switch (error) {
    case E2BIG:
        return too_big(name, err);
    case ENOMEM:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
        return em_fail(err, EM_EXIT_SYSTEM, "%s: can't be executed: %s", file, em_why(error));
    case ETXTBSY:
        return em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s: can't be executed: it is being written to",
                       file);
    default:
        break;
    }
    code = em_exec_check(file, err);
    if (code)
        return code;
    /* Nothing was found by looking: seccomp, an LSM, a limit, or a file that may be executed but
     * not read. */
    code = error == ENOENT || error == ENOTDIR ? EM_EXIT_NOT_FOUND : EM_EXIT_NOT_EXECUTABLE;
    em_fail(err, code, "%s: can't be executed: %s", file, em_why(error));
    if (error == EPERM || error == EACCES)
        em_hint(
            err,
            "the file's mode allows it: look for a security profile (seccomp, AppArmor, SELinux), "
            "or no-new-privileges with a set-uid file");
    return code;
}
