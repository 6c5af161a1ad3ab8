#include "embark/core/tool.h"

#include <ini.h>
#include <string.h>

#include "embark/core/config.h"

/* clang-format off */
static const struct em_tool tools[] = {
    {"Alembic", {"alembic"}, {NULL}, {NULL}, "*.py"},
    {"Django", {"manage.py", "django-admin"}, {"*/migrations/*.py", "*/*/migrations/*.py"}, {NULL}, "*.py"},
    {"Prisma", {"prisma"}, {"prisma/migrations/*/migration.sql"}, {NULL}, NULL},
    {"Knex", {"knex"}, {"migrations/*"}, {"--migrations-directory"}, "*"},
    {"node-pg-migrate", {"node-pg-migrate"}, {"migrations/*"}, {"-m", "--migrations-dir"}, "*"},
    {"Sequelize", {"sequelize", "sequelize-cli"}, {"migrations/*"}, {"--migrations-path"}, "*"},
    {"dbmate", {"dbmate"}, {"db/migrations/*.sql"}, {"-d", "--migrations-dir"}, "*.sql"},
    {"goose", {"goose"}, {"migrations/*.sql"}, {"-dir", "--dir"}, "*.sql"},
    {"Flyway", {"flyway"}, {"sql/*.sql", "migrations/*.sql"}, {NULL}, "*.sql"},
    {"sqlx", {"sqlx"}, {"migrations/*.sql"}, {"--source"}, "*.sql"},
    {"golang-migrate", {"migrate"}, {"migrations/*.sql"}, {"-path", "--path"}, "*.sql"},
    {"Rails", {"rails", "rake"}, {"db/migrate/*.rb"}, {NULL}, NULL},
    {"Entity Framework", {"efbundle", "dotnet-ef"}, {"Migrations/*.cs"}, {NULL}, NULL},
};

const char *const em_tool_tables[] = {
    "alembic_version", "django_migrations", "schema_migrations", "_prisma_migrations", "flyway_schema_history",
    "knex_migrations", "goose_db_version", "_sqlx_migrations", "SequelizeMeta", "pgmigrations",
    "__EFMigrationsHistory", NULL,
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *last_component(const char *word)
{
    const char *slash = strrchr(word, '/');
    return slash ? slash + 1 : word;
}

/* `sh -c 'cd x && alembic upgrade head'`: a word with blanks in it is looked at word by word. */
static void flatten(const struct em_list *command, struct em_list *words)
{
    for (size_t i = 0; i < command->n; i++) {
        EM_LIST_AUTO inner = EM_LIST_INIT;
        if (!strpbrk(command->v[i], " \t\n") || !em_words_split(command->v[i], &inner))
            em_list_add(words, command->v[i]);
        for (size_t j = 0; j < inner.n; j++)
            em_list_add(words, inner.v[j]);
    }
}

static const struct em_tool *tool_called(const char *name, size_t length)
{
    for (size_t t = 0; t < COUNT(tools); t++)
        for (size_t p = 0; p < COUNT(tools[t].programs) && tools[t].programs[p]; p++)
            if (strlen(tools[t].programs[p]) == length &&
                memcmp(tools[t].programs[p], name, length) == 0)
                return &tools[t];
    return NULL;
}

/* By the word's last component, or the package that it is of: node_modules/knex/bin/cli.js. */
static const struct em_tool *tool_of(const char *word)
{
    static const char packages[] = "node_modules/";
    const char *name = last_component(word);
    const struct em_tool *tool = tool_called(name, strlen(name));
    const char *package = strstr(word, packages);
    if (tool || !package)
        return tool;
    package += sizeof packages - 1;
    return tool_called(package, strcspn(package, "/"));
}

/* "-d DIR" or "--dir=DIR"; NULL: the words hold none of the options. */
static const char *option_value(const struct em_list *words, const char *const *options,
                                size_t count)
{
    for (size_t i = 0; i < words->n; i++)
        for (size_t o = 0; o < count && options[o]; o++) {
            size_t length = strlen(options[o]);
            if (strcmp(words->v[i], options[o]) == 0 && i + 1 < words->n)
                return words->v[i + 1];
            if (strncmp(words->v[i], options[o], length) == 0 && words->v[i][length] == '=')
                return words->v[i] + length + 1;
        }
    return NULL;
}

const struct em_tool *em_tool_find(const struct em_list *command, struct em_list *patterns)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    const struct em_tool *tool = NULL;
    flatten(command, &words);
    for (size_t i = 0; i < words.n && !tool; i++)
        tool = tool_of(words.v[i]);
    if (!tool)
        return NULL;
    const char *dir = option_value(&words, tool->options, COUNT(tool->options));
    if (dir) {
        EM_STR_AUTO pattern = EM_STR_INIT;
        em_str_printf(&pattern, "%s/%s", dir, tool->suffix);
        em_list_add(patterns, em_str_c(&pattern));
        return tool;
    }
    for (size_t p = 0; p < COUNT(tool->patterns) && tool->patterns[p]; p++)
        em_list_add(patterns, tool->patterns[p]);
    return tool;
}

const char *em_tool_alembic_file(const struct em_list *command, struct em_str *out)
{
    static const char *const options[] = {"-c", "--config"};
    EM_LIST_AUTO words = EM_LIST_INIT;
    flatten(command, &words);
    /* Not before the program's name: `sh -c`, `python -c` have an option of the same name. */
    size_t from = 0;
    while (from < words.n && !tool_of(words.v[from]))
        from++;
    struct em_list rest = {words.v + from, words.n - from};
    const char *value = rest.n ? option_value(&rest, options, COUNT(options)) : NULL;
    em_str_puts(out, value ? value : "alembic.ini");
    return em_str_c(out);
}

const char *em_tool_alembic_target(const struct em_list *command, struct em_str *out)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    flatten(command, &words);
    for (size_t i = 0; i + 1 < words.n; i++)
        if (strcmp(words.v[i], "upgrade") == 0) {
            size_t at = i + 1;
            while (at < words.n && words.v[at][0] == '-')
                at++;
            em_str_puts(out, at < words.n ? words.v[at] : "");
            break;
        }
    return em_str_c(out);
}

struct alembic {
    struct em_str script_location, version_locations;
};

static int alembic_key(void *ctx, const char *section, const char *name, const char *value)
{
    struct alembic *found = ctx;
    if (strcmp(section, "alembic") != 0)
        return 1;
    struct em_str *into = !strcmp(name, "script_location")     ? &found->script_location
                          : !strcmp(name, "version_locations") ? &found->version_locations
                                                               : NULL;
    if (into) {
        em_str_cut(into, 0);
        em_str_puts(into, value);
    }
    return 1;
}

/* One location, with %(here)s put in, as a pattern. A package's "name:folder" form is a folder of
 * an installed package: it isn't looked for. */
static void add_location(const char *location, size_t length, const char *here, const char *below,
                         struct em_list *patterns)
{
    EM_STR_AUTO pattern = EM_STR_INIT;
    static const char marker[] = "%(here)s";
    const char *end = location + length;
    for (const char *p = location; p < end;) {
        if ((size_t)(end - p) >= sizeof marker - 1 && strncmp(p, marker, sizeof marker - 1) == 0) {
            em_str_puts(&pattern, here);
            p += sizeof marker - 1;
        } else {
            em_str_putc(&pattern, *p++);
        }
    }
    while (pattern.len > 1 && pattern.data[pattern.len - 1] == '/')
        em_str_cut(&pattern, pattern.len - 1);
    if (!pattern.len || strchr(em_str_c(&pattern), ':'))
        return;
    em_str_puts(&pattern, below);
    em_list_add(patterns, em_str_c(&pattern));
}

bool em_tool_alembic(const char *bytes, size_t length, const char *here, struct em_list *patterns)
{
    struct alembic found = {EM_STR_INIT, EM_STR_INIT};
    EM_STR_AUTO text = EM_STR_INIT;
    em_str_add(&text, bytes, length);
    /* Lines that are too long for inih, or that it doesn't understand, are not the ones that are
     * looked for. */
    ini_parse_string(em_str_c(&text), alembic_key, &found);
    bool good = found.script_location.len > 0;
    const char *at = em_str_c(&found.version_locations);
    if (*at) {
        while (*(at += strspn(at, " ,;:\t"))) {
            size_t word = strcspn(at, " ,;:\t");
            add_location(at, word, here, "/*.py", patterns);
            at += word;
        }
    } else if (good) {
        add_location(em_str_c(&found.script_location), found.script_location.len, here,
                     "/versions/*.py", patterns);
    }
    em_str_free(&found.script_location);
    em_str_free(&found.version_locations);
    return good;
}
