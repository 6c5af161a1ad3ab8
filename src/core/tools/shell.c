/* `sh -c TEXT`, where TEXT is one simple command: its words, as the shell would make them. */
#include <ctype.h>
#include <string.h>

#include "search.h"

struct shell {
    struct em_tool_search *s;
    const char *p;
    struct em_str word;
    bool has_word; /* also an empty one, that was quoted */
    bool compound, unclear;
};

static bool is_name(char c, bool first)
{
    return c == '_' || isalpha((unsigned char)c) || (!first && isdigit((unsigned char)c));
}

/* $NAME and ${NAME}. Unquoted, a value with blanks or wildcards would be split and expanded. */
static void expand(struct shell *sh, bool quoted)
{
    bool braces = sh->p[1] == '{';
    const char *from = sh->p + 1 + braces, *end = from;
    while (is_name(*end, end == from))
        end++;
    if (end == from || (braces && *end != '}')) {
        sh->unclear = true;
        sh->p++;
        return;
    }
    EM_FREE char *name = em_strndup(from, (size_t)(end - from));
    const char *value = em_tool_env(sh->s, name);
    if (value && !quoted && strpbrk(value, " \t\n*?["))
        sh->unclear = true;
    if (value) {
        em_str_puts(&sh->word, value);
        em_tool_steers_env(sh->s, name, value);
    }
    sh->has_word |= quoted || (value && *value);
    sh->p = end + braces;
}

static void double_quoted(struct shell *sh)
{
    sh->has_word = true;
    for (sh->p++; *sh->p && *sh->p != '"';) {
        if (*sh->p == '\\' && sh->p[1] && strchr("$`\"\\\n", sh->p[1])) {
            if (sh->p[1] != '\n')
                em_str_putc(&sh->word, sh->p[1]);
            sh->p += 2;
        } else if (*sh->p == '$') {
            expand(sh, true);
        } else {
            sh->unclear |= *sh->p == '`';
            em_str_putc(&sh->word, *sh->p++);
        }
    }
    sh->unclear |= !*sh->p;
    sh->p += *sh->p != '\0';
}

static void single_quoted(struct shell *sh)
{
    size_t length = strcspn(sh->p + 1, "'");
    sh->has_word = true;
    em_str_add(&sh->word, sh->p + 1, length);
    sh->p += 1 + length;
    sh->unclear |= !*sh->p;
    sh->p += *sh->p != '\0';
}

static void end_word(struct shell *sh, struct em_list *words)
{
    if (sh->has_word)
        em_list_add(words, em_str_c(&sh->word));
    em_str_cut(&sh->word, 0);
    sh->has_word = false;
}

/* >FILE, 2>&1: where output goes changes nothing; what is read from a file is not known. */
static void redirection(struct shell *sh, struct em_list *words)
{
    bool number = sh->word.len && strspn(em_str_c(&sh->word), "0123456789") == sh->word.len;
    if (number)
        sh->has_word = false;
    end_word(sh, words);
    em_str_cut(&sh->word, 0);
    sh->unclear |= *sh->p == '<';
    sh->p += strspn(sh->p, "<>|&");
    sh->p += strspn(sh->p, " \t");
    size_t length = strcspn(sh->p, " \t\n;|&<>()");
    sh->unclear |= memchr(sh->p, '`', length) || memchr(sh->p, '(', length) || !length;
    sh->p += length;
}

/* What ends a command. Behind it there must be nothing. */
static void separator(struct shell *sh, struct em_list *words)
{
    end_word(sh, words);
    bool sequence = *sh->p == ';' || *sh->p == '\n';
    sh->p += strspn(sh->p, " \t\n;");
    if (*sh->p == '#')
        sh->p += strcspn(sh->p, "\n"), sh->p += strspn(sh->p, " \t\n;");
    sh->compound |= *sh->p != '\0' || !sequence;
}

static void split(struct shell *sh, struct em_list *words)
{
    sh->p += strspn(sh->p, " \t\n");
    while (*sh->p && !sh->compound) {
        char c = *sh->p;
        if (c == ' ' || c == '\t') {
            end_word(sh, words);
            sh->p++;
        } else if (c == '\n' || c == ';' || c == '|' || c == '(' || c == ')' ||
                   (c == '&' && sh->p[1] != '>')) {
            separator(sh, words);
        } else if (c == '>' || c == '<' || c == '&') {
            redirection(sh, words);
        } else if (c == '\'') {
            single_quoted(sh);
        } else if (c == '"') {
            double_quoted(sh);
        } else if (c == '$') {
            expand(sh, false);
        } else if (c == '#' && !sh->has_word) {
            sh->p += strcspn(sh->p, "\n");
        } else {
            if (c == '\\' && sh->p[1] == '\n') {
                sh->p += 2;
                continue;
            }
            if (c == '\\' && sh->p[1])
                c = *++sh->p;
            else
                sh->unclear |= strchr("`*?[{", c) || (c == '~' && !sh->has_word);
            em_str_putc(&sh->word, c);
            sh->has_word = true;
            sh->p++;
        }
    }
    end_word(sh, words);
}

static bool is_assignment(const char *word)
{
    const char *p = word;
    while (is_name(*p, p == word))
        p++;
    return p > word && *p == '=';
}

bool em_tool_shell(struct em_tool_search *s, const char *text, struct em_list *words)
{
    static const char keywords[] = "if for while until case { ! function set cd export . source "
                                   "eval trap unset alias [ [[ select coproc shift";
    struct shell sh = {s, text, EM_STR_INIT, false, false, false};
    split(&sh, words);
    em_str_free(&sh.word);
    /* An alternative of ours: a keyword begins what has more commands in it. */
    if (words->n && em_word_among(words->v[0], keywords))
        sh.compound = true;
    if (sh.compound) {
        s->compound = true;
        em_tool_doubt(s, "the command is a shell's, and more than one");
    } else if (sh.unclear) {
        em_tool_doubt(s, "what the shell makes of the command can't be told");
    }
    while (words->n && is_assignment(words->v[0])) {
        em_list_add(&s->env, words->v[0]);
        em_list_drop_first(words);
    }
    return words->n && !sh.compound && !sh.unclear;
}
