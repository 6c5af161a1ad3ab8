#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"
#include "embark/os/loop/refused.h"

/* A migration's file that is larger is data: it isn't read into memory for a digest. */
#define FILE_LIMIT ((size_t)64 * 1024 * 1024)
/* More names than any project has, beside its own data. */
enum { ENTRIES_MAX = 200000, FILES_MAX = 20000, DEPTH_MAX = 64 };

/* What installed packages' migrations are called in the list. They come and go with the packages,
 * and are no reason to call an image older or newer: one name, whose digest changes. */
#define INSTALLED "installed packages/"

static void problem(struct em_migration_walk *walk, const char *path, const char *why)
{
    if (!walk->why->len)
        em_str_printf(walk->why, "%s: %s", path, why);
}

static bool looks_for_apps(const struct em_migration_walk *walk)
{
    return walk->depth == EM_TOOL_APPS || walk->depth == EM_TOOL_INSTALLED;
}

/* What is no tool's: folders of version control, and what editors and systems leave behind.
 * Alembic, among others, takes a file whose name begins with a dot like any other. Django takes a
 * folder without __init__.py for no package. */
static bool is_left_out(const struct em_migration_walk *walk, const char *name)
{
    static const char *const nobodys[] = {".",          "..",       ".git",  ".svn",     ".hg",
                                          ".gitignore", ".gitkeep", ".keep", ".DS_Store"};
    for (size_t i = 0; i < sizeof nobodys / sizeof *nobodys; i++)
        if (strcmp(name, nobodys[i]) == 0)
            return true;
    if (em_starts(name, ".#") || em_starts(name, "._"))
        return true;
    if (strcmp(name, "__pycache__") == 0)
        return !walk->compiled;
    return strcmp(name, "__init__.py") == 0 && !looks_for_apps(walk);
}

/* A module that Python would import as one of an app's migrations. */
static bool is_module(const char *name)
{
    return em_ends(name, ".py") || em_ends(name, ".pyc") || em_ends(name, ".so");
}

/* Whether one more file is read. */
static bool goes_on(struct em_migration_walk *walk, const char *path)
{
    if (walk->files_read++ % 64 == 0)
        em_wait(NULL, 0, em_now());
    if (em_loop_stopped()) {
        problem(walk, path, "not read: a signal asks to end");
        return false;
    }
    if (walk->files->n + walk->installed.n < FILES_MAX)
        return true;
    problem(walk, path, "not read: that would be more than 20000 files");
    return false;
}

static void add_file(struct em_migration_walk *walk, const char *path)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    if (!goes_on(walk, path))
        return;
    if (!em_file_read(path, FILE_LIMIT, &bytes, &why)) {
        problem(walk, path, em_str_c(&why));
        return;
    }
    if (walk->depth == EM_TOOL_INSTALLED) {
        em_filelist_add(&walk->installed, path + walk->root, em_str_c(&bytes), bytes.len);
        return;
    }
    /* The same file has the same name however the place was written. */
    while (em_starts(path, "./"))
        path += 2;
    em_filelist_add(walk->files, path, em_str_c(&bytes), bytes.len);
}

/* Folders that hold no modules of a project, or are read as installed packages. */
static bool holds_no_apps(const struct em_migration_walk *walk, const char *name)
{
    return em_ends(name, ".dist-info") || em_ends(name, ".egg-info") || em_ends(name, ".libs") ||
           strcmp(name, "node_modules") == 0 || name[0] == '.' ||
           (walk->depth == EM_TOOL_APPS &&
            (strcmp(name, "site-packages") == 0 || strcmp(name, "dist-packages") == 0));
}

static void add_folder(struct em_migration_walk *walk, const char *path, const struct stat *st);

static void add_entry(struct em_migration_walk *walk, const char *path, const char *name,
                      unsigned char type, bool here)
{
    struct stat st;
    bool apps = looks_for_apps(walk);
    if (apps && type == DT_REG && (!here || !is_module(name)))
        return;
    if (stat(path, &st) != 0) {
        if (!apps) /* a link to nowhere is no app */
            problem(walk, path, em_why(errno));
    } else if (S_ISDIR(st.st_mode)) {
        if (walk->depth != EM_TOOL_FLAT && !(apps && holds_no_apps(walk, name)))
            add_folder(walk, path, &st);
        else if (walk->depth == EM_TOOL_FLAT && strcmp(name, "__pycache__") == 0)
            add_folder(walk, path, &st);
    } else if (S_ISREG(st.st_mode) && (!apps || (here && is_module(name))) &&
               (walk->all || em_tool_wants(walk->tool, name))) {
        add_file(walk, path);
    }
}

static bool enter(struct em_migration_walk *walk, const char *path, const struct stat *st)
{
    bool apps = looks_for_apps(walk);
    for (size_t i = 0; i < walk->levels; i++)
        if (walk->above[i].device == st->st_dev && walk->above[i].inode == st->st_ino) {
            if (!apps) /* all that is there is being read */
                problem(walk, path, "a loop of links");
            return false;
        }
    if (walk->levels >= DEPTH_MAX) {
        problem(walk, path, "folders are nested too deep");
        return false;
    }
    walk->above = em_realloc(walk->above, walk->levels + 1, sizeof *walk->above);
    walk->above[walk->levels++] = (struct em_ancestor){st->st_dev, st->st_ino};
    return true;
}

static void add_folder(struct em_migration_walk *walk, const char *path, const struct stat *st)
{
    if (!enter(walk, path, st))
        return;
    bool here = strcmp(em_base_name(path), "migrations") == 0;
    DIR *dir = em_dir_open(path);
    if (!dir)
        problem(walk, path, em_why(errno));
    errno = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL; errno = 0) {
        EM_STR_AUTO inner = EM_STR_INIT;
        if (++walk->entries > ENTRIES_MAX) {
            problem(walk, path, "there are too many files to read them all");
            break;
        }
        if (is_left_out(walk, entry->d_name))
            continue;
        em_str_printf(&inner, "%s%s%s", path, em_ends(path, "/") ? "" : "/", entry->d_name);
        add_entry(walk, em_str_c(&inner), entry->d_name, entry->d_type, here);
    }
    if (dir && errno)
        problem(walk, path, em_why(errno));
    if (dir)
        closedir(dir);
    walk->levels--;
}

/* A folder of modules within the working directory is read with it. */
static bool is_read_already(const char *path)
{
    EM_FREE char *real = realpath(path, NULL), *cwd = realpath(".", NULL);
    size_t length = cwd ? strlen(cwd) : 0;
    return real && cwd && strncmp(real, cwd, length) == 0 &&
           (real[length] == '\0' || real[length] == '/') && !strstr(real, "-packages");
}

void em_migration_walk(struct em_migration_walk *walk, const struct em_tool_place *place)
{
    struct stat st;
    walk->depth = place->depth;
    walk->compiled = place->compiled;
    walk->root = strlen(place->path) + 1;
    if (place->depth == EM_TOOL_INSTALLED && is_read_already(place->path))
        return;
    if (stat(place->path, &st) != 0) {
        if (place->named || (errno != ENOENT && errno != ENOTDIR))
            problem(walk, place->path, errno == ENOENT ? "it does not exist" : em_why(errno));
    } else if (S_ISDIR(st.st_mode)) {
        add_folder(walk, place->path, &st);
    } else if (S_ISREG(st.st_mode)) {
        add_file(walk, place->path);
    }
}

void em_migration_walk_all(struct em_migration_walk *walk, const char *path)
{
    walk->all = true;
    if (!is_left_out(walk, em_base_name(path)) && !strstr(path, "__pycache__/")) {
        struct em_tool_place place = {em_strdup(path), EM_TOOL_DEEP, false, true};
        em_migration_walk(walk, &place);
        free(place.path);
    }
}

void em_migration_walk_end(struct em_migration_walk *walk)
{
    if (walk->installed.n) {
        EM_STR_AUTO text = EM_STR_INIT;
        em_filelist_print(&walk->installed, false, &text);
        em_filelist_add(walk->files, INSTALLED, em_str_c(&text), text.len);
    }
    em_filelist_free(&walk->installed);
    free(walk->above);
    walk->above = NULL;
}
