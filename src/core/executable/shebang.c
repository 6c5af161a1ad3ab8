#include "embark/core/executable/shebang.h"

#include <stdlib.h>
#include <string.h>

static const char *word_end(const char *p, const char *end)
{
    while (p < end && !em_is_blank(*p) && *p != '\0')
        p++;
    return p;
}

static void set(char **field, const char *bytes, size_t length)
{
    free(*field);
    *field = em_strndup(bytes, length);
}

/* Whether what env looks up can be told from its words: not if PATH or the directory are changed by
 * a word before the program's name, or if that has quotes and variables, which only env -S
 * understands. */
static bool plain(const struct em_list *words, size_t program)
{
    for (size_t i = 0; i < program; i++)
        if (words->v[i][0] == '-' || em_starts(words->v[i], "PATH="))
            return false;
    return !strpbrk(words->v[program], "'\"\\$");
}

static void split_blanks(const char *text, struct em_list *words)
{
    const char *end = text + strlen(text);

    for (const char *p = em_skip_blanks(text, end); p < end; p = em_skip_blanks(p, end)) {
        const char *stop = word_end(p, end);

        em_list_take(words, em_strndup(p, (size_t)(stop - p)));
        p = stop;
    }
}

/* env's words: options, assignments, then the program and its arguments. */
static void through_env(struct em_shebang *s)
{
    static const char long_split[] = "--split-string";
    EM_LIST_AUTO words = EM_LIST_INIT;
    const char *text = s->argument;
    bool split = em_starts(text, "-S") || em_starts(text, "-vS");
    size_t at = 0;

    if (split) {
        text = strchr(text, 'S') + 1;
    } else if (em_starts(text, long_split)) {
        split = true;
        text += sizeof(long_split) - 1;
        text += *text == '=';
    }
    split_blanks(text, &words);
    if (!split && words.n > 1) {
        s->one_word = true;
        set(&s->program, s->argument, strlen(s->argument));
        return;
    }
    while (at < words.n && (words.v[at][0] == '-' || strchr(words.v[at], '=')))
        at++;
    if (at >= words.n || !plain(&words, at))
        return;
    set(&s->program, words.v[at], strlen(words.v[at]));
    s->in_path = strchr(s->program, '/') == NULL;
    for (at++; at < words.n; at++)
        em_list_add(&s->arguments, words.v[at]);
}

/* One word of a shell's, with its quotes: "/a b/python" or '/a/python' or plain. NULL: not closed,
 * or empty. */
static const char *quoted_word(const char *p, const char *end, struct em_str *word)
{
    if (p < end && (*p == '"' || *p == '\'')) {
        const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));

        if (!close)
            return NULL;
        em_str_add(word, p + 1, (size_t)(close - p - 1));
        return close + 1;
    }
    em_str_add(word, p, (size_t)(word_end(p, end) - p));
    return word->len ? word_end(p, end) : NULL;
}

/* "#!/bin/sh", and on the second line '''exec' PROGRAM [OPTION…] "$0" "$@": sh runs it, and Python
 * takes it for a string. */
static void through_sh(struct em_shebang *s, const char *line, const char *end)
{
    static const char exec[] = "'''exec' ", here[] = "\"$(dirname -- \"$(realpath -- \"$0\")\")\"/";
    EM_STR_AUTO program = EM_STR_INIT;
    const char *p = line + sizeof(exec) - 1, *eol = memchr(line, '\n', (size_t)(end - line));

    if (!eol || (size_t)(eol - line) < sizeof(exec) || memcmp(line, exec, sizeof(exec) - 1) != 0)
        return;
    if ((size_t)(eol - p) > sizeof(here) && memcmp(p, here, sizeof(here) - 1) == 0) {
        s->beside = true;
        p += sizeof(here) - 1;
    }
    p = quoted_word(p, eol, &program);
    if (!p) {
        s->beside = false;
        return;
    }
    set(&s->program, em_str_c(&program), program.len);
    s->in_path = !s->beside && !strchr(s->program, '/');
    for (p = em_skip_blanks(p, eol); p < eol && *p == '-'; p = em_skip_blanks(p, eol)) {
        const char *stop = word_end(p, eol);

        em_list_take(&s->arguments, em_strndup(p, (size_t)(stop - p)));
        p = stop;
    }
}

/* The line's end as the kernel sees it; NULL: the interpreter may be cut off. */
static const char *line_end(const char *bytes, size_t length, const char *name)
{
    size_t limit = length < EM_SHEBANG_LINE ? length : EM_SHEBANG_LINE;
    const char *end = bytes + limit, *eol = memchr(bytes, '\n', limit);

    if (eol)
        return eol;
    /* No newline within what is read: an argument may be cut, an interpreter may not. The end of
     * the file ends it too. */
    if (limit < EM_SHEBANG_LINE || word_end(name, end - 1) < end - 1)
        return end;
    return NULL;
}

enum em_shebang_state em_shebang_read(const char *bytes, size_t length, struct em_shebang *out)
{
    const char *name, *name_end, *end, *rest;

    *out = (struct em_shebang){0};
    if (length < 2 || memcmp(bytes, "#!", 2) != 0)
        return EM_SHEBANG_NONE;
    name = em_skip_blanks(bytes + 2, bytes + (length < EM_SHEBANG_LINE ? length : EM_SHEBANG_LINE));
    end = line_end(bytes, length, name);
    if (!end)
        return EM_SHEBANG_LONG;
    rest = end < bytes + length ? end + 1 : end;
    if (end > bytes + 2 && end[-1] == '\r') {
        out->cr = true;
        end--;
    }
    while (end > bytes + 2 && em_is_blank(end[-1]))
        end--;
    name_end = name < end ? word_end(name, end) : name;
    if (name_end == name)
        return EM_SHEBANG_EMPTY;
    set(&out->interpreter, name, (size_t)(name_end - name));
    set(&out->program, name, (size_t)(name_end - name));
    name = em_skip_blanks(name_end, end);
    if (name < end && *name != '\0')
        set(&out->argument, name, (size_t)(end - name));

    if (strcmp(em_base_name(out->interpreter), "env") == 0 && out->argument)
        through_env(out);
    else if (strcmp(em_base_name(out->interpreter), "sh") == 0 && !out->argument)
        through_sh(out, rest, bytes + length);
    else if (out->argument)
        em_list_add(&out->arguments, out->argument);
    return EM_SHEBANG_OK;
}

void em_shebang_free(struct em_shebang *shebang)
{
    free(shebang->interpreter);
    free(shebang->argument);
    free(shebang->program);
    em_list_free(&shebang->arguments);
    *shebang = (struct em_shebang){0};
}
