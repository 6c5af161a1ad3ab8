/* As much of TOML (toml.io/en/v1.0.0) as settings need that are strings or lists of strings. */
#include <string.h>

#include "search.h"

static const char *skip(const char *p, bool lines)
{
    for (;;) {
        p += strspn(p, lines ? " \t\r\n" : " \t");
        if (!lines || *p != '#')
            return p;
        p += strcspn(p, "\n");
    }
}

/* A string at *p, behind which *p is moved. */
static bool take_string(const char **p, struct em_str *out)
{
    char quote = **p;
    const char *at = *p + 1;
    if (quote != '"' && quote != '\'')
        return false;
    bool triple = at[0] == quote && at[1] == quote;
    if (triple)
        at += 2 + (at[2] == '\n');
    for (;; at++) {
        if (!*at || (*at == '\n' && !triple))
            return false;
        if (*at == quote && (!triple || (at[1] == quote && at[2] == quote)))
            break;
        if (*at == '\\' && quote == '"') {
            static const char from[] = "\"\\/tn", to[] = "\"\\/\t\n";
            const char *escape = at[1] ? strchr(from, at[1]) : NULL;
            if (!escape)
                return false;
            em_str_putc(out, to[escape - from]);
            at++;
        } else {
            em_str_putc(out, *at);
        }
    }
    *p = at + (triple ? 3 : 1);
    return true;
}

static bool add_string(const char **p, struct em_list *values)
{
    EM_STR_AUTO text = EM_STR_INIT;
    if (!take_string(p, &text))
        return false;
    em_list_add(values, em_str_c(&text));
    return true;
}

/* Booleans and numbers are given as they stand. */
static enum em_tool_said take_value(const char *p, struct em_list *values)
{
    p = skip(p, false);
    if (*p == '"' || *p == '\'')
        return add_string(&p, values) ? EM_TOOL_LITERAL : EM_TOOL_UNCLEAR;
    if (*p != '[') {
        size_t word = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (!word)
            return EM_TOOL_UNCLEAR;
        em_list_take(values, em_strndup(p, word));
        return EM_TOOL_LITERAL;
    }
    for (p = skip(p + 1, true); *p && *p != ']';) {
        if (!add_string(&p, values))
            return EM_TOOL_UNCLEAR;
        p = skip(p, true);
        if (*p == ',')
            p = skip(p + 1, true);
        else if (*p != ']')
            return EM_TOOL_UNCLEAR;
    }
    return *p ? EM_TOOL_LITERAL : EM_TOOL_UNCLEAR;
}

/* Behind a value's end: strings and brackets may hold newlines. */
static const char *past_value(const char *p)
{
    int depth = 0;
    while (*p) {
        EM_STR_AUTO ignored = EM_STR_INIT;
        if (*p == '"' || *p == '\'') {
            if (!take_string(&p, &ignored))
                p++;
            continue;
        }
        if (*p == '#')
            p += strcspn(p, "\n");
        depth += (*p == '[') - (*p == ']') + (*p == '{') - (*p == '}');
        if (*p == '\n' && depth <= 0)
            return p;
        p += *p != '\0';
    }
    return p;
}

/* "a.b" of a header or key, without quotes and blanks. */
static void name_of(const char *p, const char *end, struct em_str *out)
{
    for (; p < end; p++)
        if (!strchr("\"' \t", *p))
            em_str_putc(out, *p);
}

static bool key_is(const struct em_str *section, const char *name, const char *wanted_section,
                   const char *wanted)
{
    EM_STR_AUTO full = EM_STR_INIT;
    EM_STR_AUTO whole = EM_STR_INIT;
    em_str_printf(&full, "%s%s%s", em_str_c(section), section->len ? "." : "", name);
    if (!wanted_section) {
        em_str_printf(&whole, ".%s", wanted);
        return strcmp(em_str_c(&full), wanted) == 0 || em_ends(em_str_c(&full), em_str_c(&whole));
    }
    em_str_printf(&whole, "%s%s%s", wanted_section, *wanted_section ? "." : "", wanted);
    return strcmp(em_str_c(&full), em_str_c(&whole)) == 0;
}

enum em_tool_said em_tool_toml(const char *text, const char *section, const char *key,
                               struct em_list *values)
{
    EM_STR_AUTO at = EM_STR_INIT;
    enum em_tool_said said = EM_TOOL_SILENT;
    for (const char *p = skip(text, true); *p && said != EM_TOOL_UNCLEAR; p = skip(p, true)) {
        if (*p == '[') {
            const char *from = p + strspn(p, "["), *end = from + strcspn(from, "]\n");
            em_str_cut(&at, 0);
            name_of(from, end, &at);
            if (*end != ']')
                return EM_TOOL_UNCLEAR;
            p += strcspn(p, "\n");
            continue;
        }
        EM_STR_AUTO name = EM_STR_INIT;
        size_t length = strcspn(p, "=\n");
        if (p[length] != '=')
            return EM_TOOL_UNCLEAR;
        name_of(p, p + length, &name);
        if (key_is(&at, em_str_c(&name), section, key))
            said = take_value(p + length + 1, values);
        else if (p[length + 1 + strspn(p + length + 1, " \t")] == '{' &&
                 memmem(p + length, (size_t)(past_value(p + length + 1) - p) - length, key,
                        strlen(key)))
            return EM_TOOL_UNCLEAR; /* an inline table with that key */
        p = past_value(p + length + 1);
    }
    return said;
}
