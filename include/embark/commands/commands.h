/* embark's own words. Each command takes the configuration and the words after its name, logs what
 * is to be said and returns the exit code. */
#ifndef EMBARK_COMMANDS_COMMANDS_H
#define EMBARK_COMMANDS_COMMANDS_H

#include "embark/core/config/config.h"

/* What a command is given of the configuration. */
enum em_config_use {
    EM_CONFIG_NONE, /* it isn't looked for */
    EM_CONFIG_GOOD, /* without a mistake; else the command isn't called */
    EM_CONFIG_ANY,  /* what could be read of it, and the mistakes */
};

/* X(name, use of the configuration, words, help) */
#define EM_COMMANDS(X)                                                                             \
    X(run, EM_CONFIG_GOOD, "[--] [COMMAND [ARG…]]",                                                \
      "start-up steps, then exec COMMAND (default: [service] command)")                            \
    X(check, EM_CONFIG_GOOD, "[--json | --write | --stamp] [--sql FILE…] [--] [COMMAND [ARG…]]",   \
      "what needs no database: requirements, the command; for a Dockerfile's RUN")                 \
    X(wait, EM_CONFIG_GOOD, "", "waits for the database and for what [wait] names, then exits")    \
    X(migrate, EM_CONFIG_GOOD,                                                                     \
      "[--dry-run | --status | --wait | --resolve FILE [--as applied|pending] | --baseline FILE]", \
      "all steps up to and including the migrations, then exits")                                  \
    X(sql, EM_CONFIG_GOOD,                                                                         \
      "[-v NAME=VALUE…] [-1] [--on-error stop|continue] FILE… | --print-bootstrap",                \
      "runs SQL files as psql would (- is standard input), once the database is ready")            \
    X(health, EM_CONFIG_GOOD, "[--start | --live | --ready] [URL | HOST:PORT]",                    \
      "the healthcheck: 0 healthy, 1 not, and one line saying why")                                \
    X(doctor, EM_CONFIG_ANY, "[--json | --all] [--] [COMMAND [ARG…]]",                             \
      "looks at everything, changes nothing, and says what a start would do")                      \
    X(help, EM_CONFIG_NONE, "[TOPIC]",                                                             \
      "this, or: config, exit-codes, failures, a command, a key, an exit code, an SQLSTATE")       \
    X(version, EM_CONFIG_NONE, "", "embark's version and those of the libraries in it")

struct em_call {
    const struct em_config *config; /* NULL for commands that need none */
    bool named;        /* the command was given by its name: `embark run …`, not `embark …` */
    char *const *argv; /* the words after the command's name; NULL-terminated */
    const struct em_errs *mistakes, *warnings; /* the configuration's; for EM_CONFIG_ANY */
};

#define X(name, use, words, text) int em_command_##name(const struct em_call *call);
EM_COMMANDS(X)
#undef X

/* The healthcheck's one line where it can't even begin: a wrong configuration. 1. The text is
 * changed in place. */
int em_health_refuse(struct em_err *err);

/* `embark help` for main's usage errors. */
void em_help_usage(struct em_str *out);
/* What an exit code of embark's says: "a requirement is missing from the image"; NULL: none has it.
 */
const char *em_help_exit(int code);

#endif
