#include "embark/stages/migrate/files/files.h"

#include <glob.h>
#include <string.h>

#include "embark/core/tools/tools.h"
#include "embark/os/files/files.h"
#include "embark/stages/migrate/files/own_sql.h"
#include "embark/stages/migrate/files/world.h"
#include "walk.h"

void em_migration_files_free(struct em_migration_files *files)
{
    em_filelist_free(&files->list);
    em_list_free(&files->order);
    em_str_free(&files->why);
    em_str_free(&files->hint);
    em_str_free(&files->table);
    em_str_free(&files->schema);
    em_str_free(&files->table_why);
    em_str_free(&files->settings);
    files->tool = NULL;
    files->complete = false;
}

/* What else makes another run of it: only where it isn't the default, as runs of an older embark
 * have none of it. */
static void add_settings(const struct em_config *config, const struct em_sql_tree *tree,
                         struct em_migration_files *files)
{
    if (tree->told)
        em_list_add(&files->order, em_sql_format_tool(tree->format));
    if (config->migrate_keep_tool_table)
        em_list_add(&files->order, "keep_tool_table");
}

/* In the order in which they are applied, which is a part of what the run is. */
static int add_sql(const struct em_config *config, struct em_migration_files *files,
                   struct em_err *err)
{
    EM_SQL_TREE_AUTO tree = {0};
    em_sql_folder_look(config, &tree);
    if (tree.errs.n) {
        em_fail(err, tree.errs.v[0].code, "%s", em_str_c(&tree.errs.v[0].text));
        if (tree.errs.v[0].hint.len)
            em_hint(err, "%s", em_str_c(&tree.errs.v[0].hint));
        return err->code;
    }
    files->by_url_schema = tree.format == EM_SQL_PRISMA;
    add_settings(config, &tree, files);
    for (size_t i = 0; i < tree.n; i++) {
        const char *path = tree.v[i].path;
        em_list_add(&files->order, path);
        while (em_starts(path, "./"))
            path += 2;
        em_filelist_add_hash(&files->list, path, tree.v[i].hash);
    }
    return 0;
}

/* What the user names must be there, and readable. */
static int add_configured(const char *pattern, const char *where, struct em_filelist *files,
                          struct em_err *err)
{
    glob_t found;
    EM_STR_AUTO why = EM_STR_INIT;
    struct em_migration_walk walk = {.files = files, .why = &why};
    int result = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (result == GLOB_NOMATCH) {
        em_fail(err, EM_EXIT_CONFIG, "%s: [migrate] files = %s matches nothing", where, pattern);
        em_hint(err, "the migrations may not have been copied into the image; patterns are "
                     "relative to the working directory");
        return EM_EXIT_CONFIG;
    }
    if (result != 0)
        return em_fail(err, EM_EXIT_SYSTEM, "can't look for %s", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++)
        em_migration_walk_all(&walk, found.gl_pathv[i]);
    globfree(&found);
    em_migration_walk_end(&walk);
    return why.len
               ? em_fail(err, EM_EXIT_CONFIG, "can't read the migration file %s", em_str_c(&why))
               : 0;
}

/* What the command's tool is known to read. */
static void add_inferred(const struct em_tool_search *s, struct em_migration_files *files)
{
    struct em_migration_walk walk = {.files = &files->list, .tool = s->tool, .why = &files->why};
    em_str_puts(&files->why, em_str_c(&s->doubt));
    for (size_t i = 0; i < s->n; i++)
        em_migration_walk(&walk, &s->places[i]);
    em_migration_walk_end(&walk);
    if (!files->list.n && !files->why.len) {
        em_str_printf(&files->why, "there is no migration of %s", s->tool->name);
        for (size_t i = 0; i < s->n; i++)
            em_str_printf(&files->why, "%s%s", i ? ", " : " in ", s->places[i].path);
    }
    files->complete = !files->why.len;
    if (!files->complete)
        em_str_puts(&files->hint,
                    s->hint.len ? em_str_c(&s->hint)
                                : "name all of the migrations' files and folders in [migrate] "
                                  "files, or set [image] build, for a start that has nothing to "
                                  "do to be one query");
}

int em_migration_files(const struct em_config *config, struct em_migration_files *files,
                       struct em_err *err)
{
    EM_TOOL_SEARCH_AUTO s = {0};
    int code = 0;
    if (em_sql_migrations_any(config)) {
        files->complete = true;
        return add_sql(config, files, err);
    }
    em_migration_search(config, &s);
    files->tool = s.tool;
    em_str_puts(&files->settings, em_str_c(&s.settings));
    if (s.tool) {
        em_str_puts(&files->table, em_str_c(&s.table));
        em_str_puts(&files->schema, em_str_c(&s.schema));
        em_str_puts(&files->table_why, em_str_c(&s.table_why));
    }
    if (!config->migrate_files.n) {
        add_inferred(&s, files);
        return 0;
    }
    files->complete = true;
    for (size_t i = 0; i < config->migrate_files.n && code == 0; i++)
        code = add_configured(config->migrate_files.v[i], config->migrate_files.where[i],
                              &files->list, err);
    return code;
}
