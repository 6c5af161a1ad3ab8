#include "own_sql_pending.h"

#include <string.h>

#include "embark/stages/migrate/files/own_sql.h"
#include "tool_history.h"

bool em_own_sql_add_files(const struct em_config *config, struct em_sql_tree *tree,
                          struct em_pending *p, struct em_str *why)
{
    em_sql_folder_look(config, tree);
    if (tree->errs.n) {
        em_str_puts(why, em_str_c(&tree->errs.v[0].text));
        return false;
    }
    for (size_t i = 0; i < tree->n; i++)
        em_pending_add(p, tree->v[i].name);
    return true;
}

char em_own_sql_letter(const struct em_sql_tree *tree, const char *name, char letter,
                       const char *hash)
{
    for (size_t i = 0; i < tree->n; i++)
        if (tree->v[i].part == EM_SQL_REPEATED && strcmp(tree->v[i].name, name) == 0)
            return letter == 'a' && hash && strcmp(tree->v[i].hash, hash) != 0 ? 'u' : letter;
    return letter;
}

static bool has_row(const struct em_pending *p, const char *name)
{
    for (size_t i = 0; i < p->row_count; i++)
        if (strcmp(p->rows[i].id, name) == 0)
            return true;
    return false;
}

static void add_rows(const struct em_tool_history *past, const struct em_sql_tree *tree,
                     struct em_pending *p)
{
    for (size_t i = 0; i < tree->n; i++) {
        enum em_sql_past state = past->history.past[i];
        if (state != EM_SQL_PENDING && !has_row(p, tree->v[i].name))
            em_pending_row(p, tree->v[i].name, state == EM_SQL_FAILED ? 'f' : 'a');
    }
    for (size_t i = 0; i < past->history.unknown.n; i++)
        em_pending_row(p, past->history.unknown.v[i], 'a');
}

/* Of Flyway's baselines the last one counts, in an empty database; then what it stands for does
 * not.
 */
static void leave_out(const struct em_sql_tree *tree, bool empty, struct em_pending *p)
{
    const struct em_sql_tree_file *baseline = NULL;
    for (size_t i = 0; i < tree->n && empty; i++)
        if (tree->v[i].part == EM_SQL_BASELINE)
            baseline = &tree->v[i];
    for (size_t i = 0; i < tree->n; i++) {
        const struct em_sql_tree_file *file = &tree->v[i];
        bool covered = baseline && file->part == EM_SQL_ONCE &&
                       em_sql_compare_ids(tree->format, file->id, baseline->id) <= 0;
        p->v[i].off = covered || (file->part == EM_SQL_BASELINE && file != baseline);
    }
}

void em_own_sql_add_history(const struct em_url *url, struct em_sql_tree *tree, struct em_db *db,
                            em_time until, struct em_pending *p, struct em_str *table,
                            struct em_str *why)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_TOOL_HISTORY_AUTO past = {.schema =
                                     tree->format == EM_SQL_PRISMA && url ? url->schema : NULL};
    bool any = p->row_count > 0;
    bool asked = tree->format != EM_SQL_OWN || (!tree->told && !any);
    if (asked && em_tool_history_read(db, until, tree, &past, &err) != 0) {
        em_str_puts(why, em_str_c(&err.text));
    } else if (asked && past.why.len && !any) {
        em_str_puts(why, em_str_c(&past.why));
    } else if (asked && past.history.table) {
        add_rows(&past, tree, p);
        any |= past.history.n > 0;
        em_str_puts(table, em_str_c(&past.name));
    }
    leave_out(tree, !any, p);
}
