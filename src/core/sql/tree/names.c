/* The names of migrations, by each tool's rules. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/compare.h"
#include "parts.h"

#define DIGITS "0123456789"

/* "add_users" of …: with blanks, without the extension. */
static char *title_of(const char *from, const char *extension)
{
    size_t length = strlen(from), cut = strlen(extension);
    if (em_ends(from, extension))
        length -= cut;
    char *title = em_strndup(from, length);
    for (char *c = title; *c; c++)
        if (*c == '_')
            *c = ' ';
    return title;
}

static const char *without_zeros(const char *digits)
{
    while (digits[0] == '0' && isdigit((unsigned char)digits[1]))
        digits++;
    return digits;
}

/* ---- Comparing ---------------------------------------------------------------------------------- */

/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static long long days(long long year, long long month, long long day)
{
    year -= month <= 2;
    long long era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    long long of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static long long part(const char *digits, size_t at, size_t length)
{
    char text[8];
    memcpy(text, digits + at, length);
    text[length] = '\0';
    return strtoll(text, NULL, 10);
}

/* node-pg-migrate: 17 digits are a time in UTC, with milliseconds; else it is the number. */
static void node_pg_number(const char *id, struct em_str *out)
{
    size_t length = strspn(id, DIGITS);
    if (length != 17) {
        em_str_add(out, id, length);
        return;
    }
    long long seconds = days(part(id, 0, 4), part(id, 4, 2), part(id, 6, 2)) * 86400 +
                        part(id, 8, 2) * 3600 + part(id, 10, 2) * 60 + part(id, 12, 2);
    em_str_printf(out, "%lld", seconds * 1000 + part(id, 14, 3));
}

static int compare_node_pg(const char *a, const char *b)
{
    EM_STR_AUTO x = EM_STR_INIT;
    EM_STR_AUTO y = EM_STR_INIT;
    node_pg_number(a, &x);
    node_pg_number(b, &y);
    return em_compare_numbers(em_str_c(&x), em_str_c(&y));
}

/* sql-migrate: numbered ones first; the same number, and those without one, by their whole name. */
static int compare_sql_migrate(const char *a, const char *b)
{
    bool x = isdigit((unsigned char)*a), y = isdigit((unsigned char)*b);
    int order = x && y ? em_compare_numbers(a, b) : x ? -1 : y ? 1 : 0;
    return order ? order : strcmp(a, b);
}

int em_sql_compare_ids(enum em_sql_format format, const char *a, const char *b)
{
    switch (format) {
    case EM_SQL_FLYWAY: {
        /* What is repeated comes last. */
        bool x = isdigit((unsigned char)*a), y = isdigit((unsigned char)*b);
        return x && y ? em_compare_versions(a, b) : x ? -1 : y ? 1 : strcmp(a, b);
    }
    case EM_SQL_NODE_PG: {
        int order = compare_node_pg(a, b);
        return order ? order : strcmp(a, b);
    }
    case EM_SQL_MIGRATE:
        return compare_sql_migrate(a, b);
    case EM_SQL_DBMATE:
    case EM_SQL_PRISMA:
    case EM_SQL_ATLAS:
        return strcmp(a, b);
    default:
        return em_compare_numbers(a, b);
    }
}

bool em_sql_same_id(enum em_sql_format format, const char *a, const char *b)
{
    return em_sql_compare_ids(format, a, b) == 0;
}

/* dbmate and Atlas go by the file's name, of which the id is only the beginning. */
int em_sql_compare_files(enum em_sql_format format, const struct em_sql_tree_file *a,
                         const struct em_sql_tree_file *b)
{
    int order = 0;
    if (format != EM_SQL_DBMATE && format != EM_SQL_ATLAS)
        order = em_sql_compare_ids(format, a->id, b->id);
    return order ? order : strcmp(a->name, b->name);
}

/* ---- Reading ------------------------------------------------------------------------------------ */

bool em_sql_is_flyway(const char *base)
{
    const char *bars = strstr(base, "__");
    if (!bars || bars == base || !em_ends(base, ".sql"))
        return false;
    if (base[0] == 'R')
        return bars == base + 1;
    return strchr("VUB", base[0]) && isdigit((unsigned char)base[1]) &&
           base + 1 + strspn(base + 1, DIGITS "._") >= bars + 2;
}

static bool flyway(struct em_sql_tree_file *file, const char *base)
{
    if (!em_sql_is_flyway(base))
        return false;
    const char *bars = strstr(base, "__");
    file->title = title_of(bars + 2, ".sql");
    file->part = base[0] == 'V'   ? EM_SQL_ONCE
                 : base[0] == 'R' ? EM_SQL_REPEATED
                 : base[0] == 'B' ? EM_SQL_BASELINE
                                  : EM_SQL_BACK;
    if (base[0] == 'R') {
        EM_STR_AUTO id = EM_STR_INIT;
        em_str_printf(&id, "R %s", file->title);
        file->id = em_str_take(&id);
        return true;
    }
    file->id = em_strndup(base + 1, (size_t)(bars - base - 1));
    for (char *c = file->id; *c; c++)
        if (*c == '_')
            *c = '.';
    return true;
}

bool em_sql_is_prisma(const char *name)
{
    const char *slash = strchr(name, '/');
    return slash && strcmp(slash, "/migration.sql") == 0;
}

static bool prisma(struct em_sql_tree_file *file)
{
    if (!em_sql_is_prisma(file->name))
        return false;
    file->id = em_strndup(file->name, strcspn(file->name, "/"));
    file->title = em_strdup(file->id);
    return true;
}

static bool atlas(struct em_sql_tree_file *file, const char *base)
{
    size_t length = strlen(base) - strlen(".sql");
    const char *bar = memchr(base, '_', length);
    file->id = em_strndup(base, bar ? (size_t)(bar - base) : length);
    file->title = bar ? em_strndup(bar + 1, length - (size_t)(bar + 1 - base)) : em_strdup("");
    return true;
}

/* Those whose id is the file's name, or most of it. */
static bool named(struct em_sql_tree_file *file, const char *base, const char *extension)
{
    file->title = title_of(base, extension);
    file->id = em_strndup(base, strlen(base) - strlen(extension));
    return true;
}

/* NNN_name.sql; `pairs`: NNN_name.up.sql, too, whose .down.sql takes back; `bar`: the underscore
 * must be there. */
static bool numbered(struct em_sql_tree_file *file, const char *base, bool bar)
{
    size_t digits = strspn(base, DIGITS);
    bool up = em_ends(base, ".up.sql");
    if (!digits || (bar && base[digits] != '_'))
        return false;
    if (em_ends(base, ".down.sql"))
        file->part = EM_SQL_BACK;
    file->title =
        title_of(base + digits + (base[digits] == '_'), up                          ? ".up.sql"
                                                        : file->part == EM_SQL_BACK ? ".down.sql"
                                                                                    : ".sql");
    EM_FREE char *number = em_strndup(base, digits);
    file->id = em_strdup(without_zeros(number));
    return true;
}

bool em_sql_is_half(const char *base)
{
    return em_ends(base, ".up.sql") || em_ends(base, ".down.sql");
}

static bool dbmate(struct em_sql_tree_file *file, const char *base)
{
    if (!numbered(file, base, false))
        return false;
    free(file->id);
    file->id = em_strndup(base, strspn(base, DIGITS)); /* a text: 007 isn't 7 */
    return true;
}

static bool node_pg(struct em_sql_tree_file *file, const char *base)
{
    if (!isdigit((unsigned char)*base))
        return false;
    if (em_ends(base, ".down.sql"))
        file->part = EM_SQL_BACK;
    return named(file, base,
                 em_sql_is_half(base) ? (file->part == EM_SQL_BACK ? ".down.sql" : ".up.sql")
                                      : ".sql");
}

bool em_sql_name_parse(enum em_sql_format format, struct em_sql_tree_file *file)
{
    const char *base = em_base_name(file->name);
    bool half = em_sql_is_half(base);
    switch (format) {
    case EM_SQL_FLYWAY:
        return flyway(file, base);
    case EM_SQL_PRISMA:
        return prisma(file);
    case EM_SQL_ATLAS:
        return !half && atlas(file, base);
    case EM_SQL_MIGRATE:
        return !half && named(file, base, "");
    case EM_SQL_DBMATE:
        return !half && dbmate(file, base);
    case EM_SQL_NODE_PG:
        return node_pg(file, base);
    case EM_SQL_GOOSE:
        return !half && numbered(file, base, true);
    case EM_SQL_GOLANG:
    case EM_SQL_PAIRS:
        return half && numbered(file, base, true);
    case EM_SQL_SQLX:
        return numbered(file, base, true);
    default:
        return !half && numbered(file, base, false);
    }
}

const char *em_sql_name_example(enum em_sql_format format)
{
    switch (format) {
    case EM_SQL_FLYWAY:
        return "V1__name.sql, R__name.sql or B1__name.sql";
    case EM_SQL_PRISMA:
        return "NNN_name/migration.sql";
    case EM_SQL_GOLANG:
    case EM_SQL_PAIRS:
        return "NNN_name.up.sql and NNN_name.down.sql";
    default:
        return "NNN_name.sql";
    }
}

static const char *const tools[] = {
    [EM_SQL_BY_FILES] = "files",        [EM_SQL_OWN] = "embark",
    [EM_SQL_DBMATE] = "dbmate",         [EM_SQL_GOOSE] = "goose",
    [EM_SQL_GOLANG] = "golang-migrate", [EM_SQL_SQLX] = "sqlx",
    [EM_SQL_FLYWAY] = "Flyway",         [EM_SQL_NODE_PG] = "node-pg-migrate",
    [EM_SQL_MIGRATE] = "sql-migrate",   [EM_SQL_PRISMA] = "Prisma",
    [EM_SQL_ATLAS] = "Atlas",           [EM_SQL_PAIRS] = "golang-migrate or sqlx",
    [EM_SQL_FOREIGN] = "another tool",
};

const char *em_sql_format_tool(enum em_sql_format format)
{
    return tools[format];
}
