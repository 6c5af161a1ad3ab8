#include "embark/stages/migration_files.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "embark/core/tool.h"
#include "embark/os/files.h"
#include "embark/stages/sql_migrations.h"

/* A migration's file that is larger is data: it isn't read into memory for a digest. */
#define FILE_LIMIT  ((size_t)64 * 1024 * 1024)
#define DEPTH_LIMIT 16

static bool is_left_out(const char *name)
{
    return name[0] == '.' || strcmp(name, "__pycache__") == 0 || strcmp(name, "__init__.py") == 0 ||
           em_ends(name, ".pyc");
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int add_path(const char *path, int depth, struct em_filelist *files, struct em_err *err);

static int add_folder(const char *path, int depth, struct em_filelist *files, struct em_err *err)
{
    int code = 0;
    if (depth > DEPTH_LIMIT)
        return em_fail(err, EM_EXIT_CONFIG, "%s: folders nested too deep (a loop of links?)", path);
    DIR *dir = opendir(path);
    if (!dir)
        return em_fail_errno(err, EM_EXIT_CONFIG, "can't read the migration folder %s", path);
    for (struct dirent *entry = readdir(dir); entry && code == 0; entry = readdir(dir)) {
        EM_STR_AUTO inner = EM_STR_INIT;
        if (is_left_out(entry->d_name))
            continue;
        em_str_printf(&inner, "%s/%s", path, entry->d_name);
        code = add_path(em_str_c(&inner), depth + 1, files, err);
    }
    closedir(dir);
    return code;
}

static int add_file(const char *path, struct em_filelist *files, struct em_err *err)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    if (!em_file_read(path, FILE_LIMIT, &bytes, &why))
        return em_fail(err, EM_EXIT_CONFIG, "can't read the migration file %s: %s", path,
                       em_str_c(&why));
    /* The same file has the same name however the pattern was written. */
    while (em_starts(path, "./"))
        path += 2;
    em_filelist_add(files, path, em_str_c(&bytes), bytes.len);
    return 0;
}

static int add_path(const char *path, int depth, struct em_filelist *files, struct em_err *err)
{
    struct stat st;
    if (is_left_out(last_component(path)))
        return 0;
    if (stat(path, &st) != 0)
        return em_fail_errno(err, EM_EXIT_CONFIG, "can't look at the migration file %s", path);
    if (S_ISDIR(st.st_mode))
        return add_folder(path, depth, files, err);
    return S_ISREG(st.st_mode) ? add_file(path, files, err) : 0;
}

static int add_pattern(const char *pattern, struct em_filelist *files, size_t *matches,
                       struct em_err *err)
{
    glob_t found;
    int code = 0;
    *matches = 0;
    int result = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (result == GLOB_NOMATCH)
        return 0;
    if (result != 0)
        return em_fail(err, EM_EXIT_SYSTEM, "can't look for %s", pattern);
    *matches = found.gl_pathc;
    for (size_t i = 0; i < found.gl_pathc && code == 0; i++)
        code = add_path(found.gl_pathv[i], 0, files, err);
    globfree(&found);
    return code;
}

static int add_configured(const struct em_items *patterns, struct em_filelist *files,
                          struct em_err *err)
{
    for (size_t i = 0; i < patterns->n; i++) {
        size_t matches;
        int code = add_pattern(patterns->v[i], files, &matches, err);
        if (code == 0 && !matches) {
            code = em_fail(err, EM_EXIT_CONFIG, "%s: [migrate] files = %s matches nothing",
                           patterns->where[i], patterns->v[i]);
            em_hint(err, "the migrations may not have been copied into the image; patterns are "
                         "relative to the working directory");
        }
        if (code)
            return code;
    }
    return 0;
}

/* The folder of `file`, "." for a bare name. */
static void folder_of(const char *file, struct em_str *out)
{
    const char *slash = strrchr(file, '/');
    if (slash)
        em_str_add(out, file, slash == file ? 1 : (size_t)(slash - file));
    else
        em_str_putc(out, '.');
}

static void alembic_patterns(const struct em_config *config, struct em_list *patterns)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_STR_AUTO here = EM_STR_INIT;
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    em_tool_alembic_file(&config->migrate_command, &file);
    folder_of(em_str_c(&file), &here);
    if (em_file_read(em_str_c(&file), 1024 * 1024, &bytes, &why))
        em_tool_alembic(em_str_c(&bytes), bytes.len, em_str_c(&here), patterns);
}

static int add_sql(const struct em_config *config, struct em_filelist *files, struct em_err *err)
{
    EM_LIST_AUTO paths = EM_LIST_INIT;
    int code = em_sql_migrations_list(config, &paths, err);
    for (size_t i = 0; i < paths.n && code == 0; i++)
        code = add_file(paths.v[i], files, err);
    return code;
}

void em_migration_files_free(struct em_migration_files *files)
{
    em_filelist_free(&files->list);
    em_str_free(&files->why);
    em_str_free(&files->hint);
    em_str_free(&files->table);
    em_str_free(&files->schema);
    em_str_free(&files->table_why);
    files->tool = NULL;
    files->complete = false;
}

/* What the command's tool is known to keep. */
static int add_inferred(const struct em_config *config, struct em_migration_files *files,
                        struct em_err *err)
{
    EM_LIST_AUTO patterns = EM_LIST_INIT;
    int code = 0;
    files->tool = em_tool_find(&config->migrate_command, &patterns);
    if (files->tool && strcmp(files->tool->name, "Alembic") == 0)
        alembic_patterns(config, &patterns);
    for (size_t i = 0; i < patterns.n && code == 0; i++) {
        size_t matches;
        code = add_pattern(patterns.v[i], &files->list, &matches, err);
    }
    return code;
}

int em_migration_files(const struct em_config *config, struct em_migration_files *files,
                       struct em_err *err)
{
    if (em_sql_migrations_any(config)) {
        files->complete = true;
        return add_sql(config, &files->list, err);
    }
    int code = add_inferred(config, files, err);
    if (code == 0 && config->migrate_files.n) {
        em_filelist_free(&files->list);
        files->complete = true;
        return add_configured(&config->migrate_files, &files->list, err);
    }
    return code;
}
