#include "embark/core/executable/shell_script.h"

#include <string.h>

struct reader {
    const char *p;
    struct em_str word;
    bool has_word; /* also an empty one, in quotes */
    bool discard;  /* the word is a redirection's */
    bool broken;
};

static void end_word(struct reader *r, struct em_list *words)
{
    if (r->has_word && !r->discard)
        em_list_add(words, em_str_c(&r->word));
    if (r->has_word)
        r->discard = false;
    em_str_cut(&r->word, 0);
    r->has_word = false;
}

static void quoted(struct reader *r)
{
    char quote = *r->p++;

    r->has_word = true;
    while (*r->p && *r->p != quote) {
        if (quote == '"' && *r->p == '\\' && r->p[1] && strchr("\"\\$`\n", r->p[1]))
            r->p++;
        em_str_putc(&r->word, *r->p++);
    }
    r->broken |= *r->p == '\0';
    r->p += *r->p == quote;
}

/* >FILE, 2>&1, <FILE: the number in front and the word behind are no words of the command. */
static void redirection(struct reader *r, struct em_list *words)
{
    if (r->word.len && strspn(em_str_c(&r->word), "0123456789") == r->word.len)
        r->has_word = false;
    end_word(r, words);
    r->p += strspn(r->p, "<>|&");
    r->discard = true;
}

static void plain(struct reader *r)
{
    if (*r->p == '\\' && r->p[1]) {
        r->p++;
        if (*r->p == '\n') {
            r->p++;
            return;
        }
    }
    em_str_putc(&r->word, *r->p++);
    r->has_word = true;
}

static void read_words(struct reader *r, struct em_list *words)
{
    while (*r->p && !strchr("\n;|()", *r->p)) {
        char c = *r->p;

        if (c == ' ' || c == '\t') {
            end_word(r, words);
            r->p++;
        } else if (c == '\'' || c == '"') {
            quoted(r);
        } else if (c == '>' || c == '<' || (c == '&' && r->p[1] == '>')) {
            redirection(r, words);
        } else if (c == '&') {
            break;
        } else if (c == '#' && !r->has_word) {
            r->p += strcspn(r->p, "\n");
        } else {
            plain(r);
        }
    }
    end_word(r, words);
    r->discard = false;
}

static bool is_keyword(const char *word)
{
    static const char *const keywords[] = {"then", "do", "else", "elif", "if", "while", "until",
                                           "{",    "}",  "!",    "time", "fi", "done",  "esac"};

    for (size_t i = 0; i < EM_COUNT(keywords); i++)
        if (strcmp(keywords[i], word) == 0)
            return true;
    return false;
}

bool em_shell_next(const char **text, struct em_list *words)
{
    struct reader r = {.p = *text, .word = EM_STR_INIT};
    size_t before = words->n;

    while (words->n == before && *r.p && !r.broken) {
        r.p += strspn(r.p, " \t\n;|&()");
        read_words(&r, words);
        while (before == 0 && words->n && is_keyword(words->v[0]))
            em_list_drop_first(words);
    }
    *text = r.p;
    em_str_free(&r.word);
    return words->n > before && !r.broken;
}

size_t em_shell_assigns(const char *word)
{
    size_t n = 0;

    while (word[n] == '_' || (word[n] >= 'a' && word[n] <= 'z') ||
           (word[n] >= 'A' && word[n] <= 'Z') || (n && word[n] >= '0' && word[n] <= '9'))
        n++;
    return word[n] == '=' ? n : 0;
}
