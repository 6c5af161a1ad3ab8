#include "embark/core/languages/python/pyproject.h"

#include <string.h>

enum table { OTHER, PROJECT, POETRY };

struct reader {
    enum table table;
    bool in_array; /* within dependencies = [ */
    bool found;
    struct em_list *out;
};

/* The strings of an array up to its end or the line's. */
static void read_array(struct reader *r, const char *p, const char *end)
{
    for (; p < end && *p != ']' && *p != '#'; p++) {
        const char *quote =
            *p == '"' || *p == '\'' ? memchr(p + 1, *p, (size_t)(end - p - 1)) : NULL;

        if (!quote)
            continue;
        em_list_take(r->out, em_strndup(p + 1, (size_t)(quote - p - 1)));
        p = quote;
    }
    r->in_array = p >= end || *p == '#';
}

static enum table table_of(const char *line, size_t length)
{
    static const struct {
        const char *header;
        enum table table;
    } tables[] = {{"[project]", PROJECT}, {"[tool.poetry.dependencies]", POETRY}};

    for (size_t i = 0; i < EM_COUNT(tables); i++)
        if (em_starts(line, tables[i].header) && strlen(tables[i].header) <= length)
            return tables[i].table;
    return OTHER;
}

/* Words by which a dependency is one of some installs only. */
static bool is_conditional(const char *value, size_t length)
{
    static const char *const words[] = {"optional", "markers", "python", "platform"};
    EM_STR_AUTO text = EM_STR_INIT;

    em_str_add(&text, value, length);
    for (size_t i = 0; i < EM_COUNT(words); i++)
        if (strstr(em_str_c(&text), words[i]))
            return true;
    return false;
}

static void read_key(struct reader *r, const char *line, const char *end)
{
    const char *equals = memchr(line, '=', (size_t)(end - line));
    size_t quoted = *line == '"', n = equals ? (size_t)(equals - line) : 0;

    while (n && strchr(" \t", line[n - 1]))
        n--;
    if (n <= 2 * quoted || *line == '#')
        return;
    line += quoted;
    n -= 2 * quoted;
    if (r->table == POETRY && !is_conditional(line, (size_t)(end - line)))
        em_list_take(r->out, em_strndup(line, n));
    if (r->table != PROJECT || n != strlen("dependencies") || !em_starts(line, "dependencies"))
        return;
    r->found = true;
    const char *bracket = memchr(equals, '[', (size_t)(end - equals));
    if (bracket)
        read_array(r, bracket + 1, end);
}

bool em_pyproject_dependencies(const char *toml, struct em_list *out)
{
    struct reader r = {.out = out};

    for (const char *p = toml; *p; p += *p == '\n') {
        const char *line = p + strspn(p, " \t");
        const char *end = line + strcspn(line, "\r\n");

        p = line + strcspn(line, "\n");
        if (r.in_array) {
            read_array(&r, line, end);
        } else if (*line == '[') {
            r.table = table_of(line, (size_t)(end - line));
            r.found |= r.table == POETRY;
        } else {
            read_key(&r, line, end);
        }
    }
    return r.found;
}
