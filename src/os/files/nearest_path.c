/* em_path_nearest() of files.h. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/base/nearest.h"
#include "embark/os/files/files.h"

enum {
    NAMES_LOOKED_AT = 10000, /* a directory of a million files doesn't hold up a message */
    NAMES_SAID = 4,
    LINKS_MAX = 40, /* as the kernel */
};

/* False: relative to a directory that is gone. */
static bool absolute(const char *path, struct em_str *out)
{
    char cwd[4096];

    if (path[0] != '/') {
        if (!getcwd(cwd, sizeof(cwd)))
            return false;
        em_str_puts(out, cwd);
        if (!em_ends(cwd, "/"))
            em_str_putc(out, '/');
    }
    while (em_starts(path, "./"))
        path += 2 + strspn(path + 2, "/");
    em_str_puts(out, path);
    while (out->len > 1 && em_ends(em_str_c(out), "/"))
        em_str_cut(out, out->len - 1);
    return true;
}

/* The end of the path component that begins behind `at`: "/app" is 4 for "/app/public" and 0. */
static size_t next_end(const char *path, size_t at)
{
    at += strspn(path + at, "/");
    return at + strcspn(path + at, "/");
}

/* What a link holds. False: it is none, or can't be read. */
static bool read_link(const char *path, struct em_str *target)
{
    char bytes[4096];
    ssize_t n = readlink(path, bytes, sizeof(bytes));

    em_str_cut(target, 0);
    if (n > 0)
        em_str_add(target, bytes, (size_t)n);
    return n > 0;
}

/* Where a chain of links ends: `link` becomes what its last one holds, as seen from its folder. */
static void follow_links(struct em_str *link)
{
    EM_STR_AUTO target = EM_STR_INIT;

    for (int i = 0; i < LINKS_MAX && read_link(em_str_c(link), &target); i++) {
        const char *slash = em_base_name(em_str_c(link));

        em_str_cut(link, em_str_c(&target)[0] == '/' ? 0 : (size_t)(slash - em_str_c(link)));
        em_str_puts(link, em_str_c(&target));
    }
}

static void say_link(const char *path, struct em_str *out)
{
    EM_STR_AUTO target = EM_STR_INIT;
    EM_STR_AUTO first = EM_STR_INIT;
    EM_STR_AUTO end = EM_STR_INIT;
    struct stat st;
    int reason;

    if (!read_link(path, &target))
        return;
    reason = stat(path, &st) != 0 ? errno : 0;
    em_str_printf(out, "%s is a symbolic link to %s, ", path, em_str_c(&target));
    em_str_puts(&end, path);
    if (reason == ENOENT)
        follow_links(&end);
    em_str_add(&first, path, (size_t)(em_base_name(path) - path));
    if (em_str_c(&target)[0] == '/')
        em_str_cut(&first, 0);
    em_str_puts(&first, em_str_c(&target));
    if (reason == ENOENT && strcmp(em_str_c(&first), em_str_c(&end)) != 0)
        em_str_printf(out, "and that leads to %s, ", em_str_c(&end));
    em_str_printf(out, "which %s",
                  reason == ELOOP    ? "leads back to itself"
                  : reason == EACCES ? "we may not look at"
                                     : "does not exist");
}

/* "public /" is told from "public/" only in quotes. */
static void say_name(const char *name, bool is_dir, struct em_str *out)
{
    const char *quote = strpbrk(name, " \t\r\n,") ? "\"" : "";

    em_str_printf(out, "%s%s%s%s", quote, name, is_dir ? "/" : "", quote);
}

static bool is_directory(const char *dir, const struct dirent *entry)
{
    EM_STR_AUTO path = EM_STR_INIT;
    struct stat st;

    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    em_str_printf(&path, "%s/%s", dir, entry->d_name);
    return stat(em_str_c(&path), &st) == 0 && S_ISDIR(st.st_mode);
}

/* One letter in a short name, two in a long one; another case and - for _ are none. */
static bool alike(const char *a, const char *b)
{
    size_t length = strlen(a), distance = em_distance(a, b);

    return distance == 0 || (length >= 3 && distance == 1) || (length >= 8 && distance == 2);
}

struct names {
    struct em_str alike, all;
    size_t alike_count, all_count;
};

static void add_name(const char *name, bool is_dir, size_t count, struct em_str *out)
{
    if (count >= NAMES_SAID)
        return;
    if (count)
        em_str_puts(out, ", ");
    say_name(name, is_dir, out);
}

static void look_around(const char *dir, const char *missing, struct names *names)
{
    DIR *stream = em_dir_open(dir);
    struct dirent *entry;

    while (stream && names->all_count < NAMES_LOOKED_AT && (entry = readdir(stream))) {
        bool is_dir;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        is_dir = names->all_count < NAMES_SAID || alike(missing, entry->d_name)
                     ? is_directory(dir, entry)
                     : false;
        add_name(entry->d_name, is_dir, names->all_count++, &names->all);
        if (alike(missing, entry->d_name))
            add_name(entry->d_name, is_dir, names->alike_count++, &names->alike);
    }
    if (stream)
        closedir(stream);
    else
        names->all_count = NAMES_LOOKED_AT; /* not known to be empty */
}

/* `parent` exists, `missing` doesn't in it. */
static void say_parent(const char *parent, const char *missing, struct em_str *out)
{
    struct names names = {0};

    if (em_path_access(parent, X_OK) != 0) {
        em_str_printf(out, "%s can't be entered by uid %u", parent, (unsigned)geteuid());
        return;
    }
    look_around(parent, missing, &names);
    em_str_printf(out, "the nearest existing parent is %s", parent);
    if (names.alike_count)
        em_str_printf(out, ", which holds %s", em_str_c(&names.alike));
    else if (names.all_count == 0)
        em_str_puts(out, ", which is empty");
    else if (names.all_count <= NAMES_SAID)
        em_str_printf(out, ", which holds only %s", em_str_c(&names.all));
    em_str_free(&names.alike);
    em_str_free(&names.all);
}

void em_path_nearest(const char *path, struct em_str *out)
{
    EM_STR_AUTO whole = EM_STR_INIT;
    EM_STR_AUTO prefix = EM_STR_INIT;
    size_t at = 0;

    if (!absolute(path, &whole)) {
        em_str_puts(out, "the working directory does not exist any more");
        return;
    }
    em_str_puts(&prefix, "/");
    while (at < whole.len) {
        EM_STR_AUTO parent = EM_STR_INIT;
        size_t start = at + strspn(em_str_c(&whole) + at, "/");
        struct stat st;

        em_str_puts(&parent, em_str_c(&prefix));
        at = next_end(em_str_c(&whole), at);
        if (at == start)
            return; /* the root itself */
        em_str_cut(&prefix, 0);
        em_str_add(&prefix, em_str_c(&whole), at);
        if (lstat(em_str_c(&prefix), &st) != 0) {
            say_parent(em_str_c(&parent), em_str_c(&prefix) + start, out);
            return;
        }
        if (S_ISLNK(st.st_mode) && stat(em_str_c(&prefix), &st) != 0) {
            say_link(em_str_c(&prefix), out);
            return;
        }
        if (!S_ISDIR(st.st_mode) && at < whole.len) {
            em_str_printf(out, "%s is %s, not a directory", em_str_c(&prefix),
                          em_path_kind(st.st_mode));
            return;
        }
    }
}

const char *em_path_nearest_hint(const struct em_str *nearest, const char *otherwise)
{
    const char *link = strstr(em_str_c(nearest), " is a symbolic link to ");

    return link && em_ends(link, ", which does not exist")
               ? "a link is copied as it is: COPY what it points to as well, to the same path"
               : otherwise;
}
