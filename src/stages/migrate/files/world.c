#include "embark/stages/migrate/files/world.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/os/exec/find.h"
#include "embark/os/files/files.h"

/* A configuration file that is larger is none. */
enum { FILE_LIMIT = 4 * 1024 * 1024 };

static const char *world_env(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void world_variables(void *ctx, const char *prefix, struct em_list *out)
{
    size_t before = out->n;
    (void)ctx;
    for (char **e = environ; *e; e++)
        if (em_starts(*e, prefix))
            em_list_add(out, *e);
    if (out->n > before)
        qsort(out->v + before, out->n - before, sizeof *out->v, by_name);
}

static enum em_tool_kind world_kind(void *ctx, const char *path)
{
    struct stat st;
    (void)ctx;
    if (stat(path, &st) != 0)
        return EM_TOOL_NOTHING;
    return S_ISDIR(st.st_mode) ? EM_TOOL_FOLDER : EM_TOOL_FILE;
}

/* A program that is no script is not read to its end for that. */
static bool begins_as_no_text(const char *path)
{
    char head[128];
    size_t length;
    return em_file_head(path, head, sizeof head, &length) && memchr(head, '\0', length);
}

static bool world_read(void *ctx, const char *path, struct em_str *out, struct em_str *why)
{
    size_t before = out->len;
    (void)ctx;
    if (begins_as_no_text(path)) {
        em_str_puts(why, "it is no text");
        return false;
    }
    if (!em_file_read(path, FILE_LIMIT, out, why))
        return false;
    if (memchr(em_str_c(out) + before, '\0', out->len - before)) {
        em_str_puts(why, "it is no text");
        em_str_cut(out, before);
        return false;
    }
    return true;
}

static bool world_names(void *ctx, const char *folder, struct em_list *names)
{
    DIR *dir = em_dir_open(folder);
    (void)ctx;
    if (!dir)
        return false;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            em_list_add(names, entry->d_name);
    closedir(dir);
    if (names->n)
        qsort(names->v, names->n, sizeof *names->v, by_name);
    return true;
}

static bool world_python(void *ctx, struct em_list *folders, struct em_str *why)
{
    return em_python_folders(ctx, folders, why);
}

static bool world_program(void *ctx, const char *name, struct em_str *path)
{
    EM_STR_AUTO found = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)ctx;
    if (em_exec_find(name, getenv("PATH"), &found, &err) != 0)
        return false;
    EM_FREE char *real = realpath(em_str_c(&found), NULL);
    em_str_puts(path, real ? real : "");
    return real != NULL;
}

void em_migration_search(const struct em_config *config, struct em_tool_search *s)
{
    const struct em_tool_world world = {
        world_env,    world_kind,      world_read,    world_names,
        world_python, world_variables, world_program, (void *)(uintptr_t)config};
    s->world = &world;
    em_tool_search(s, &config->migrate_command);
    s->world = NULL;
}
