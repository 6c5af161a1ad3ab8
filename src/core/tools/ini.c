/* .ini files as Python's configparser reads them (Lib/configparser.py: RawConfigParser._read and
 * BasicInterpolation), since Alembic does: continuation lines, empty lines in values, %(name)s. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

/* As there. */
enum { INTERPOLATION_DEPTH = 10 };

struct option {
    char *section, *name; /* NAME in lower case */
    struct em_str value;
};

struct ini {
    struct option *v;
    size_t n;
    struct em_list sections;
    const char *here;
};

static void free_ini(struct ini *ini)
{
    for (size_t i = 0; i < ini->n; i++) {
        free(ini->v[i].section);
        free(ini->v[i].name);
        em_str_free(&ini->v[i].value);
    }
    free(ini->v);
    em_list_free(&ini->sections);
}

static struct option *find(const struct ini *ini, const char *section, const char *name)
{
    for (size_t i = 0; i < ini->n; i++)
        if (strcmp(ini->v[i].section, section) == 0 && strcmp(ini->v[i].name, name) == 0)
            return &ini->v[i];
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void trim(const char **text, size_t *length)
{
    while (*length && is_blank(**text)) {
        ++*text;
        --*length;
    }
    while (*length && is_blank((*text)[*length - 1]))
        --*length;
}

static bool begin_section(struct ini *ini, const char *text, size_t length, struct em_str *wrong)
{
    const char *end = text + length;
    while (end > text && *end != ']')
        end--;
    EM_FREE char *name = em_strndup(text + 1, (size_t)(end - text) - 1);
    if (em_list_has(&ini->sections, name) && strcmp(name, "DEFAULT") != 0) {
        em_str_printf(wrong, "section %s is there twice", name);
        return false;
    }
    em_list_add(&ini->sections, name);
    return true;
}

static struct option *begin_option(struct ini *ini, const char *text, size_t length,
                                   struct em_str *wrong)
{
    size_t name = 0;
    while (name < length && text[name] != '=' && text[name] != ':')
        name++;
    const char *value = text + name + 1;
    size_t value_length = name < length ? length - name - 1 : 0, name_length = name;
    const char *from = text;
    trim(&from, &name_length);
    trim(&value, &value_length);
    if (name == length || !name_length) {
        em_str_puts(wrong, "it is neither a section nor a setting");
        return NULL;
    }
    EM_FREE char *key = em_strndup(from, name_length);
    for (char *c = key; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *section = ini->sections.v[ini->sections.n - 1];
    if (find(ini, section, key)) {
        em_str_printf(wrong, "%s is set twice", key);
        return NULL;
    }
    ini->v = em_realloc(ini->v, ini->n + 1, sizeof *ini->v);
    struct option *o = &ini->v[ini->n++];
    *o = (struct option){em_strdup(section), em_strdup(key), EM_STR_INIT};
    em_str_add(&o->value, value, value_length);
    return o;
}

static bool parse(struct ini *ini, const char *text, struct em_str *wrong)
{
    size_t indent = 0, line_number = 0;
    bool in_option = false;
    while (*text && !wrong->len) {
        size_t length = strcspn(text, "\n"), left = length, column = 0;
        const char *line = text;
        text += length + (text[length] == '\n');
        line_number++;
        while (column < length && is_blank(line[column]))
            column++;
        trim(&line, &left);
        if (left && (*line == '#' || *line == ';'))
            continue;
        if (!left) {
            if (in_option)
                em_str_putc(&ini->v[ini->n - 1].value, '\n');
            continue;
        }
        if (in_option && column > indent) {
            em_str_putc(&ini->v[ini->n - 1].value, '\n');
            em_str_add(&ini->v[ini->n - 1].value, line, left);
            continue;
        }
        indent = column;
        if (*line == '[' && left > 2 && memchr(line + 2, ']', left - 2)) {
            in_option = false;
            begin_section(ini, line, left, wrong);
        } else if (!ini->sections.n) {
            em_str_puts(wrong, "it stands in no section");
        } else {
            in_option = begin_option(ini, line, left, wrong) != NULL;
        }
    }
    if (wrong->len) {
        EM_STR_AUTO place = EM_STR_INIT;
        em_str_printf(&place, "line %zu: ", line_number);
        em_str_insert(wrong, 0, em_str_c(&place), place.len);
    }
    return !wrong->len;
}

static const char *raw(const struct ini *ini, const char *section, const char *name)
{
    struct option *o = find(ini, section, name);
    o = o ? o : find(ini, "DEFAULT", name);
    if (!o)
        return strcmp(name, "here") == 0 ? ini->here : NULL;
    while (o->value.len && strchr(" \t\r\n", o->value.data[o->value.len - 1]))
        em_str_cut(&o->value, o->value.len - 1);
    return em_str_c(&o->value);
}

static bool put_in(const struct ini *ini, const char *section, const char *text, int depth,
                   struct em_str *out, struct em_str *wrong)
{
    while (*text && !wrong->len) {
        size_t plain = strcspn(text, "%");
        em_str_add(out, text, plain);
        text += plain;
        if (!*text)
            break;
        if (text[1] == '%') {
            em_str_putc(out, '%');
            text += 2;
            continue;
        }
        const char *end = text[1] == '(' ? strstr(text, ")s") : NULL;
        if (!end || depth >= INTERPOLATION_DEPTH) {
            em_str_printf(wrong, "in section %s a %% leads to nothing", section);
            break;
        }
        EM_FREE char *name = em_strndup(text + 2, (size_t)(end - text) - 2);
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        const char *value = raw(ini, section, name);
        if (!value)
            em_str_printf(wrong, "%%(%s)s is set nowhere", name);
        else
            put_in(ini, section, value, depth + 1, out, wrong);
        text = end + 2;
    }
    return !wrong->len;
}

enum em_tool_said em_tool_ini(const char *text, const char *section, const char *key,
                              const char *here, struct em_str *value, struct em_str *wrong)
{
    struct ini ini = {NULL, 0, EM_LIST_INIT, here};
    enum em_tool_said said = EM_TOOL_SILENT;
    if (em_starts(text, "\xef\xbb\xbf"))
        text += 3;
    if (!parse(&ini, text, wrong)) {
        said = EM_TOOL_UNCLEAR;
    } else if (em_list_has(&ini.sections, section) && raw(&ini, section, key)) {
        said = put_in(&ini, section, raw(&ini, section, key), 0, value, wrong) ? EM_TOOL_LITERAL
                                                                               : EM_TOOL_UNCLEAR;
    }
    free_ini(&ini);
    return said;
}
