#include "embark/core/base/shell_quote.h"

#include <string.h>

static bool is_plain(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

    return *word && word[strspn(word, plain)] == '\0';
}

void em_shell_quote_word(const char *word, struct em_str *out)
{
    if (is_plain(word)) {
        em_str_puts(out, word);
        return;
    }
    em_str_putc(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            em_str_puts(out, "'\\''");
        else
            em_str_putc(out, *word);
    }
    em_str_putc(out, '\'');
}

void em_shell_quote_words(const struct em_list *words, struct em_str *out)
{
    for (size_t i = 0; i < words->n; i++) {
        if (i)
            em_str_putc(out, ' ');
        em_shell_quote_word(words->v[i], out);
    }
}
