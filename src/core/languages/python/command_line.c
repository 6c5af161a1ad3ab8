#include "embark/core/languages/python/command_line.h"

#include <string.h>

bool em_python_is(const char *path)
{
    const char *name = em_base_name(path);

    if (em_starts(name, "python"))
        name += 6;
    else if (em_starts(name, "pypy"))
        name += 4;
    else
        return false;
    name += strspn(name, "0123456789.");
    if (*name == 't') /* the free-threaded build */
        name++;
    return *name == '\0' || strcmp(name, "-dbg") == 0 || strcmp(name, "d") == 0;
}

const char *em_python_mode_word(enum em_python_mode mode)
{
    switch (mode) {
    case EM_PYTHON_SCRIPT:
        return "script";
    case EM_PYTHON_CONSOLE:
        return "console";
    default:
        return "cwd";
    }
}

static void add_flag(struct em_list *flags, char letter)
{
    char flag[] = {'-', letter, '\0'};

    if (!em_list_has(flags, flag))
        em_list_add(flags, flag);
}

/* The letters of one word such as "-Im". True: they end the options (-c, -m); *skip: the next word
 * belongs to the last one. */
static bool read_letters(const char *letters, struct em_python_args *args, bool *skip)
{
    for (; *letters; letters++) {
        if (strchr("EIPsS", *letters))
            add_flag(&args->flags, *letters);
        if (*letters == 'c' || *letters == 'm')
            return true;
        if (*letters == 'W' ||
            *letters == 'X') { /* the rest of the word is its value, or the next word */
            *skip = letters[1] == '\0';
            return false;
        }
    }
    return false;
}

void em_python_args(char *const *words, size_t count, struct em_python_args *args)
{
    *args = (struct em_python_args){.mode = EM_PYTHON_CWD};
    for (size_t i = 0; i < count; i++) {
        bool skip = false;

        if (words[i][0] != '-') {
            args->mode = EM_PYTHON_SCRIPT;
            args->script = words[i];
            return;
        }
        if (words[i][1] == '\0') /* standard input */
            return;
        if (strcmp(words[i], "--") == 0)
            continue;
        if (words[i][1] == '-')
            skip = strcmp(words[i], "--check-hash-based-pycs") == 0;
        else if (read_letters(words[i] + 1, args, &skip))
            return;
        i += skip;
    }
}
