#include "embark/core/languages/python/requirements_txt.h"

#include <stdlib.h>
#include <string.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void trim(struct em_str *s)
{
    size_t start = 0;
    EM_FREE char *all = em_str_take(s);

    while (blank(all[start]))
        start++;
    em_str_puts(s, all + start);
    while (s->len && blank(s->data[s->len - 1]))
        em_str_cut(s, s->len - 1);
}

/* A # at the start, or behind a blank, begins a comment: an URL's #egg= doesn't. */
static void drop_comment(struct em_str *s)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->data[i] == '#' && (i == 0 || blank(s->data[i - 1]))) {
            em_str_cut(s, i);
            return;
        }
}

static bool is_comment(const char *line, size_t length)
{
    size_t i = 0;

    while (i < length && blank(line[i]))
        i++;
    return i < length && line[i] == '#';
}

static void add(struct em_requirements_lines *lines, enum em_requirements_kind kind,
                const char *text, size_t number)
{
    lines->v = em_realloc(lines->v, lines->n + 1, sizeof(*lines->v));
    lines->v[lines->n++] = (struct em_requirements_line){kind, em_strdup(text), number};
}

/* The value of an option of either spelling: "-r x", "-rx", "--requirement x", "--requirement=x".
 * NULL: another one. */
static const char *option(const char *line, const char *letter, const char *word)
{
    size_t n = strlen(word);
    const char *value;

    if (em_starts(line, word) && (line[n] == '=' || blank(line[n])))
        value = line + n + 1;
    else if (em_starts(line, letter) && line[1] != '-')
        value = line + 2;
    else
        return NULL;
    while (blank(*value))
        value++;
    return *value ? value : NULL;
}

/* " --hash=…", " --config-settings …": the rest of a line is options from there on. */
static void drop_options(struct em_str *s)
{
    for (size_t i = 1; i + 1 < s->len; i++)
        if (blank(s->data[i - 1]) && s->data[i] == '-' && s->data[i + 1] == '-') {
            em_str_cut(s, i);
            trim(s);
            return;
        }
}

static bool is_place(const char *text)
{
    size_t word = strcspn(text, " \t;@[<>=!~(");

    if (em_starts(text, ".") || em_starts(text, "/") || em_starts(text, "file:"))
        return true;
    if (strstr(text, "://"))
        return memchr(text, ':', word) != NULL;
    return memchr(text, '/', word) != NULL || em_ends(text, ".whl") || em_ends(text, ".tar.gz") ||
           em_ends(text, ".zip");
}

/* The distribution's name in a place: …#egg=NAME, or that of a wheel file. */
static bool name_of_place(const char *text, struct em_str *name)
{
    const char *egg = strstr(text, "egg="), *slash;
    size_t end = strcspn(text, " \t;#?");

    if (egg && egg > text && (egg[-1] == '#' || egg[-1] == '&')) {
        em_str_add(name, egg + 4, strcspn(egg + 4, "&; \t"));
        return name->len > 0;
    }
    if (end < 5 || strncmp(text + end - 4, ".whl", 4) != 0)
        return false;
    for (slash = text + end; slash > text && slash[-1] != '/'; slash--)
        ;
    em_str_add(name, slash, strcspn(slash, "-"));
    return name->len > 0;
}

static void add_place(struct em_requirements_lines *lines, const char *text, size_t number)
{
    EM_STR_AUTO line = EM_STR_INIT;
    EM_STR_AUTO name = EM_STR_INIT;
    const char *marker = strchr(text, ';');

    if (!name_of_place(text, &name)) {
        add(lines, EM_REQUIREMENT_PLACE, text, number);
        return;
    }
    em_str_printf(&line, "%s @ %.*s", em_str_c(&name), (int)strcspn(text, " \t;"), text);
    if (marker)
        em_str_printf(&line, " %s", marker);
    add(lines, EM_REQUIREMENT_LINE, em_str_c(&line), number);
}

static void take(struct em_requirements_lines *lines, struct em_str *line, size_t number)
{
    const char *value, *text;

    drop_comment(line);
    trim(line);
    text = em_str_c(line);
    if (*text == '\0')
        return;
    if ((value = option(text, "-r", "--requirement"))) {
        add(lines, EM_REQUIREMENT_FILE, value, number);
    } else if ((value = option(text, "-c", "--constraint"))) {
        add(lines, EM_CONSTRAINT_FILE, value, number);
    } else if ((value = option(text, "-e", "--editable"))) {
        add_place(lines, value, number);
    } else if (*text != '-') {
        drop_options(line);
        if (is_place(em_str_c(line)))
            add_place(lines, em_str_c(line), number);
        else
            add(lines, EM_REQUIREMENT_LINE, em_str_c(line), number);
    }
}

void em_requirements_read(const char *bytes, size_t length, struct em_requirements_lines *lines)
{
    EM_STR_AUTO joined = EM_STR_INIT;
    const char *end = bytes + length;
    size_t number = 0, first = 1;

    *lines = (struct em_requirements_lines){0};
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        bytes += 3;
    while (bytes < end) {
        const char *eol = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t n = (size_t)((eol ? eol : end) - bytes);
        bool comment, more;

        number++;
        if (joined.len == 0)
            first = number;
        while (n && bytes[n - 1] == '\r')
            n--;
        comment = is_comment(bytes, n);
        more = !comment && n && bytes[n - 1] == '\\';
        if (comment) /* it ends what was joined, and is no part of its last word */
            em_str_putc(&joined, ' ');
        em_str_add(&joined, bytes, n - more);
        bytes = eol ? eol + 1 : end;
        if (more && bytes < end)
            continue;
        take(lines, &joined, first);
        em_str_cut(&joined, 0);
    }
}

void em_requirements_free(struct em_requirements_lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        free(lines->v[i].text);
    free(lines->v);
    *lines = (struct em_requirements_lines){0};
}
