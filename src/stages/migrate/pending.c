#include "embark/stages/migrate/pending.h"

#include <string.h>

#include "embark/core/sql/variables.h"
#include "embark/core/tools/tools.h"
#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/files/world.h"
#include "embark/stages/migrate/ledger/safe_table.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "embark/stages/migrate/own_sql.h"
#include "own_sql_elsewhere.h"
#include "own_sql_pending.h"
#include "own_sql_records.h"

/* A source that is larger holds data, and is told of. */
#define SOURCE_LIMIT ((size_t)4 * 1024 * 1024)
#define SCRIPT_LIMIT ((size_t)256 * 1024)

/* Of a tool that the command doesn't tell, the files that are looked at for a guess. */
enum { GUESSED = 20 };

static const struct em_pending_kind *guess(const struct em_filelist *files)
{
    const struct em_pending_kind *kind = NULL;
    for (size_t i = 0; i < files->n && i < GUESSED && !kind; i++) {
        EM_STR_AUTO bytes = EM_STR_INIT;
        EM_STR_AUTO why = EM_STR_INIT;
        if (em_file_read(files->v[i].name, SOURCE_LIMIT, &bytes, &why))
            kind = em_pending_guess(files->v[i].name, em_str_c(&bytes), bytes.len);
    }
    return kind;
}

static const struct em_pending_kind *kind_of(const struct em_config *config,
                                             const struct em_tool_search *s,
                                             const struct em_filelist *files)
{
    if (em_sql_migrations_any(config))
        return em_pending_kind("embark");
    return s->tool ? em_pending_kind(s->tool->pending) : guess(files);
}

/* An apps.py that isn't there is the most common. */
static void look_at_app(const char *path, struct em_pending *p)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_FREE char *file = em_pending_app_file(p, path);
    if (!file)
        return;
    em_file_read(file, SOURCE_LIMIT, &bytes, &why);
    em_pending_app(p, file, em_str_c(&bytes), bytes.len);
}

static void add_file(const char *path, struct em_pending *p)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    if (!em_pending_wants_bytes(p->kind))
        em_pending_file(p, path, NULL, 0);
    else if (em_file_read(path, SOURCE_LIMIT, &bytes, &why))
        em_pending_file(p, path, em_str_c(&bytes), bytes.len);
    else {
        em_str_insert(&why, 0, ": ", 2);
        em_str_insert(&why, 0, path, strlen(path));
        em_list_add(&p->odd, em_str_c(&why));
    }
}

/* One transaction, which the server ends in time by itself: a migration that runs just now may have
 * locked the table. */
static int ask_once(struct em_db *db, em_time until, const char *question, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_time half = em_time_min((until - em_now()) / 2, EM_SEC(60));
    em_str_printf(&sql,
                  "SET LOCAL transaction_read_only = on; SET LOCAL row_security = off;"
                  " SET LOCAL statement_timeout = %lld; %s",
                  (long long)(half > EM_MS(100) ? half / EM_MS(1) : 100), question);
    return em_db_query(db, until, NULL, err, em_str_c(&sql), 0, NULL);
}

/* The table where the search_path of the migration's session leads to, or in the schema that its
 * settings or the URL name. One of that name elsewhere is another service's. `*readable`: by our
 * role. */
static int find_table(const struct em_config *config, const struct em_url *url,
                      const struct em_tool_search *s, struct em_db *db, em_time until,
                      struct em_pending_status *look, bool *readable, struct em_err *err)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    const char *table = look->pending.kind->table;
    if (table && s->table.len) /* its settings may rename it */
        table = em_str_c(&s->table);
    if (table)
        em_ledger_tool_table(s->tool, url, em_str_c(&s->schema), table, &name);
    else
        em_sql_migrations_table(config, &name);
    em_ledger_add_path(db, url, &sql);
    em_str_puts(&sql, "SELECT " EM_TABLE_NAME_SQL ", n.nspname,"
                      " pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND"
                      " pg_catalog.has_table_privilege(c.oid, 'SELECT'), " EM_SAFE_TABLE_SQL
                      " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON"
                      " n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE"
                      " c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(");
    em_sql_quote_literal(&sql, em_str_c(&name));
    em_str_puts(&sql, ")::pg_catalog.oid");
    int code = ask_once(db, until, em_str_c(&sql), err);
    if (code || em_db_rows(db) == 0)
        return code;
    em_str_puts(&look->table, em_db_value(db, 0, 0));
    em_str_puts(&look->schema, em_db_value(db, 0, 1));
    look->named = !table || s->schema.len || (url && url->schema) || (s->tool && s->tool->home);
    const char *may = em_db_value(db, 0, 2), *safe = em_db_value(db, 0, 3);
    *readable = may && strcmp(may, "t") == 0;
    if (*readable && (!safe || strcmp(safe, "t") != 0))
        em_str_printf(&look->why,
                      "%s is no plain table of the server's own types, so its owner's code "
                      "could be run by reading it",
                      em_str_c(&look->table));
    return 0;
}

static int read_rows(const struct em_config *config, const char *place, struct em_db *db,
                     em_time until, const struct em_sql_tree *tree, struct em_pending_status *look,
                     struct em_err *err)
{
    struct em_pending *p = &look->pending;
    EM_STR_AUTO sql = EM_STR_INIT;
    em_str_printf(&sql, "SELECT %s FROM ONLY %s", p->kind->columns, em_str_c(&look->table));
    if (!p->kind->table) {
        em_str_puts(&sql, " WHERE scope OPERATOR(pg_catalog.=) ");
        em_sql_quote_literal(&sql, config->migrate_lock);
        em_str_puts(&sql, " AND place OPERATOR(pg_catalog.=) ");
        em_sql_quote_literal(&sql, place);
        em_str_puts(&sql, " AND NOT pg_catalog.starts_with(name, '" EM_FORMER "')");
    }
    em_str_printf(&sql, " ORDER BY %s", p->kind->order);
    int code = ask_once(db, until, em_str_c(&sql), err);
    for (int row = 0; code == 0 && row < em_db_rows(db); row++) {
        const char *id = em_db_value(db, row, 0), *letter = em_db_value(db, row, 1);
        const char *hash = p->kind->table ? NULL : em_db_value(db, row, 2);
        if (id)
            em_pending_row(p, id, em_own_sql_letter(tree, id, letter ? *letter : 'f', hash));
    }
    return code;
}

/* What is applied under another lock's name, of the same folder. */
static int read_elsewhere(const struct em_config *config, const char *place, struct em_db *db,
                          em_time until, const struct em_sql_tree *tree,
                          struct em_pending_status *look, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_ELSEWHERE_AUTO found = {.scope = config->migrate_lock};
    em_sql_elsewhere_sql(em_str_c(&look->table), place, &sql);
    int code = ask_once(db, until, em_str_c(&sql), err);
    if (code == 0)
        em_sql_elsewhere_read(db, tree, &found);
    for (size_t i = 0; i < found.take.n; i++)
        em_pending_row(&look->pending, found.take.v[i], 'a');
    if (found.unclear.len)
        em_str_printf(&look->why, "what is applied can't be known: %s", em_str_c(&found.unclear));
    return code;
}

static void ask(const struct em_config *config, const struct em_url *url, const char *place,
                const struct em_tool_search *s, struct em_db *db, em_time until,
                const struct em_sql_tree *tree, struct em_pending_status *look)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    bool readable = false;
    int code = find_table(config, url, s, db, until, look, &readable, &err);
    if (code == 0 && look->table.len && !readable)
        em_str_printf(&look->why, "%s may not be read by our role", em_str_c(&look->table));
    else if (code == 0 && look->table.len && !look->why.len)
        code = read_rows(config, place, db, until, tree, look, &err);
    if (code == 0 && readable && !look->why.len && !look->pending.kind->table)
        code = read_elsewhere(config, place, db, until, tree, look, &err);
    if (code)
        em_str_puts(&look->why, em_str_c(&err.text));
    look->has_rows = !look->why.len;
}

/* The table of embark's own records is named first, where there are both. */
static void add_history(const struct em_url *url, struct em_sql_tree *tree, struct em_db *db,
                        em_time until, struct em_pending_status *look)
{
    EM_STR_AUTO table = EM_STR_INIT;
    em_own_sql_add_history(url, tree, db, until, &look->pending, &table, &look->why);
    look->has_rows = !look->why.len;
    if (look->table.len || !table.len)
        return;
    em_str_puts(&look->table, em_str_c(&table));
    look->named = true;
}

/* A script that calls Alembic: the word behind the first `upgrade` in it. */
static void read_script(const char *path, struct em_str *target)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    if (!target->len && em_file_read(path, SCRIPT_LIMIT, &bytes, &why) &&
        strcasestr(em_str_c(&bytes), "alembic"))
        em_tool_upgrades_to(em_str_c(&bytes), target);
}

/* Where Alembic's files are there, and what the command starts isn't known. */
static void find_target(const struct em_config *config, struct em_str *target)
{
    EM_STR_AUTO command = EM_STR_INIT;
    EM_LIST_AUTO words = EM_LIST_INIT;
    for (size_t i = 0; i < config->migrate_command.n; i++)
        em_str_printf(&command, "%s ", config->migrate_command.v[i]);
    em_tool_upgrades_to(em_str_c(&command), target);
    em_command_line_split(em_str_c(&command), &words);
    for (size_t i = 0; i < words.n; i++)
        read_script(words.v[i], target);
}

void em_pending_status(const struct em_config *config, const struct em_url *url, const char *place,
                       const struct em_filelist *files, struct em_db *db, em_time until,
                       struct em_pending_status *look)
{
    EM_TOOL_SEARCH_AUTO s = {0};
    EM_SQL_TREE_AUTO tree = {0};
    em_migration_search(config, &s);
    look->pending.kind = kind_of(config, &s, files);
    if (!look->pending.kind)
        return;
    bool own = em_sql_migrations_any(config);
    if (own && !em_own_sql_add_files(config, &tree, &look->pending, &look->why))
        return;
    for (size_t i = 0; i < files->n && !own; i++) {
        if (em_ends(files->v[i].name, "/")) /* stands for installed packages */
            continue;
        look_at_app(files->v[i].name, &look->pending);
        add_file(files->v[i].name, &look->pending);
    }
    if (db)
        ask(config, url, place, &s, db, until, &tree, look);
    else
        em_str_puts(&look->why, "there is no connection to the database");
    if (own && db && !look->why.len)
        add_history(url, &tree, db, until, look);
    if (!s.tool && strcmp(look->pending.kind->tool, "Alembic") == 0)
        find_target(config, &s.target);
    em_pending_resolve(&look->pending, em_str_c(&s.target));
}

void em_pending_status_free(struct em_pending_status *look)
{
    em_pending_free(&look->pending);
    em_str_free(&look->table);
    em_str_free(&look->schema);
    em_str_free(&look->why);
}
