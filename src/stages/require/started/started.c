#include "embark/stages/require/started/started.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/executable/shell_script.h"
#include "embark/os/files/files.h"

/* A command that starts a command that starts … is followed so far. */
enum { DEPTH_MAX = 8 };

struct em_following {
    em_started_fn take;
    void *ctx;
    int depth;
};

/* ---- Words and places ------------------------------------------------------------------------ */

size_t em_option_words(const char *word, const char *with_values)
{
    EM_FREE char *name = em_strndup(word, strcspn(word, "="));

    if (word[0] != '-' || !em_word_among(name, with_values))
        return 0;
    return strchr(word, '=') ? 1 : 2;
}

const char *em_option_value(char *const *words, size_t count)
{
    const char *equals = strchr(words[0], '=');

    return equals ? equals + 1 : count > 1 ? words[1] : NULL;
}

void em_started_path(const char *dir, const char *name, struct em_str *out)
{
    if (name[0] != '/' && dir[0])
        em_str_printf(out, "%s/", dir);
    em_str_puts(out, name);
}

bool em_started_read(const char *dir, const char *name, size_t limit, struct em_str *text)
{
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;

    em_started_path(dir, name, &path);
    return em_file_read(em_str_c(&path), limit, text, &why);
}

void em_started_enter(struct em_started_place *place, const char *name)
{
    EM_STR_AUTO dir = EM_STR_INIT;

    em_started_path(em_str_c(&place->dir), name, &dir);
    em_str_cut(&place->dir, 0);
    em_str_puts(&place->dir, em_str_c(&dir));
}

void em_started_prefer(struct em_started_place *place, const char *folder)
{
    if (place->bin.len)
        em_str_insert(&place->bin, 0, ":", 1);
    em_str_insert(&place->bin, 0, folder, strlen(folder));
}

void em_started_copy(struct em_started_place *to, const struct em_started_place *from)
{
    *to = (struct em_started_place){.manager = from->manager};
    em_str_puts(&to->dir, em_str_c(&from->dir));
    em_str_puts(&to->bin, em_str_c(&from->bin));
    em_str_puts(&to->pythonpath, em_str_c(&from->pythonpath));
    em_str_puts(&to->doubt, em_str_c(&from->doubt));
}

void em_started_free(struct em_started_place *place)
{
    em_str_free(&place->dir);
    em_str_free(&place->bin);
    em_str_free(&place->pythonpath);
    em_str_free(&place->doubt);
}

/* ---- What only starts another command -------------------------------------------------------- */

struct wrapper {
    const char *name;
    const char *values; /* options with a value */
    size_t skip;        /* words of its own before the command */
};
static const struct wrapper wrappers[] = {
    {"exec", "-a", 0},
    {"nohup", "", 0},
    {"setsid", "", 0},
    {"command", "", 0},
    {"tini", "-p -e", 0},
    {"tini-static", "-p -e", 0},
    {"docker-init", "-p -e", 0},
    {"dumb-init", "-r --rewrite", 0},
    {"catatonit", "", 0},
    {"gosu", "", 1},
    {"su-exec", "", 1},
    {"s6-setuidgid", "", 1},
    {"nice", "-n --adjustment", 0},
    {"ionice", "-c -n --class --classdata", 0},
    {"timeout", "-s --signal -k --kill-after", 1},
    {"stdbuf", "-i -o -e --input --output --error", 0},
    {"sudo", "-u --user -g --group -h --host", 0},
    {"runuser", "-u --user -g --group -G --supp-group", 0},
    {"setpriv",
     "--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits "
     "--pdeathsig",
     0},
    {"chpst", "-u -U -b -/ -n -l -L -m -d -o -p -f -c -t -r", 0},
};

static const struct wrapper *wrapper_of(const char *word)
{
    for (size_t i = 0; i < EM_COUNT(wrappers); i++)
        if (strcmp(wrappers[i].name, em_base_name(word)) == 0)
            return &wrappers[i];
    return NULL;
}

static size_t wrapper_words(const struct wrapper *w, char *const *words, size_t count)
{
    size_t at = 1;

    while (at < count && words[at][0] == '-') {
        size_t n = em_option_words(words[at], w->values);

        if (strcmp(words[at], "--") == 0) {
            at++;
            break;
        }
        at += n ? n : 1;
    }
    return at + w->skip;
}

/* $NAME, ${NAME} and ~ by the environment that embark has. False: it can't be told. */
static bool expand(const char *text, struct em_str *out)
{
    if (text[0] == '~' && (text[1] == '/' || text[1] == '\0') && getenv("HOME"))
        em_str_puts(out, getenv("HOME")), text++;
    while (*text) {
        bool braces = text[0] == '$' && text[1] == '{';
        const char *from = text + 1 + braces;
        size_t n = strspn(from, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz0123456789");
        EM_FREE char *name = *text == '$' ? em_strndup(from, n) : NULL;
        const char *value = name && n ? getenv(name) : NULL;

        if (strchr("`*?", *text) || (*text == '$' && (!value || (braces && from[n] != '}'))))
            return false;
        if (value)
            em_str_puts(out, value);
        else
            em_str_putc(out, *text);
        text = value ? from + n + braces : text + 1;
    }
    return true;
}

static void set_doubt(struct em_started_place *place, const char *what)
{
    em_str_cut(&place->doubt, 0);
    em_str_printf(&place->doubt, "what the shell makes of %s", what);
}

static void enter(struct em_started_place *place, const char *dir)
{
    EM_STR_AUTO value = EM_STR_INIT;

    if (expand(dir, &value))
        em_started_enter(place, em_str_c(&value));
    else
        set_doubt(place, dir);
}

/* PATH=/venv/bin:$PATH: what comes before the old one. */
static void set_path(struct em_started_place *place, const char *text)
{
    EM_LIST_AUTO parts = EM_LIST_INIT;
    EM_STR_AUTO bin = EM_STR_INIT;

    for (const char *p = text; *p; p += strcspn(p, ":"), p += *p == ':') {
        EM_FREE char *part = em_strndup(p, strcspn(p, ":"));
        EM_STR_AUTO value = EM_STR_INIT;

        if (em_word_among(part, "$PATH ${PATH}"))
            em_str_puts(&value, em_str_c(&place->bin));
        else if (!expand(part, &value))
            set_doubt(place, part);
        if (value.len && bin.len)
            em_str_putc(&bin, ':');
        if (value.len)
            em_started_path(em_str_c(&place->dir), em_str_c(&value), &bin);
    }
    em_str_cut(&place->bin, 0);
    em_str_puts(&place->bin, em_str_c(&bin));
}

/* NAME=VALUE, as far as it changes where something is found. */
static void assign(struct em_started_place *place, const char *word)
{
    size_t n = em_shell_assigns(word);

    if (n == 4 && em_starts(word, "PATH")) {
        set_path(place, word + n + 1);
    } else if (n == 10 && em_starts(word, "PYTHONPATH")) {
        em_str_cut(&place->pythonpath, 0);
        if (!expand(word + n + 1, &place->pythonpath))
            set_doubt(place, word);
    }
}

/* . /venv/bin/activate */
static void activate(struct em_started_place *place, const char *file)
{
    EM_STR_AUTO folder = EM_STR_INIT;

    if (strcmp(em_base_name(file), "activate") != 0 || !strchr(file, '/'))
        return;
    em_str_add(&folder, file, (size_t)(em_base_name(file) - file - 1));
    em_str_puts(&folder, ":$PATH");
    set_path(place, em_str_c(&folder));
}

/* What changes the shell itself, for the commands behind it. */
static bool is_builtin(char *const *words, size_t count, struct em_started_place *place)
{
    size_t assigned = 0;

    while (assigned < count && em_shell_assigns(words[assigned]))
        assigned++;
    if (assigned == count || strcmp(words[0], "export") == 0) {
        for (size_t i = 0; i < count; i++)
            assign(place, words[i]);
        return true;
    }
    if (count > 1 && strcmp(words[0], "cd") == 0)
        enter(place, words[count - 1]);
    else if (count > 1 && em_word_among(words[0], ". source"))
        activate(place, words[1]);
    else
        return false;
    return true;
}

void em_follow_shell(const struct em_following *f, const char *text,
                     const struct em_started_place *place)
{
    struct em_started_place here;

    em_started_copy(&here, place);
    for (;;) {
        EM_LIST_AUTO words = EM_LIST_INIT;

        if (!em_shell_next(&text, &words))
            break;
        if (!is_builtin(words.v, words.n, &here))
            em_follow(f, words.v, words.n, &here);
    }
    em_started_free(&here);
}

/* sh -c 'TEXT', sh -ec 'TEXT' */
static void follow_c(const struct em_following *f, char *const *words, size_t count,
                     const struct em_started_place *place)
{
    size_t at = 1;

    while (at < count && words[at][0] == '-' && !strchr(words[at], 'c'))
        at += em_word_among(words[at], "-o -O") ? 2 : 1;
    if (at + 1 < count && words[at][0] == '-')
        em_follow_shell(f, words[at + 1], place);
    else
        em_follow_end(f, words, count, place);
}

/* env [-C DIR] [NAME=VALUE…] COMMAND, and a shell's NAME=VALUE COMMAND. */
static void follow_env(const struct em_following *f, char *const *words, size_t count,
                       const struct em_started_place *place)
{
    struct em_started_place here;
    size_t at = strcmp(em_base_name(words[0]), "env") == 0;

    em_started_copy(&here, place);
    while (at < count && (words[at][0] == '-' || em_shell_assigns(words[at]))) {
        size_t n = em_option_words(words[at], "-u --unset -C --chdir");
        const char *value = n ? em_option_value(words + at, count - at) : NULL;

        if (value && (em_starts(words[at], "-C") || em_starts(words[at], "--chdir")))
            enter(&here, value);
        else if (words[at][0] != '-')
            assign(&here, words[at]);
        at += n ? n : 1;
    }
    if (at < count)
        em_follow(f, words + at, count - at, &here);
    em_started_free(&here);
}

/* ---- All of it ------------------------------------------------------------------------------- */

void em_follow_end(const struct em_following *f, char *const *words, size_t count,
                   const struct em_started_place *place)
{
    if (count)
        f->take(f->ctx, words, count, place);
}

void em_follow(const struct em_following *f, char *const *words, size_t count,
               const struct em_started_place *place)
{
    const struct em_following inner = {f->take, f->ctx, f->depth + 1};
    const struct wrapper *w = count ? wrapper_of(words[0]) : NULL;
    size_t skip = w ? wrapper_words(w, words, count) : 0;

    if (inner.depth > DEPTH_MAX || count == 0)
        return;
    if (w) {
        if (skip < count)
            em_follow(&inner, words + skip, count - skip, place);
    } else if (em_shell_assigns(words[0]) || strcmp(em_base_name(words[0]), "env") == 0) {
        follow_env(&inner, words, count, place);
    } else if (em_word_among(em_base_name(words[0]), "sh bash dash ash zsh")) {
        follow_c(&inner, words, count, place);
    } else if (!em_follow_python_manager(&inner, words, count, place) &&
               !em_follow_node_manager(&inner, words, count, place)) {
        em_follow_end(&inner, words, count, place);
    }
}

void em_started(const struct em_list *command, em_started_fn take, void *ctx)
{
    const struct em_following f = {take, ctx, 0};
    struct em_started_place place = {.manager = EM_MANAGER_NONE};

    if (command)
        em_follow(&f, command->v, command->n, &place);
    em_started_free(&place);
}
