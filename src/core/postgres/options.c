#include "embark/core/postgres/options.h"

#include <string.h>
#include <strings.h>

/* postgres(1), as getopt() is told them; a colon: takes a value. "-" is the long form's. */
static const char letters[] = "B:bC:c:D:d:EeFf:h:ijk:lN:nOPp:r:S:sTt:v:W:-:";

/* isspace() of the C locale, as core asks for no locale. */
/* The next word, without its backslashes. False: there is none. */
static bool next_word(const char **at, struct em_str *word)
{
    const char *p = *at;
    em_str_cut(word, 0);
    while (em_is_space(*p))
        p++;
    bool any = *p != 0;
    for (; *p && !em_is_space(*p); p++) {
        if (*p == '\\' && !*++p)
            break;
        em_str_putc(word, *p);
    }
    *at = p;
    return any;
}

/* What is looked for, and what was found. */
struct search {
    const char *name;
    struct em_str *value;
    bool found;
};

static bool is_named(const char *text, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        char c = text[i] == '-' ? '_' : text[i];
        if (!name[i] || strncasecmp(&c, &name[i], 1) != 0)
            return false;
    }
    return !name[n];
}

/* NAME=VALUE. False: it isn't one. */
static bool take_setting(struct search *search, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return false;
    if (!search->name || !is_named(text, (size_t)(equals - text), search->name))
        return true;
    search->found = true;
    if (search->value) {
        em_str_cut(search->value, 0);
        em_str_puts(search->value, equals + 1);
    }
    return true;
}

/* One word of options, and the next one where the last of its letters wants a value. */
static bool take_word(struct search *search, const char *word, const char **rest)
{
    EM_STR_AUTO next = EM_STR_INIT;
    if (*word != '-' || !word[1] || strcmp(word, "--") == 0)
        return false;
    for (const char *p = word + 1; *p; p++) {
        const char *letter = *p == ':' ? NULL : strchr(letters, *p);
        if (!letter)
            return false;
        if (letter[1] != ':')
            continue;
        const char *value = p + 1;
        if (!*value) {
            if (!next_word(rest, &next))
                return false;
            value = em_str_c(&next);
        }
        return (*p != 'c' && *p != '-') || take_setting(search, value);
    }
    return true;
}

static bool read_all(struct search *search, const char *options)
{
    EM_STR_AUTO word = EM_STR_INIT;
    while (options && next_word(&options, &word))
        if (!take_word(search, em_str_c(&word), &options))
            return false;
    return true;
}

bool em_pg_options_get(const char *options, const char *name, struct em_str *value)
{
    struct search search = {name, value, false};
    read_all(&search, options);
    return search.found;
}

bool em_pg_options_plain(const char *options)
{
    struct search search = {NULL, NULL, false};
    return read_all(&search, options);
}

void em_pg_options_add(struct em_str *options, const char *name, const char *value)
{
    size_t backslashes = 0;
    while (backslashes < options->len && em_str_c(options)[options->len - 1 - backslashes] == '\\')
        backslashes++;
    /* A last one that stands for nothing would take the blank's meaning away. */
    em_str_cut(options, options->len - backslashes % 2);
    em_str_printf(options, "%s-c %s=", options->len ? " " : "", name);
    for (; *value; value++) {
        if (em_is_space(*value) || *value == '\\')
            em_str_putc(options, '\\');
        em_str_putc(options, *value);
    }
}
