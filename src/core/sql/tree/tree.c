#include "embark/core/sql/tree/tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "parts.h"

static void free_file(struct em_sql_tree_file *file)
{
    free(file->path);
    free(file->name);
    free(file->id);
    free(file->title);
    em_str_free(&file->text);
    em_str_free(&file->run);
}

void em_sql_tree_free(struct em_sql_tree *tree)
{
    for (size_t i = 0; i < tree->n; i++)
        free_file(&tree->v[i]);
    free(tree->v);
    free(tree->sum_path);
    em_str_free(&tree->sum);
    em_errs_free(&tree->errs);
    em_errs_free(&tree->unset);
    tree->v = NULL;
    tree->n = 0;
    tree->sum_path = NULL;
}

static char *path_of(const struct em_sql_tree *tree, const char *name)
{
    EM_STR_AUTO path = EM_STR_INIT;
    size_t length = strlen(tree->folder);
    em_str_printf(&path, "%s%s%s", tree->folder,
                  length && tree->folder[length - 1] == '/' ? "" : "/", name);
    return em_str_take(&path);
}

static struct em_err *refuse(struct em_sql_tree *tree, int code, const char *name,
                             const char *format, ...) EM_PRINTF(4, 5);
static struct em_err *refuse(struct em_sql_tree *tree, int code, const char *name,
                             const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_FREE char *path = path_of(tree, name);
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    return em_errs_add(&tree->errs, code, "%s: %s", path, em_str_c(&text));
}

/* ---- Names: what there is ----------------------------------------------------------------------- */

/* How deep the files lie. */
enum depth { FLAT, FOLDERS, DEEP };

static enum depth depth_of(const struct em_sql_tree *tree, const struct em_list *names)
{
    bool flyway = tree->format == EM_SQL_FLYWAY, prisma = tree->format == EM_SQL_PRISMA;
    for (size_t i = 0; i < names->n && !tree->told; i++) {
        flyway |= em_sql_is_flyway(em_base_name(names->v[i]));
        prisma |= em_sql_is_prisma(names->v[i]);
    }
    return flyway ? DEEP : prisma ? FOLDERS : FLAT;
}

static bool in_reach(enum depth depth, const char *name)
{
    return depth == DEEP || !strchr(name, '/') || (depth == FOLDERS && em_sql_is_prisma(name));
}

/* Written in another language, whose code embark doesn't run. */
static const struct language {
    const char *ending, *what;
} languages[] = {
    {".js", "JavaScript (node-pg-migrate, Knex, Sequelize)"},
    {".cjs", "JavaScript (node-pg-migrate, Knex)"},
    {".mjs", "JavaScript (node-pg-migrate, Knex)"},
    {".ts", "TypeScript (node-pg-migrate, Knex, TypeORM)"},
    {".mts", "TypeScript (node-pg-migrate, Knex)"},
    {".cts", "TypeScript (node-pg-migrate, Knex)"},
    {".go", "Go (goose)"},
    {".py", "Python (Alembic, Django, yoyo, Flyway)"},
    {".rb", "Ruby (Rails, Sequel)"},
    {".php", "PHP (Laravel, Phinx, Doctrine)"},
    {".java", "Java (Flyway)"},
    {".class", "Java (Flyway)"},
    {".kt", "Kotlin (Flyway)"},
    {".groovy", "Groovy (Flyway)"},
    {".scala", "Scala (Flyway)"},
    {".cs", "C# (Entity Framework)"},
    {".exs", "Elixir (Ecto)"},
    {".ex", "Elixir (Ecto)"},
    {".rs", "Rust (refinery, Diesel)"},
    {".sh", "the shell (Flyway)"},
    {".bash", "the shell (Flyway)"},
    {".ps1", "PowerShell (Flyway)"},
    {".bat", "a batch file (Flyway)"},
    {".cmd", "a batch file (Flyway)"},
    {".pl", "Perl (sqitch)"},
};

/* Beside migrations in these languages, and none itself. */
static bool is_beside(const char *base)
{
    static const char *const names[] = {"__init__.py", "env.py", "conftest.py", "mod.rs"};
    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (strcmp(base, names[i]) == 0)
            return true;
    /* goose and golang-migrate want a number; embed.go only takes the folder into a program. */
    return em_ends(base, ".d.ts") || em_ends(base, "_test.go") ||
           (em_ends(base, ".go") && !isdigit((unsigned char)*base));
}

static const struct language *language_of(const char *base)
{
    for (size_t i = 0; i < EM_COUNT(languages) && !is_beside(base); i++)
        if (em_ends(base, languages[i].ending))
            return &languages[i];
    return NULL;
}

/* 1_a.sql.gz, 1_a.dump: what psql wouldn't read either. */
static bool is_packed(const char *base)
{
    static const char *const packed[] = {".sql.gz",  ".sql.bz2", ".sql.xz", ".sql.zst",
                                         ".sql.lz4", ".sql.zip", ".dump",   ".tar"};
    bool any = false;
    for (size_t i = 0; i < EM_COUNT(packed); i++)
        any |= em_ends(base, packed[i]);
    return any;
}

/* A name that is nearly one of an SQL file's: V1__a.SQL, 1_a.up.pgsql. */
static bool is_nearly_sql(const char *base)
{
    static const char *const endings[] = {".psql", ".pgsql", ".ddl", ".plpgsql"};
    size_t length = strlen(base);
    if (length > 4 && strcasecmp(base + length - 4, ".sql") == 0)
        return true;
    for (size_t i = 0; i < EM_COUNT(endings); i++)
        if (length > strlen(endings[i]) &&
            strcasecmp(base + length - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

static void take_name(struct em_sql_tree *tree, enum depth depth, const char *name)
{
    const char *base = em_base_name(name);
    const struct language *language = language_of(base);
    bool settings = depth == DEEP && em_ends(base, ".sql.conf");
    if (strcmp(name, "atlas.sum") == 0)
        tree->sum_path = path_of(tree, name);
    if (language)
        em_hint(refuse(tree, EM_EXIT_CONFIG, name,
                       "a migration in %s, which embark can't run, and does not pass over",
                       language->what),
                "keep its tool as [migrate] command, or move what is no migration out of the "
                "folder");
    else if (is_packed(base))
        em_hint(
            refuse(tree, EM_EXIT_CONFIG, name,
                   "a dump, or compressed: embark doesn't unpack it, and does not pass it over"),
            "unpack it where the image is built (gzip -d; pg_restore -f FILE makes SQL of a "
            "dump), or move it out of the folder");
    else if (!em_ends(base, ".sql") && is_nearly_sql(base))
        em_hint(refuse(tree, EM_EXIT_CONFIG, name, "a migration's name ends in .sql"),
                "rename it, or move it out of the folder");
    if (!em_ends(base, ".sql") && !settings)
        return;
    tree->v = em_realloc(tree->v, tree->n + 1, sizeof *tree->v);
    struct em_sql_tree_file *file = &tree->v[tree->n++];
    memset(file, 0, sizeof *file);
    file->path = path_of(tree, name);
    file->name = em_strdup(name);
    file->part = settings ? EM_SQL_SETTINGS : EM_SQL_ONCE;
    file->placeholders = true;
}

void em_sql_tree_names(struct em_sql_tree *tree, const struct em_list *names)
{
    tree->told = tree->format != EM_SQL_BY_FILES;
    enum depth depth = depth_of(tree, names);
    for (size_t i = 0; i < names->n; i++)
        if (in_reach(depth, names->v[i]))
            take_name(tree, depth, names->v[i]);
}

/* ---- Which format --------------------------------------------------------------------------------- */

/* What speaks for a format, and where. */
struct votes {
    enum em_sql_format format;
    struct em_str place, what;
};

static const char *tool_of(enum em_sql_format format)
{
    return em_sql_format_tool(format);
}

static void vote(struct em_sql_tree *tree, struct votes *votes, enum em_sql_format format,
                 const char *place, const char *what)
{
    if (votes->format == EM_SQL_BY_FILES) {
        votes->format = format;
        em_str_puts(&votes->place, place);
        em_str_puts(&votes->what, what);
    }
    if (votes->format == format || tree->errs.n)
        return;
    struct em_err *err = em_errs_add(
        &tree->errs, EM_EXIT_SQL, "%s: %s is %s's, but %s (%s) is %s's", place, what,
        tool_of(format), em_str_c(&votes->what), em_str_c(&votes->place), tool_of(votes->format));
    em_hint(err,
            "a folder holds the files of one tool: move the others out of it; [migrate] format "
            "says which tool it is");
}

/* The first mark of a file that speaks for a format. */
static void vote_by_marks(struct em_sql_tree *tree, struct votes *votes,
                          const struct em_sql_tree_file *file)
{
    struct em_sql_mark mark;
    size_t at = 0, line = 1;
    while (em_sql_mark_next(em_str_c(&file->text), file->text.len, &at, &line, &mark)) {
        EM_STR_AUTO place = EM_STR_INIT;
        EM_STR_AUTO what = EM_STR_INIT;
        if (mark.format == EM_SQL_FOREIGN || mark.kind == EM_SQL_REMARK)
            continue;
        em_str_printf(&place, "%s:%zu:1", file->path, mark.line);
        em_str_printf(&what, "the mark \"%.*s\"",
                      (int)(mark.end - mark.at > 60 ? 60 : mark.end - mark.at),
                      em_str_c(&file->text) + mark.at);
        vote(tree, votes, mark.format, em_str_c(&place), em_str_c(&what));
    }
}

static void find_format(struct em_sql_tree *tree)
{
    struct votes votes = {EM_SQL_BY_FILES, EM_STR_INIT, EM_STR_INIT};
    for (size_t i = 0; i < tree->n; i++) {
        const struct em_sql_tree_file *file = &tree->v[i];
        const char *base = em_base_name(file->name);
        if (em_sql_is_flyway(base))
            vote(tree, &votes, EM_SQL_FLYWAY, file->path, "its name");
        else if (em_sql_is_prisma(file->name))
            vote(tree, &votes, EM_SQL_PRISMA, file->path, "its name");
        else if (em_sql_is_half(base))
            vote(tree, &votes, EM_SQL_PAIRS, file->path, "its name");
        vote_by_marks(tree, &votes, file);
    }
    if (tree->sum_path)
        vote(tree, &votes, EM_SQL_ATLAS, tree->sum_path, "this file");
    tree->format = votes.format == EM_SQL_BY_FILES ? EM_SQL_OWN : votes.format;
    em_str_free(&votes.place);
    em_str_free(&votes.what);
}

/* ---- Each file ------------------------------------------------------------------------------------ */

/* Flyway calls these at its events ("Callbacks"). */
static bool is_callback(const char *base)
{
    static const char *const events[] = {"before", "after", "createSchema"};
    for (size_t i = 0; i < EM_COUNT(events); i++)
        if (em_starts(base, events[i]))
            return true;
    return false;
}

static void refuse_name(struct em_sql_tree *tree, const struct em_sql_tree_file *file)
{
    const char *tool = tool_of(tree->format);
    const char *base = em_base_name(file->name);
    if (tree->format == EM_SQL_FLYWAY && is_callback(base))
        em_hint(refuse(tree, EM_EXIT_CONFIG, file->name,
                       "a callback of Flyway's, and embark runs none"),
                "put its statements into a migration (R__name.sql is run again when it changes), "
                "or keep Flyway as [migrate] command");
    else if (tree->format == EM_SQL_OWN)
        refuse(tree, EM_EXIT_CONFIG, file->name,
               "a migration's name starts with its number: NNN_name.sql");
    else
        em_hint(refuse(tree, EM_EXIT_CONFIG, file->name, "its name is none of %s's: %s", tool,
                       em_sql_name_example(tree->format)),
                "rename it, or move it out of the folder: what is not known to be applied or not "
                "is never passed over");
}

static void parse_names(struct em_sql_tree *tree)
{
    for (size_t i = 0; i < tree->n; i++) {
        struct em_sql_tree_file *file = &tree->v[i];
        if (file->part == EM_SQL_SETTINGS) {
            file->id = em_strdup(file->name);
            file->title = em_strdup("");
        } else if (!em_sql_name_parse(tree->format, file)) {
            refuse_name(tree, file);
            file->id = em_strdup(file->name);
            file->title = em_strdup("");
        }
    }
}

static void swap(struct em_sql_tree_file *a, struct em_sql_tree_file *b)
{
    struct em_sql_tree_file kept = *a;
    *a = *b;
    *b = kept;
}

/* qsort(3) takes no context. A heap, so that thousands are no matter. */
static void sift(struct em_sql_tree *tree, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        struct em_sql_tree_file *v = tree->v;
        if (child + 1 < n && em_sql_compare_files(tree->format, &v[child], &v[child + 1]) < 0)
            child++;
        if (em_sql_compare_files(tree->format, &v[at], &v[child]) >= 0)
            return;
        swap(&v[at], &v[child]);
    }
}

static void sort(struct em_sql_tree *tree)
{
    for (size_t i = tree->n / 2; i-- > 0;)
        sift(tree, i, tree->n);
    for (size_t n = tree->n; n > 1; n--) {
        swap(&tree->v[0], &tree->v[n - 1]);
        sift(tree, 0, n - 1);
    }
}

static void apply_settings(struct em_sql_tree *tree, const struct em_sql_tree_file *settings)
{
    size_t length = strlen(settings->name) - strlen(".conf");
    for (size_t i = 0; i < tree->n; i++)
        if (strlen(tree->v[i].name) == length &&
            strncmp(tree->v[i].name, settings->name, length) == 0)
            em_sql_flyway_settings(tree, &tree->v[i], settings);
}

/* Where only the way back is there, the way up was lost. */
static void find_halves(struct em_sql_tree *tree)
{
    bool pairs = tree->format == EM_SQL_PAIRS || tree->format == EM_SQL_GOLANG ||
                 tree->format == EM_SQL_SQLX || tree->format == EM_SQL_NODE_PG;
    for (size_t i = 0; i < tree->n && pairs; i++) {
        const struct em_sql_tree_file *file = &tree->v[i];
        bool up = file->part != EM_SQL_BACK;
        for (size_t j = 0; j < tree->n && !up; j++)
            up = tree->v[j].part == EM_SQL_ONCE &&
                 em_sql_same_id(tree->format, tree->v[j].id, file->id);
        if (!up)
            em_hint(refuse(tree, EM_EXIT_CONFIG, file->name,
                           "by its name it takes a migration back (%s), and there is none of that "
                           "number that goes up",
                           tool_of(tree->format)),
                    "the .up.sql may not have been copied into the image");
    }
}

/* What is never run leaves the list. */
static void drop_others(struct em_sql_tree *tree)
{
    size_t kept = 0;
    for (size_t i = 0; i < tree->n; i++)
        if (tree->v[i].part == EM_SQL_SETTINGS)
            apply_settings(tree, &tree->v[i]);
    for (size_t i = 0; i < tree->n; i++) {
        if (tree->v[i].part == EM_SQL_SETTINGS || tree->v[i].part == EM_SQL_BACK)
            free_file(&tree->v[i]);
        else
            tree->v[kept++] = tree->v[i];
    }
    tree->n = kept;
}

/* What an order by name may have put apart. */
static void find_twin(struct em_sql_tree *tree, size_t at)
{
    const struct em_sql_tree_file *a = &tree->v[at];
    bool by_name = tree->format == EM_SQL_DBMATE || tree->format == EM_SQL_ATLAS;
    for (size_t i = at + 1; i < tree->n && (by_name || i == at + 1); i++) {
        const struct em_sql_tree_file *b = &tree->v[i];
        if (a->part == b->part && em_sql_same_id(tree->format, a->id, b->id))
            em_errs_add(&tree->errs, EM_EXIT_CONFIG, "%s and %s have the same number", a->path,
                        b->path);
    }
}

static void find_twins(struct em_sql_tree *tree)
{
    for (size_t i = 0; i < tree->n && !tree->errs.n; i++)
        find_twin(tree, i);
}

static void hash_files(struct em_sql_tree *tree)
{
    for (size_t i = 0; i < tree->n; i++) {
        struct em_sql_tree_file *file = &tree->v[i];
        bool repeated = file->part == EM_SQL_REPEATED;
        if (repeated)
            em_sql_cut(tree, file);
        const struct em_str *bytes = repeated ? &file->run : &file->text;
        em_hex_sha256(em_str_c(bytes), bytes->len, file->hash);
    }
}

void em_sql_tree_cut(struct em_sql_tree *tree)
{
    for (size_t i = 0; i < tree->n && tree->judged; i++)
        if (tree->v[i].part != EM_SQL_REPEATED)
            em_sql_cut(tree, &tree->v[i]);
}

void em_sql_tree_judge(struct em_sql_tree *tree)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (tree->errs.n)
        return;
    if (!tree->told)
        find_format(tree);
    if (tree->errs.n)
        return;
    parse_names(tree);
    sort(tree);
    /* Of all files, as they are in the folder. */
    if (tree->format == EM_SQL_ATLAS && !tree->errs.n && !em_atlas_sum_check(tree, &err))
        em_errs_take(&tree->errs, &err);
    if (!tree->errs.n)
        find_halves(tree);
    drop_others(tree);
    if (!tree->n && !tree->errs.n)
        em_errs_add(&tree->errs, EM_EXIT_CONFIG,
                    "[migrate] sql = %s holds no migration that goes up", tree->folder);
    find_twins(tree);
    hash_files(tree);
    tree->judged = true;
}

void em_sql_tree_become(struct em_sql_tree *tree, enum em_sql_format format)
{
    if (tree->format == format)
        return;
    tree->by_table = tree->format == EM_SQL_OWN;
    tree->format = format;
    for (size_t i = 0; i < tree->n; i++) {
        struct em_sql_tree_file *file = &tree->v[i];
        struct em_sql_tree_file other = {.name = file->name};
        /* A name that this tool would pass over keeps its id, which no row has then. */
        if (em_sql_name_parse(format, &other)) {
            free(file->id);
            free(file->title);
            file->id = other.id;
            file->title = other.title;
        }
    }
}

size_t em_sql_tree_find(const struct em_sql_tree *tree, const char *name)
{
    size_t found = tree->n;
    for (size_t i = 0; i < tree->n; i++) {
        const struct em_sql_tree_file *file = &tree->v[i];
        if (strcmp(file->name, name) == 0 || strcmp(file->path, name) == 0)
            return i;
        bool looks = strcmp(em_base_name(file->name), em_base_name(name)) == 0 &&
                     !em_sql_is_prisma(file->name);
        if (!looks && strcmp(file->id, name) != 0)
            continue;
        found = found == tree->n ? i : tree->n + 1;
    }
    return found > tree->n ? tree->n : found;
}
