#include "embark/commands/flags.h"

#include <stdint.h>
#include <string.h>

static int give(const struct em_flag *flag, const char *value)
{
    if (flag->value)
        *flag->value = value;
    if (flag->all)
        em_list_add(flag->all, value);
    return 0;
}

/* Takes one option, and its value: 1 or 2 words. 0: not this one. -1: its value is missing. */
static int take(const struct em_flag *flag, char *const *at)
{
    size_t length = strlen(flag->name);
    bool whole = strcmp(*at, flag->name) == 0;
    if (flag->set) {
        if (whole)
            *flag->set = true;
        return whole ? 1 : 0;
    }
    if (whole && !at[1])
        return -1;
    if (whole)
        return give(flag, at[1]) + 2;
    if (strncmp(*at, flag->name, length) == 0 && (*at)[length] == '=')
        return give(flag, *at + length + 1) + 1;
    return 0;
}

int em_flags(char *const *argv, const struct em_flag *flags, size_t count, char *const **rest,
             struct em_err *err)
{
    char *const *at = argv;
    while (*at && (*at)[0] == '-' && (*at)[1]) {
        int taken = 0;
        if (strcmp(*at, "--") == 0) {
            at++;
            break;
        }
        for (size_t i = 0; i < count && taken == 0; i++)
            taken = take(&flags[i], at);
        if (taken == 0)
            em_fail(err, EM_EXIT_USAGE, "unknown option %s", *at);
        if (taken < 0)
            em_fail(err, EM_EXIT_USAGE, "%s needs a value", *at);
        if (taken <= 0) {
            em_hint(err, "embark help");
            return EM_EXIT_USAGE;
        }
        at += taken;
    }
    *rest = at;
    return 0;
}

int em_no_words(const char *command, char *const *rest, struct em_err *err)
{
    if (!*rest)
        return 0;
    em_fail(err, EM_EXIT_USAGE, "embark %s takes no further words, and there is \"%s\"", command,
            *rest);
    em_hint(err, "to run a program called %s: embark -- %s", command, command);
    return EM_EXIT_USAGE;
}

int em_service_words(const struct em_call *call, char *const **argv, struct em_list *list,
                     struct em_err *err)
{
    char *const *words = call->argv;
    /* Without a subcommand's name all words are the service's, also those that look like options.
     */
    int code = call->named ? em_flags(words, NULL, 0, &words, err) : 0;
    if (code)
        return code;
    *argv = words[0]                          ? words
            : call->config->service_command.n ? call->config->service_command.v
                                              : NULL;
    list->v = (char **)(uintptr_t)*argv; /* borrowed: it is only read */
    for (list->n = 0; *argv && (*argv)[list->n];)
        list->n++;
    return 0;
}
