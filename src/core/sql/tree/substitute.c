/* What tools put into an SQL file: goose's variables, Flyway's placeholders. */
#include <ctype.h>
#include <string.h>

#include "embark/core/sql/position.h"
#include "parts.h"

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void place_of(const struct em_sql_tree_file *file, size_t offset, struct em_str *out)
{
    struct em_sql_source source = em_sql_source(file->path, em_str_c(&file->run), file->run.len);
    em_sql_place_print(&source, offset, out);
}

static void not_set(struct em_sql_tree *tree, const struct em_sql_tree_file *file, size_t offset,
                    const char *written, const char *name)
{
    EM_STR_AUTO place = EM_STR_INIT;
    place_of(file, offset, &place);
    struct em_err *err =
        em_errs_add(&tree->unset, EM_EXIT_SQL, "%s: %s has no value: %s is not set",
                    em_str_c(&place), written, name);
    em_hint(err, "set %s in the container's environment", name);
}

static const char *value_of(const struct em_sql_tree *tree, const char *name)
{
    return tree->variable ? tree->variable(tree->ctx, name) : NULL;
}

/* Replaces `length` bytes at `at`. */
static void replace(struct em_str *s, size_t at, size_t length, const char *value)
{
    EM_FREE char *rest = em_strndup(s->data + at + length, s->len - at - length);
    size_t left = s->len - at - length;
    em_str_cut(s, at);
    em_str_puts(s, value);
    em_str_add(s, rest, left);
}

/* ---- goose -------------------------------------------------------------------------------------- */

/* A reference to a variable: what is written, its name, and its default (NULL: none). */
struct reference {
    size_t length;
    char *name, *fallback;
    bool empty_too; /* the default also stands for an empty value */
    bool odd;
};

/* At a '$'. $$ and $tag$ open a dollar quote, $1 is a parameter: none of these is a reference. */
static bool read_reference(const char *text, size_t length, struct reference *r)
{
    bool braces = length > 1 && text[1] == '{';
    size_t at = braces ? 2 : 1, start = at;
    memset(r, 0, sizeof *r);
    while (at < length && is_name(text[at]))
        at++;
    if (at == start || isdigit((unsigned char)text[start]) ||
        (!braces && at < length && text[at] == '$'))
        return false;
    r->name = em_strndup(text + start, at - start);
    r->length = at;
    if (!braces)
        return true;
    const char *end = memchr(text + at, '}', length - at);
    size_t rest = end ? (size_t)(end - text) - at : 0;
    r->length = end ? (size_t)(end - text) + 1 : at;
    r->empty_too = rest >= 2 && text[at] == ':' && text[at + 1] == '-';
    if (r->empty_too)
        r->fallback = em_strndup(text + at + 2, rest - 2);
    else if (rest && text[at] == '-')
        r->fallback = em_strndup(text + at + 1, rest - 1);
    else
        r->odd = rest || !end;
    return true;
}

/* How much longer the text is. */
static long put_in(struct em_sql_tree *tree, struct em_sql_tree_file *file, size_t at,
                   const struct reference *r)
{
    const char *value = value_of(tree, r->name);
    EM_FREE char *written = em_strndup(file->run.data + at, r->length);
    if (r->odd) {
        EM_STR_AUTO place = EM_STR_INIT;
        place_of(file, at, &place);
        em_errs_add(&tree->errs, EM_EXIT_SQL,
                    "%s: %s: only ${NAME}, $NAME, ${NAME:-default} and ${NAME-default} are known",
                    em_str_c(&place), written);
        return 0;
    }
    if (r->fallback && (!value || (r->empty_too && !*value)))
        value = r->fallback;
    if (!value) {
        not_set(tree, file, at, written, r->name);
        return 0;
    }
    replace(&file->run, at, r->length, value);
    return (long)strlen(value) - (long)r->length;
}

void em_sql_substitute_env(struct em_sql_tree *tree, struct em_sql_tree_file *file, size_t from,
                           size_t to)
{
    while (from < to) {
        struct reference r;
        const char *dollar = memchr(file->run.data + from, '$', to - from);
        if (!dollar)
            break;
        from = (size_t)(dollar - file->run.data);
        if (!read_reference(dollar, to - from, &r)) {
            from++;
            while (from < to && is_name(file->run.data[from]))
                from++;
            from += from < to && file->run.data[from] == '$';
            continue;
        }
        long change = put_in(tree, file, from, &r);
        from = (size_t)((long)(from + r.length) + change);
        to = (size_t)((long)to + change);
        em_free_ptr(&r.name);
        em_free_ptr(&r.fallback);
    }
}

/* ---- Flyway ------------------------------------------------------------------------------------- */

/* flyway:table and the like are Flyway's own. */
static const char *own_value(const struct em_sql_tree_file *file, const char *name)
{
    if (strcasecmp(name, "flyway:filename") == 0)
        return em_base_name(file->name);
    return strcasecmp(name, "flyway:table") == 0 ? "flyway_schema_history" : NULL;
}

static void variable_of(const char *name, struct em_str *out)
{
    em_str_puts(out, "FLYWAY_PLACEHOLDERS_");
    for (; *name; name++)
        em_str_putc(out, isalnum((unsigned char)*name) ? (char)toupper((unsigned char)*name) : '_');
}

void em_sql_substitute_flyway(struct em_sql_tree *tree, struct em_sql_tree_file *file)
{
    for (size_t at = 0; at < file->run.len;) {
        EM_STR_AUTO variable = EM_STR_INIT;
        const char *from = strstr(file->run.data + at, "${");
        const char *end = from ? strchr(from, '}') : NULL;
        if (!end)
            return;
        at = (size_t)(from - file->run.data);
        size_t length = (size_t)(end - from) + 1;
        EM_FREE char *written = em_strndup(from, length);
        EM_FREE char *name = em_strndup(from + 2, length - 3);
        variable_of(name, &variable);
        const char *value = own_value(file, name);
        if (!value)
            value = value_of(tree, em_str_c(&variable));
        if (!value) {
            not_set(tree, file, at, written, em_str_c(&variable));
            at += length;
            continue;
        }
        replace(&file->run, at, length, value);
        at += strlen(value);
    }
}

static bool take_setting(struct em_sql_tree_file *file, const char *line, bool *placeholders)
{
    static const char *const keys[] = {"executeInTransaction=", "placeholderReplacement="};
    for (size_t i = 0; i < 2; i++) {
        if (!em_starts(line, keys[i]))
            continue;
        const char *value = line + strlen(keys[i]);
        bool yes = strcmp(value, "true") == 0;
        if (!yes && strcmp(value, "false") != 0)
            return false;
        if (i == 0)
            file->alone = !yes;
        else
            *placeholders = yes;
        return true;
    }
    return false;
}

void em_sql_flyway_settings(struct em_sql_tree *tree, struct em_sql_tree_file *file,
                            const struct em_sql_tree_file *settings)
{
    const char *p = em_str_c(&settings->text);
    for (size_t line = 1; *p; line++) {
        size_t length = strcspn(p, "\n");
        EM_STR_AUTO text = EM_STR_INIT;
        for (size_t i = 0; i < length; i++)
            if (!isspace((unsigned char)p[i]))
                em_str_putc(&text, p[i]);
        if (text.len && !strchr("#!", text.data[0]) &&
            !take_setting(file, em_str_c(&text), &file->placeholders)) {
            struct em_err *err =
                em_errs_add(&tree->errs, EM_EXIT_SQL, "%s:%zu:1: a setting that isn't known: %s",
                            settings->path, line, em_str_c(&text));
            em_hint(err, "executeInTransaction and placeholderReplacement are, as true or false");
        }
        p += length + (p[length] == '\n');
    }
}
