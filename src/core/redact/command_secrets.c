#include "embark/core/redact/command_secrets.h"

#include <string.h>
#include <strings.h>

#include "embark/core/base/shell_quote.h"
#include "embark/core/redact/secret_names.h"
#include "password_scan.h"
#include "secret_value.h"

enum { DEEPEST = 4 }; /* sh -c "sh -c '…'" */

/* A word of a command, or of a script that is a word of one: a part of a text, with a mark for each
 * byte that is secret. */
struct word {
    const char *text;
    size_t length;
    bool *mark;
    bool first; /* of a simple command */
};

struct words {
    struct word *v;
    size_t n;
};

static void hide(const struct word *w, size_t from)
{
    const char *value = w->text + from;
    size_t length = w->length - from;
    size_t quote = length > 1 && (*value == '"' || *value == '\'');
    if (length > quote + 1 && value[quote] == '$' && strchr("{(_", value[quote + 1]) != NULL)
        return; /* a shell's variable is none */
    char next = length > quote + 1 && value[quote] == '$' ? value[quote + 1] : '\0';
    if ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'))
        return;
    memset(w->mark + from, true, length);
}

/* ---- Options of one letter ---- */

static bool matches(const struct word *program, const char *const *names)
{
    const char *name = program->text, *end = name + program->length;
    const char *slash = memrchr(name, '/', program->length);
    name = slash ? slash + 1 : name;
    for (; *names; names++) {
        size_t n = strlen(*names);
        bool begins = (*names)[n - 1] == '*';
        n -= begins;
        if ((size_t)(end - name) >= n && strncmp(name, *names, n) == 0 &&
            (begins || name + n == end))
            return true;
    }
    return false;
}

/* Whether the letter's value is a password: where it is well-known to be something else, it isn't.
 */
static bool letter_is_secret(const struct word *program, char letter)
{
    static const char *const others[] = {
        "mkdir",    "cp",        "psql",      "pg_*",     "createdb", "dropdb",  "createuser",
        "vacuumdb", "reindexdb", "ssh",       "install",  "read",     "node",    "rmdir",
        "tar",      "ps",        "uvicorn",   "gunicorn", "flask",    "python*", "perl",
        "ruby*",    "docker",    "redis-cli", "nc",       "initdb",   "php*",    "find",
        "gcc",      "cc",        NULL};
    static const char *const capital[] = {"sqlcmd", "bcp", NULL};
    if (letter == 'p' || letter == 'W')
        return !program || !matches(program, others);
    return letter == 'a'   ? program && matches(program, (const char *const[]){"redis-cli", NULL})
           : letter == 'P' ? program && matches(program, capital)
                           : false;
}

static bool only(const struct word *w, size_t from, const char *bytes)
{
    while (from < w->length && strchr(bytes, w->text[from]))
        from++;
    return from == w->length;
}

static void look_at_letter(const struct word *program, const struct word *w,
                           const struct word *next)
{
    static const char *const attached[] = {"mysql*", "mariadb*", "sshpass", NULL};
    bool named = program && matches(program, attached);
    if (!letter_is_secret(program, w->text[1]))
        return;
    if (w->length == 2 && next && !named && *next->text != '-' && *next->text != '/' &&
        *next->text != '.' && !only(next, 0, "0123456789:"))
        hide(next, 0);
    else if (w->length == 2 && next && named &&
             matches(program, (const char *const[]){"sshpass", NULL}))
        hide(next, 0);
    /* -print, -path and -Werror are options of one word. */
    else if (w->length > 2 && (named || !only(w, 2, "abcdefghijklmnopqrstuvwxyz0123456789-:=")))
        hide(w, w->text[2] == '=' ? 3 : 2);
    else if (w->length > 2 && strpbrk(w->text + 2, "0123456789-") && !only(w, 2, "0123456789:") &&
             !memchr(w->text, '=', w->length))
        hide(w, 2);
}

/* -u USER:PASSWORD, --user=USER:PASSWORD */
static void look_at_user(const struct word *w, size_t from)
{
    const char *colon = from < w->length ? memchr(w->text + from, ':', w->length - from) : NULL;
    if (colon && strncmp(colon, "://", 3) != 0)
        hide(w, (size_t)(colon - w->text) + 1);
}

/* ---- A word ---- */

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* NAME=VALUE, --name=VALUE, -DNAME=VALUE, "Name: VALUE" of a header. */
static bool look_at_pair(const struct word *w)
{
    size_t n = 0;
    while (n < w->length && is_name(w->text[n]))
        n++;
    bool header = n > 0 && n + 1 < w->length && w->text[n] == ':' && w->text[n + 1] == ' ';
    if (n == 0 || n + 1 >= w->length || (w->text[n] != '=' && !header))
        return false;
    if (header && n == 13 && strncasecmp(w->text, "authorization", n) == 0)
        hide(w, n + 2);
    else if (em_is_secret_name(w->text, n))
        hide(w, n + 1 + header);
    else
        return false;
    return true;
}

static bool is_user_option(const struct word *w, size_t length)
{
    return (length == 2 && strncmp(w->text, "-u", 2) == 0) ||
           (length == 6 && strncmp(w->text, "--user", 6) == 0);
}

static void look_at_option(const struct word *program, const struct word *w,
                           const struct word *next)
{
    const char *equals = memchr(w->text, '=', w->length);
    size_t length = equals ? (size_t)(equals - w->text) : w->length;
    if (is_user_option(w, length) && (equals || next))
        look_at_user(equals ? w : next, equals ? length + 1 : 0);
    else if (w->length > 2 && strncmp(w->text, "-D", 2) == 0 && equals &&
             em_is_secret_name(w->text + 2, length - 2))
        hide(w, length + 1);
    else if (w->text[1] != '-' && (w->length == 2 || !em_is_secret_name(w->text + 1, length - 1)))
        look_at_letter(program, w, next);
    else if (!equals && next && em_is_secret_name(w->text, w->length) &&
             strncmp(w->text, "--no-", 5) != 0 && strncmp(next->text, "--", 2) != 0)
        hide(next, 0);
}

static void look_at_script(const struct word *w, int depth);

static bool has_blank(const struct word *w)
{
    for (size_t i = 0; i < w->length; i++)
        if (strchr(" \t\n", w->text[i]))
            return true;
    return false;
}

/* -c, -ec, -lc: of a shell's. */
static bool is_script_option(const struct word *w)
{
    return w->length > 1 && *w->text == '-' && w->text[w->length - 1] == 'c' &&
           only(w, 1, "abcdefghijklmnopqrstuvwxyz");
}

static void look_at_words(const struct words *words, int depth)
{
    const struct word *program = NULL;
    for (size_t i = 0; i < words->n; i++) {
        const struct word *w = &words->v[i];
        const struct word *next = i + 1 < words->n && !w[1].first ? &w[1] : NULL;
        if (w->first)
            program = NULL;
        if (w->length == 0)
            continue;
        bool script = i > 0 && has_blank(w) && is_script_option(&w[-1]);
        bool pair = !script && look_at_pair(w);
        if (!pair && *w->text == '-' && w->length > 1)
            look_at_option(program, w, next);
        else if (!pair && has_blank(w))
            look_at_script(w, depth);
        if (!program && !memchr(w->text, '=', w->length) && *w->text != '-' &&
            !matches(w, (const char *const[]){"exec", "env", "time", "nohup", "command", NULL}))
            program = w;
    }
}

/* ---- A script ---- */

static size_t quoted_length(const char *text, size_t length)
{
    size_t n = 1;
    while (n < length && text[n] != *text)
        n += text[n] == '\\' && *text == '"' && n + 1 < length ? 2 : 1;
    return n < length ? n + 1 : length;
}

/* The word that starts at `at`, quotes included; 0: there is none. */
static size_t script_word(const struct word *w, size_t at)
{
    size_t n = at;
    while (n < w->length && !strchr(" \t\n;|&()<>", w->text[n])) {
        if (w->text[n] == '\'' || w->text[n] == '"')
            n += quoted_length(w->text + n, w->length - n);
        else
            n += w->text[n] == '\\' && n + 1 < w->length ? 2 : 1;
    }
    return n - at;
}

static void add_word(struct words *words, const struct word *of, size_t at, size_t length,
                     bool first)
{
    /* 'it'"'"'s': the quotes within are taken for bytes of the word. */
    bool quoted = length > 1 && (of->text[at] == '\'' || of->text[at] == '"');
    bool whole = quoted && quoted_length(of->text + at, length) == length;
    words->v = em_realloc(words->v, words->n + 1, sizeof *words->v);
    words->v[words->n++] = (struct word){of->text + at + quoted, length - quoted - whole,
                                         of->mark + at + quoted, first};
}

static void look_at_script(const struct word *w, int depth)
{
    struct words words = {NULL, 0};
    bool first = true;
    if (depth >= DEEPEST)
        return;
    for (size_t at = 0; at < w->length;) {
        size_t n = script_word(w, at);
        if (n) {
            add_word(&words, w, at, n, first);
            first = false;
        } else {
            first = first || !strchr(" \t", w->text[at]);
            n = 1;
        }
        at += n;
    }
    look_at_words(&words, depth + 1);
    em_free_ptr(&words.v);
}

/* ---- The command ---- */

static void mark_command(char *const *argv, struct words *words)
{
    for (size_t i = 0; argv && argv[i]; i++) {
        size_t length = strlen(argv[i]);
        bool *mark = em_alloc(length + 1);
        em_password_scan(argv[i], length, mark);
        em_password_scan_named(argv[i], length, mark);
        words->v = em_realloc(words->v, words->n + 1, sizeof *words->v);
        words->v[words->n++] = (struct word){argv[i], length, mark, i == 0};
    }
    look_at_words(words, 0);
}

static void words_free(struct words *words)
{
    for (size_t i = 0; i < words->n; i++)
        em_free_ptr(&words->v[i].mark);
    em_free_ptr(&words->v);
}

void em_secrets_of_command(char *const *argv, struct em_secrets *secrets)
{
    struct words words = {NULL, 0};
    mark_command(argv, &words);
    for (size_t i = 0; i < words.n; i++)
        em_secrets_of_marks(words.v[i].text, words.v[i].mark, words.v[i].length, secrets);
    words_free(&words);
}

static void print_hidden(const struct word *w, struct em_str *out)
{
    for (size_t i = 0; i < w->length; i++) {
        if (!w->mark[i])
            em_str_putc(out, w->text[i]);
        else if (i == 0 || !w->mark[i - 1])
            em_str_puts(out, "****");
    }
}

void em_command_print(char *const *argv, bool quoted, struct em_str *out)
{
    struct words words = {NULL, 0};
    mark_command(argv, &words);
    for (size_t i = 0; i < words.n; i++) {
        EM_STR_AUTO word = EM_STR_INIT;
        print_hidden(&words.v[i], &word);
        em_str_puts(out, i ? " " : "");
        if (quoted)
            em_shell_quote_word(em_str_c(&word), out);
        else
            em_str_puts(out, em_str_c(&word));
    }
    words_free(&words);
}
