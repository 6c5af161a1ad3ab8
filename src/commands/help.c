#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/core/base/nearest.h"
#include "embark/core/help/explain.h"
#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "embark/start/context.h"
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

void em_help_usage(struct em_str *out)
{
    em_str_puts(out, "embark [OPTION…] [--] COMMAND [ARG…]\n"
                     "    start-up steps, then exec COMMAND\n");
    for (size_t i = 0; i < EM_COUNT(commands); i++)
        em_str_printf(out, "embark %s%s%s\n    %s\n", commands[i].name,
                      *commands[i].words ? " " : "", commands[i].words, commands[i].help);
    em_str_puts(
        out,
        "\nOptions, before COMMAND:\n"
        "  --config FILE   the configuration (default: $EMBARK_CONFIG, ./embark.ini, "
        "/etc/embark.ini)\n"
        "  -h, --help      this\n"
        "  --version       embark's version\n"
        "\nEMBARK_SKIP=check,wait,bootstrap,migrate (or all) leaves steps out.\n"
        "EMBARK_<SECTION>_<KEY> sets a key.\n"
        "EMBARK_LOG=debug, or json, or json,debug: how much is said, and how.\n"
        "A bare shell (sh, bash; alone or with -i, -l) is started at once, without any step.\n"
        "\nembark help TOPIC: config, exit-codes, failures; a command, a section or a key of the\n"
        "configuration; what an error ended with: an exit code (77), an SQLSTATE (28P01)\n");
}

const char *em_help_exit(int code)
{
    return em_exit_text(code);
}

static void exit_codes(struct em_str *out)
{
    for (size_t i = 0; i < EM_COUNT(exits); i++)
        em_str_printf(out, "%5d  %s\n", exits[i].value, exits[i].text);
    em_str_puts(out, "128+n  ended by signal n (143: SIGTERM, 130: SIGINT)\n"
                     "other  the service's own\n"
                     "\nWhat to do: embark help CODE\n");
}

static void failures(struct em_str *out)
{
    const char *name, *title;
    for (size_t i = 0; em_explain_topic(i, &name, &title); i++)
        em_str_printf(out, "%-18s %s\n", name, title);
    em_str_puts(out,
                "\nWhat it is, and what to do: embark help NAME. Any other failure: embark help "
                "CODE,\nthe exit code or the SQLSTATE that its message ends in.\n");
}

/* A command's own options. */
static const char *options_of(const char *command)
{
    static const char options[] =
        "check\0"
        "  --json      one document on standard output\n"
        "  --sql FILE  looks at this file, too; may be repeated\n"
        "  --write     prints a starting configuration, made from what is there\n"
        "  --stamp     prints the Dockerfile's lines that set [image] build\n\0"
        "migrate\0"
        "  --dry-run       says what a start would do, and why\n"
        "  --status        lists the last runs, and what is pending by name\n"
        "  --wait          waits until another one's run has applied this image's migrations;\n"
        "                  takes no lock, runs nothing\n"
        "  --resolve FILE  a file of [migrate] sql that failed half-way counts as applied,\n"
        "                  or, with --as pending, is run again\n"
        "  --baseline FILE the files of [migrate] sql up to and with this one count as applied;\n"
        "                  none: none does; all: each one does, also of a command\n\0"
        "sql\0"
        "  -v NAME=VALUE       sets a variable; may be repeated\n"
        "  -1                  all files in one transaction\n"
        "  --on-error WHAT     stop (the default) or continue, after a statement that failed\n"
        "  --print-bootstrap   prints what [bootstrap] would send, without passwords\n\0"
        "health\0"
        "  --start  only whether the service was started\n"
        "  --live   not the database: a restart of the service would not mend it\n"
        "  --ready  all; the default\n\0"
        "doctor\0"
        "  --json  one document, with every value of the configuration\n"
        "  --all   the screen shows the values that are the default, too\n\0";
    for (const char *at = options; *at; at += strlen(at) + 1) {
        const char *text = at + strlen(at) + 1;
        if (strcmp(at, command) == 0)
            return text;
        at = text;
    }
    return "";
}

static bool help_command(const char *topic, struct em_str *out)
{
    for (size_t i = 0; i < EM_COUNT(commands); i++)
        if (strcmp(commands[i].name, topic) == 0) {
            em_str_printf(out, "embark %s%s%s\n  %s\n%s", topic, *commands[i].words ? " " : "",
                          commands[i].words, commands[i].help, options_of(topic));
            return true;
        }
    return false;
}

/* How a value of the kind is written. */
static const char *syntax_of(const struct em_key *key)
{
    switch (key->type) {
    case EM_KEY_TIME:
        return "a time: 500ms, 30s, 1m30s, 2h; none is no limit";
    case EM_KEY_BOOL:
        return "yes or no";
    case EM_KEY_CHOICE:
        return key->fallback;
    case EM_KEY_WORDS:
        return "words, split as a shell does it; for pipes and the like: sh -c '...'";
    case EM_KEY_LIST:
        return "one a line; may be repeated, in the file and from outside";
    case EM_KEY_NAMES:
        return "names, separated by commas or blanks; may be repeated";
    case EM_KEY_TEXT:
    case EM_KEY_SECRET:
        break;
    }
    return "a text, as it stands: quotes belong to it";
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
    em_str_printf(out, "  %s: %s\n", key->type == EM_KEY_CHOICE ? "one of" : "value",
                  syntax_of(key));
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

/* "wait" is a command and a section. */
static bool help_section(const char *topic, struct em_str *out)
{
    EM_STR_AUTO section = EM_STR_INIT;
    em_config_help(topic, &section);
    if (section.len && out->len)
        em_str_putc(out, '\n');
    em_str_add(out, em_str_c(&section), section.len);
    return section.len > 0;
}

static int no_help(const char *topic)
{
    struct em_nearest near;
    const char *name, *title;
    em_nearest_start(&near, topic);
    for (size_t i = 0; i < EM_COUNT(commands); i++)
        em_nearest_try(&near, commands[i].name);
    for (size_t i = 0; i < EM_KEY_COUNT; i++)
        em_nearest_try(&near, em_keys[i].name);
    for (size_t i = 0; em_explain_topic(i, &name, &title); i++)
        em_nearest_try(&near, name);
    if (near.found)
        em_log_hint(EM_LOG_ERROR, NULL, "embark help lists the topics",
                    "no help on \"%s\"; did you mean %s?", topic, near.found);
    else
        em_log_hint(EM_LOG_ERROR, NULL, "embark help lists the topics", "no help on \"%s\"", topic);
    return EM_EXIT_USAGE;
}

/* What has a name of its own. A command and a section may share theirs. */
static bool help_name(const char *topic, struct em_str *out)
{
    bool command = help_command(topic, out);
    return help_section(topic, out) || command || help_key(topic, out) || em_explain(topic, out);
}

int em_command_help(const struct em_call *call)
{
    EM_STR_AUTO out = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    const char *topic = call->argv[0];
    /* `embark COMMAND --help` comes here as it stands */
    if (topic && call->argv[1] && strcmp(call->argv[1], "--help") != 0 &&
        strcmp(call->argv[1], "-h") != 0 && em_no_words("help", call->argv + 1, &err) != 0)
        return em_log_failure(NULL, &err);
    if (!topic)
        em_help_usage(&out);
    else if (strcmp(topic, "config") == 0)
        em_config_help(NULL, &out);
    else if (strcmp(topic, "exit-codes") == 0)
        exit_codes(&out);
    else if (strcmp(topic, "failures") == 0)
        failures(&out);
    else if (!help_name(topic, &out))
        return no_help(topic);
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
