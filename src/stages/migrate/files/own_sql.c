#include "embark/stages/migrate/files/own_sql.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

bool em_sql_migrations_any(const struct em_config *config)
{
    return config->migrate_sql && *config->migrate_sql;
}

/* Leading zeros don't count: 7_a.sql and 007_b.sql are the same number. */
static unsigned long long number_of(const char *path)
{
    return strtoull(em_base_name(path), NULL, 10);
}

static int by_number(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    unsigned long long x = number_of(*left), y = number_of(*right);
    return x < y ? -1 : x > y ? 1 : strcmp(*left, *right);
}

static int check_numbers(const struct em_list *paths, struct em_err *err)
{
    for (size_t i = 0; i < paths->n; i++) {
        if (!isdigit((unsigned char)em_base_name(paths->v[i])[0]))
            return em_fail(err, EM_EXIT_CONFIG,
                           "%s: a migration's name starts with its number: NNN_name.sql",
                           paths->v[i]);
        if (i && number_of(paths->v[i]) == number_of(paths->v[i - 1]))
            return em_fail(err, EM_EXIT_CONFIG, "%s and %s have the same number", paths->v[i - 1],
                           paths->v[i]);
    }
    return 0;
}

int em_sql_migrations_list(const struct em_config *config, struct em_list *paths,
                           struct em_err *err)
{
    DIR *dir = opendir(config->migrate_sql);
    if (!dir) {
        em_fail_errno(err, EM_EXIT_CONFIG, "[migrate] sql = %s", config->migrate_sql);
        em_hint(err, "the migrations may not have been copied into the image");
        return EM_EXIT_CONFIG;
    }
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        EM_STR_AUTO path = EM_STR_INIT;
        if (entry->d_name[0] == '.' || !em_ends(entry->d_name, ".sql"))
            continue;
        em_str_printf(&path, "%s/%s", config->migrate_sql, entry->d_name);
        em_list_add(paths, em_str_c(&path));
    }
    closedir(dir);
    if (!paths->n) {
        em_fail(err, EM_EXIT_CONFIG, "[migrate] sql = %s holds no .sql file", config->migrate_sql);
        em_hint(err, "the migrations may not have been copied into the image");
        return EM_EXIT_CONFIG;
    }
    qsort(paths->v, paths->n, sizeof *paths->v, by_number);
    return check_numbers(paths, err);
}
