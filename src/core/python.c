#include "embark/core/python.h"

#include <string.h>

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool em_python_is(const char *path)
{
    const char *name = base(path);

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

/* ---- [require] module
 * ------------------------------------------------------------------------------------------------
 */

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* The next word up to `end`, without the blanks around it. */
static void trimmed(const char *start, const char *end, struct em_str *out)
{
    while (start < end && strchr(" \t\r\n", *start))
        start++;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    em_str_cut(out, 0);
    em_str_add(out, start, (size_t)(end - start));
}

static bool letter(char c)
{
    /* Python's names may have letters of all alphabets; which bytes make one is left to the
     * interpreter */
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (unsigned char)c >= 128;
}

static bool valid_name(const char *name)
{
    bool start = true;

    for (; *name; name++) {
        if (*name == '.') {
            if (start)
                return false;
            start = true;
        } else if (letter(*name) || (!start && *name >= '0' && *name <= '9')) {
            start = false;
        } else {
            return false;
        }
    }
    return !start;
}

static int refuse_name(const char *name, struct em_err *err)
{
    if (name[0] == '\0')
        return em_fail(err, EM_EXIT_CONFIG, "an empty name");
    if (strpbrk(name, "<>=!~")) {
        em_fail(err, EM_EXIT_CONFIG, "%s: versions are not supported by this version of embark",
                name);
        em_hint(err, "give the module's name alone");
        return err->code;
    }
    em_fail(err, EM_EXIT_CONFIG, "\"%s\" can't be a module's name", name);
    if (strpbrk(name, " \t"))
        em_hint(err, "names are separated by commas");
    else if (strchr(name, '-'))
        em_hint(err, "give the name that is imported, not the distribution's (psycopg2, not "
                     "psycopg2-binary)");
    else if (strchr(name, '/'))
        em_hint(err, "give the name that is imported (src.main), not a file");
    return err->code;
}

int em_module_line(const char *value, struct em_str *language, struct em_list *names,
                   struct em_err *err)
{
    const char *colon = strchr(value, ':'), *p;

    if (colon)
        trimmed(value, colon, language);
    if (!colon || language->len == 0) {
        em_fail(err, EM_EXIT_CONFIG, "\"%s\" has no language before a colon", value);
        em_hint(err, "write module = python: %s", colon ? "NAME" : value);
        return err->code;
    }
    if (*skip_blanks(colon + 1) == '\0')
        return em_fail(err, EM_EXIT_CONFIG, "\"%s\" names no module", value);
    for (p = colon; p; p = strchr(p + 1, ',')) {
        EM_STR_AUTO name = EM_STR_INIT;

        trimmed(p + 1, p + 1 + strcspn(p + 1, ","), &name);
        if (!valid_name(em_str_c(&name)))
            return refuse_name(em_str_c(&name), err);
        em_list_add(names, em_str_c(&name));
    }
    return 0;
}
