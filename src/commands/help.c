#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/os/files.h"
#include "embark/os/log.h"
#include "version.h"

struct word {
    const char *name, *words, *help;
};

static const struct word commands[] = {
#define X(name, use, words, text) {#name, words, text},
    EM_COMMANDS(X)
#undef X
};

static const struct {
    const char *name;
    int value;
    const char *text;
} exits[] = {
#define X(name, value, text) {#name, value, text},
    EM_EXITS(X)
#undef X
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void em_help_usage(struct em_str *out)
{
    em_str_puts(out, "embark [OPTION…] [--] COMMAND [ARG…]   start-up steps, then exec COMMAND\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        em_str_printf(out, "embark %-8s%-24s %s\n", commands[i].name, commands[i].words,
                      commands[i].help);
    em_str_puts(
        out,
        "\nOptions, before COMMAND:\n"
        "  --config FILE   the configuration (default: $EMBARK_CONFIG, ./embark.ini, "
        "/etc/embark.ini)\n"
        "  -h, --help      this\n"
        "  --version       embark's version\n"
        "\nEMBARK_SKIP=wait,check,migrate (or all) leaves steps out. EMBARK_<SECTION>_<KEY> sets a "
        "key.\n"
        "A bare shell (sh, bash; alone or with -i, -l) is started at once, without any step.\n"
        "More: embark help config, embark help exit-codes, embark help COMMAND, embark help KEY\n");
}

const char *em_help_exit(int code)
{
    for (size_t i = 0; i < COUNT(exits); i++)
        if (exits[i].value == code)
            return exits[i].text;
    return NULL;
}

static void exit_codes(struct em_str *out)
{
    for (size_t i = 0; i < COUNT(exits); i++)
        em_str_printf(out, "%5d  %s\n", exits[i].value, exits[i].text);
    em_str_puts(out, "128+n  ended by signal n (143: SIGTERM, 130: SIGINT)\n"
                     "other  the service's own\n");
}

static bool help_command(const char *topic, struct em_str *out)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i].name, topic) == 0) {
            em_str_printf(out, "embark %s %s\n  %s\n", topic, commands[i].words, commands[i].help);
            return true;
        }
    return false;
}

static void key_entry(const struct em_key *key, struct em_str *out)
{
    EM_STR_AUTO env = EM_STR_INIT;
    EM_STR_AUTO fallback = EM_STR_INIT;
    em_key_env(key, &env);
    if (key->type == EM_KEY_CHOICE)
        em_choice_word(key, 0, &fallback);
    else
        em_str_puts(&fallback, *key->fallback ? key->fallback : "not set");
    em_str_printf(out, "[%s] %s\n  %s\n", key->section, key->name, key->help);
    if (key->type == EM_KEY_CHOICE)
        em_str_printf(out, "  one of: %s\n", key->fallback);
    em_str_printf(out, "  default: %s\n  from outside: %s\n", em_str_c(&fallback), em_str_c(&env));
}

/* "lock_timeout", "migrate.lock_timeout" or "EMBARK_MIGRATE_LOCK_TIMEOUT"; a name that several
 * sections have shows all of them. */
static bool help_key(const char *topic, struct em_str *out)
{
    bool found = false;
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO dotted = EM_STR_INIT;
        EM_STR_AUTO env = EM_STR_INIT;
        em_str_printf(&dotted, "%s.%s", em_keys[i].section, em_keys[i].name);
        em_key_env(&em_keys[i], &env);
        if (strcmp(topic, em_keys[i].name) == 0 || strcmp(topic, em_str_c(&dotted)) == 0 ||
            strcmp(topic, em_str_c(&env)) == 0) {
            key_entry(&em_keys[i], out);
            found = true;
        }
    }
    return found;
}

static int print(const struct em_str *text)
{
    return em_put(STDOUT_FILENO, em_str_c(text), text->len) ? 0 : EM_EXIT_SYSTEM;
}

int em_command_help(const struct em_call *call)
{
    EM_STR_AUTO out = EM_STR_INIT;
    const char *topic = call->argv[0];
    if (!topic)
        em_help_usage(&out);
    else if (strcmp(topic, "config") == 0)
        em_config_help(&out);
    else if (strcmp(topic, "exit-codes") == 0)
        exit_codes(&out);
    else if (!help_command(topic, &out) && !help_key(topic, &out)) {
        em_log_hint(EM_LOG_ERROR, NULL, "embark help lists the topics", "no help on \"%s\"", topic);
        return EM_EXIT_USAGE;
    }
    return print(&out);
}

int em_command_version(const struct em_call *call)
{
    EM_STR_AUTO out = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (em_no_words("version", call->argv, &err) != 0) {
        em_log_err(EM_LOG_ERROR, NULL, &err);
        return EM_EXIT_USAGE;
    }
    em_str_printf(&out, "embark %s (%s)\n", EMBARK_VERSION, EMBARK_LIBRARIES);
    return print(&out);
}
