#include "command_line.h"

#include <string.h>

struct splitter {
    const struct em_expansion *e; /* NULL: nothing is expanded */
    const char *p;
    struct em_list *words;
    struct em_str word;
    bool in_word;
    bool plain; /* nothing of the word was quoted or expanded */
    bool ok;    /* for em_command_line_expand(): no mistake yet */
    bool shell; /* for_a_shell() was called: one error is enough */
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void put(struct splitter *s, char c)
{
    em_str_putc(&s->word, c);
    s->in_word = true;
}

static void for_a_shell(struct splitter *s, const char *what)
{
    if (!s->shell)
        em_hint(em_expansion_error(s->e, "embark runs no shell, and %s is the shell's", what),
                "write sh -c '…', or quote it: '%s'", what);
    s->shell = true;
    s->ok = false;
}

/* &&  |  ;  >file  2>&1  and the semicolon of "a; b": NULL, or what is the shell's of it. */
static const char *operator(const char *word)
{
    const char *p = word + strspn(word, "0123456789");

    if (*p && strchr("|&;<>", *p))
        return word;
    return em_ends(word, ";") ? ";" : NULL;
}

static void finish(struct splitter *s)
{
    const char *shells = s->e && s->plain ? operator(em_str_c(&s->word)) : NULL;

    if (shells)
        for_a_shell(s, shells);
    if (s->in_word)
        em_list_take(s->words, em_str_take(&s->word));
    s->in_word = false;
    s->plain = true;
}

/* At a $ that isn't in '…'. */
static void dollar(struct splitter *s)
{
    size_t before = s->word.len;

    if (!s->e) {
        put(s, *s->p++);
        return;
    }
    if (em_starts(s->p, "$("))
        for_a_shell(s, "$(");
    if (!em_expand_dollar(s->e, &s->p, &s->word))
        s->ok = false;
    s->in_word = s->in_word || s->word.len > before;
    s->plain = false;
}

static void backquote(struct splitter *s)
{
    if (s->e)
        for_a_shell(s, "`");
    put(s, *s->p++);
}

/* False: the end of the text has come first. */
static bool close_quote(struct splitter *s)
{
    if (!*s->p)
        return false;
    s->p++;
    return true;
}

/* '…', behind the first quote. False: not closed. */
static bool single(struct splitter *s)
{
    while (*s->p && *s->p != '\'')
        put(s, *s->p++);
    return close_quote(s);
}

/* "…", behind the first quote, where a backslash quotes only what would mean something. */
static bool doubled(struct splitter *s)
{
    while (*s->p && *s->p != '"') {
        if (*s->p == '\\' && s->p[1] == '\n') {
            s->p += 2;
        } else if (*s->p == '\\' && s->p[1] && strchr("$`\"\\", s->p[1])) {
            put(s, s->p[1]);
            s->p += 2;
        } else if (*s->p == '$') {
            dollar(s);
        } else if (*s->p == '`') {
            backquote(s);
        } else {
            put(s, *s->p++);
        }
    }
    return close_quote(s);
}

/* Outside of quotes. A backslash at the very end stands for itself. */
static void backslash(struct splitter *s)
{
    if (s->p[1] == '\n') {
        s->p += 2;
        return;
    }
    s->p += s->p[1] ? 1 : 0;
    put(s, *s->p++);
    s->plain = false;
}

/* 0, or the quote that isn't closed. */
static char split(struct splitter *s)
{
    while (*s->p) {
        char c = *s->p;

        if (blank(c)) {
            finish(s);
            s->p++;
        } else if (c == '\'' || c == '"') {
            s->in_word = true;
            s->plain = false;
            s->p++;
            if (c == '\'' ? !single(s) : !doubled(s))
                return c;
        } else if (c == '\\') {
            backslash(s);
        } else if (c == '$') {
            dollar(s);
        } else if (c == '`') {
            backquote(s);
        } else {
            put(s, c);
            s->p++;
        }
    }
    finish(s);
    return '\0';
}

bool em_command_line_split(const char *text, struct em_list *words)
{
    struct splitter s = {NULL, text, words, EM_STR_INIT, false, true, true, false};
    char open = split(&s);

    em_str_free(&s.word);
    return !open;
}

bool em_command_line_expand(const struct em_expansion *e, const char *text, struct em_list *words)
{
    struct splitter s = {e, text, words, EM_STR_INIT, false, true, true, false};
    char open = split(&s);

    em_str_wipe(&s.word);
    if (open) {
        struct em_err *err = em_expansion_error(e, "a %c is not closed", open);

        if (e->place && *e->place != '$') /* from the file */
            em_hint(err, "\" ;\" starts a comment, in quotes, too");
    }
    return s.ok && !open;
}
