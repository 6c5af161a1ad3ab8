/* Rails: activerecord/lib/active_record/migration.rb (MigrationContext#migration_files), Guides:
 * Active Record Migrations, Multiple Databases, Engines. */
#include <ctype.h>
#include <string.h>

#include "search.h"

enum { DEPTH_MAX = 4 };

/* migrations_paths: one, [one, two], or "- one" lines below. */
static void take_yaml(struct em_tool_search *s, const char *at)
{
    size_t length = strcspn(at, "#\n");
    EM_FREE char *value = em_strndup(at, length);
    EM_LIST_AUTO parts = EM_LIST_INIT;
    if (strpbrk(value, "<*&$|>{"))
        em_tool_doubt(s, "config/database.yml computes migrations_paths");
    em_tool_split(value, "[],\"' ", &parts);
    const char *line = at + strcspn(at, "\n");
    while (!parts.n && *line) {
        line++;
        const char *item = line + strspn(line, " \t");
        if (*item != '-')
            break;
        EM_FREE char *path = em_strndup(item + 1, strcspn(item + 1, "#\n"));
        EM_LIST_AUTO one = EM_LIST_INIT;
        em_tool_split(path, "\"' ", &one);
        for (size_t i = 0; i < one.n; i++)
            em_tool_add(s, one.v[i], EM_TOOL_DEEP)->named = true;
        if (strpbrk(path, "<*&$"))
            em_tool_doubt(s, "config/database.yml computes migrations_paths");
        line += strcspn(line, "\n");
    }
    for (size_t i = 0; i < parts.n; i++)
        em_tool_add(s, parts.v[i], EM_TOOL_DEEP)->named = true;
}

static void read_databases(struct em_tool_search *s)
{
    static const char key[] = "migrations_paths";
    EM_STR_AUTO text = EM_STR_INIT;
    if (s->world->kind(s->world->ctx, "config/database.yml") == EM_TOOL_NOTHING ||
        !em_tool_read(s, "config/database.yml", &text))
        return;
    for (const char *at = strstr(em_str_c(&text), key); at; at = strstr(at + 1, key)) {
        const char *line = at;
        while (line > em_str_c(&text) && line[-1] != '\n')
            line--;
        if (memchr(line, '#', (size_t)(at - line)))
            continue;
        at += sizeof key - 1;
        at += strspn(at, "\"' ");
        if (*at == ':')
            take_yaml(s, at + 1);
        else
            em_tool_doubt(s, "config/database.yml: what migrations_paths is can't be told");
        em_tool_no_table(s, "config/database.yml names several databases");
    }
}

/* config.paths["db/migrate"] << "more", = [...], or by a variable. */
static void read_ruby(struct em_tool_search *s, const char *path)
{
    static const char *const names[] = {"\"db/migrate\"", "'db/migrate'", "migrations_paths"};
    EM_STR_AUTO text = EM_STR_INIT;
    if (!em_tool_peek(s, path, &text))
        return;
    for (size_t i = 0; i < EM_COUNT(names); i++) {
        const char *at = strstr(em_str_c(&text), names[i]);
        const char *line = at;
        while (line && line > em_str_c(&text) && line[-1] != '\n')
            line--;
        if (at && !memchr(line, '#', (size_t)(at - line)))
            em_tool_doubt(s, "%s says where migrations lie", path);
    }
    if (strstr(em_str_c(&text), "schema_migrations_table_name") ||
        strstr(em_str_c(&text), "table_name_prefix") ||
        strstr(em_str_c(&text), "table_name_suffix"))
        em_tool_no_table(s, "%s renames tables", path);
}

static void read_folder(struct em_tool_search *s, const char *folder, int depth)
{
    EM_LIST_AUTO names = EM_LIST_INIT;
    if (s->world->kind(s->world->ctx, folder) != EM_TOOL_FOLDER || depth > DEPTH_MAX)
        return;
    if (!s->world->names(s->world->ctx, folder, &names))
        em_tool_doubt(s, "%s can't be read", folder);
    for (size_t i = 0; i < names.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_tool_join(folder, names.v[i], &path);
        enum em_tool_kind kind = s->world->kind(s->world->ctx, em_str_c(&path));
        if (kind == EM_TOOL_FOLDER)
            read_folder(s, em_str_c(&path), depth + 1);
        else if (kind == EM_TOOL_FILE &&
                 (em_ends(names.v[i], ".rb") || em_ends(names.v[i], ".rake")))
            read_ruby(s, em_str_c(&path));
    }
}

/* Gems may add folders of theirs: Gemfile.lock says which, and in which versions. Those of the
 * project itself (PATH … remote: engines/shop) are read. */
static void read_gems(struct em_tool_search *s)
{
    static const char key[] = "\n  remote: ";
    EM_STR_AUTO text = EM_STR_INIT;
    if (s->world->kind(s->world->ctx, "Gemfile.lock") == EM_TOOL_NOTHING ||
        !em_tool_read(s, "Gemfile.lock", &text))
        return;
    em_tool_add(s, "Gemfile.lock", EM_TOOL_FLAT);
    for (const char *at = strstr(em_str_c(&text), key); at; at = strstr(at, key)) {
        at += sizeof key - 1;
        EM_FREE char *remote = em_strndup(at, strcspn(at, "\r\n"));
        EM_STR_AUTO path = EM_STR_INIT;
        if (strstr(remote, ":") || strcmp(remote, ".") == 0)
            continue;
        em_tool_join(remote, "db/migrate", &path);
        em_tool_add(s, em_str_c(&path), EM_TOOL_DEEP);
    }
}

/* A task beside the migration: db:seed, assets:precompile. */
static void other_tasks(struct em_tool_search *s)
{
    for (size_t i = 0; i < s->rest.n; i++) {
        const char *word = s->rest.v[i];
        bool variable = strchr(word, '=') != NULL && !strchr(word, ':');
        if (!variable && !em_starts(word, "db:migrate") && strcmp(word, "db:prepare") != 0 &&
            strcmp(word, "db:create") != 0 && strcmp(word, "db:abort_if_pending_migrations") != 0)
            em_tool_doubt(s, "%s is no migration", word);
    }
    static const char *const elsewhere[] = {"-C", "--directory", "-f", "--rakefile"};
    for (size_t i = 0; i < EM_COUNT(elsewhere); i++)
        if (em_tool_value(s, EM_TOOL_OTHER, elsewhere[i]))
            em_tool_doubt(s, "what Rails makes of %s isn't known to embark", elsewhere[i]);
}

void em_tool_rails(struct em_tool_search *s)
{
    em_tool_add(s, "db/migrate", EM_TOOL_DEEP);
    other_tasks(s);
    read_databases(s);
    read_folder(s, "config", 0);
    read_folder(s, "lib/tasks", 0);
    read_gems(s);
}
