#include "embark/stages/migrate/files/own_sql.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embark/core/sql/variables.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/stages/sql/check.h"

bool em_sql_migrations_any(const struct em_config *config)
{
    return config->migrate_sql && *config->migrate_sql;
}

/* How far folders are gone into, and how many names are read: more are no migrations. */
enum { DEEPEST = 8, MOST_NAMES = 20000 };

static bool is_folder(const char *path, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A folder below the first one that can't be read is an error, too. */
static int add_names(const char *folder, const char *below, int depth, struct em_list *names,
                     struct em_err *err)
{
    EM_STR_AUTO here = EM_STR_INIT;
    em_str_printf(&here, "%s%s%s", folder, *below ? "/" : "", below);
    DIR *dir = em_dir_open(em_str_c(&here));
    int code = 0;
    if (!dir)
        return em_fail_errno(err, EM_EXIT_CONFIG, "[migrate] sql = %s", em_str_c(&here));
    for (struct dirent *entry = readdir(dir); entry && code == 0; entry = readdir(dir)) {
        EM_STR_AUTO name = EM_STR_INIT;
        EM_STR_AUTO path = EM_STR_INIT;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "node_modules") == 0)
            continue;
        em_str_printf(&name, "%s%s%s", below, *below ? "/" : "", entry->d_name);
        em_str_printf(&path, "%s/%s", folder, em_str_c(&name));
        if (names->n >= MOST_NAMES)
            code = em_fail(err, EM_EXIT_CONFIG, "[migrate] sql = %s holds more than %d files",
                           folder, MOST_NAMES);
        /* A folder called so is a mistake, which reading it will tell. */
        else if (em_ends(entry->d_name, ".sql") || !is_folder(em_str_c(&path), entry))
            em_list_add(names, em_str_c(&name));
        else if (depth < DEEPEST)
            code = add_names(folder, em_str_c(&name), depth + 1, names, err);
    }
    closedir(dir);
    return code;
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* Of a placeholder, which may be a password. */
static const char *variable(void *ctx, const char *name)
{
    const char *value = getenv(name);
    (void)ctx;
    if (value && em_sql_vars_secret(name))
        em_secrets_add(em_log_secrets(), value);
    return value;
}

static void load(struct em_sql_tree *tree)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    for (size_t i = 0; i < tree->n; i++)
        if (em_sql_load(tree->v[i].path, &tree->v[i].text, &err) != 0)
            em_errs_take(&tree->errs, &err);
    if (tree->sum_path && em_sql_load(tree->sum_path, &tree->sum, &err) != 0)
        em_errs_take(&tree->errs, &err);
}

void em_sql_folder_look(const struct em_config *config, struct em_sql_tree *tree)
{
    EM_LIST_AUTO names = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    tree->folder = config->migrate_sql;
    tree->format = (enum em_sql_format)config->migrate_format;
    tree->variable = variable;
    int code = add_names(config->migrate_sql, "", 0, &names, &err);
    if (code == 0 && names.n)
        qsort(names.v, names.n, sizeof *names.v, by_name);
    em_sql_tree_names(tree, &names);
    if (code == 0 && !tree->n && !tree->errs.n)
        code = em_fail(&err, EM_EXIT_CONFIG, "[migrate] sql = %s holds no .sql file",
                       config->migrate_sql);
    if (code) {
        em_hint(&err, "the migrations may not have been copied into the image");
        em_errs_take(&tree->errs, &err);
        return;
    }
    load(tree);
    em_sql_tree_judge(tree);
}

/* A copy: the list is the tree's. */
static int first_of(const struct em_errs *errs, struct em_err *err)
{
    if (!errs->n)
        return 0;
    em_fail(err, errs->v[0].code, "%s", em_str_c(&errs->v[0].text));
    if (errs->v[0].hint.len)
        em_hint(err, "%s", em_str_c(&errs->v[0].hint));
    return err->code;
}

int em_sql_folder_read(const struct em_config *config, struct em_sql_tree *tree, struct em_err *err)
{
    em_sql_folder_look(config, tree);
    em_sql_tree_cut(tree);
    int code = first_of(&tree->errs, err);
    return code ? code : first_of(&tree->unset, err);
}
