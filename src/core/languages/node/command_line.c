#include "embark/core/languages/node/command_line.h"

#include <string.h>

bool em_node_is(const char *path)
{
    return em_is_versioned(path, "node") || em_is_versioned(path, "nodejs");
}

/* The options whose value is the next word. */
static bool takes_word(const char *option)
{
    static const char *const options[] = {
        "-r",
        "--require",
        "--import",
        "--loader",
        "--experimental-loader",
        "-C",
        "--conditions",
        "--env-file",
        "--title",
        "--icu-data-dir",
        "--openssl-config",
        "--diagnostic-dir",
        "--redirect-warnings",
        "--env-file-if-exists",
        "--input-type",
        "--report-dir",
        "--report-directory",
        "--disable-warning",
    };

    for (size_t i = 0; i < EM_COUNT(options); i++)
        if (strcmp(options[i], option) == 0)
            return true;
    return false;
}

static bool no_script(const char *option)
{
    static const char *const options[] = {"-",      "-e",    "--eval",        "-p", "--print",
                                          "-pe",    "-i",    "--interactive", "-v", "-h",
                                          "--test", "--run", "inspect"};

    for (size_t i = 0; i < EM_COUNT(options); i++)
        if (strcmp(options[i], option) == 0)
            return true;
    return em_starts(option, "--run=") || em_starts(option, "--eval=");
}

size_t em_node_script(char *const *words, size_t count)
{
    size_t i = 0;

    while (i < count && !em_node_is(words[i]))
        i++;
    for (i++; i < count; i++) {
        if (no_script(words[i]))
            return 0;
        if (strcmp(words[i], "--") == 0)
            return i + 1 < count ? i + 1 : 0;
        if (words[i][0] != '-')
            return i;
        i += takes_word(words[i]);
    }
    return 0;
}
