/* embark's own words. Each command takes the configuration and the words after its name, logs what
 * is to be said and returns the exit code. */
#ifndef EMBARK_COMMANDS_COMMANDS_H
#define EMBARK_COMMANDS_COMMANDS_H

#include "embark/core/config.h"

/* X(name, needs configuration, help) */
#define EM_COMMANDS(X)                                                                     \
    X(run, true, "[--] [COMMAND [ARG…]]",                                                  \
      "start-up steps, then exec COMMAND (default: [service] command)")                    \
    X(check, true, "[--json | --write | --stamp] [--sql FILE…] [--] [COMMAND [ARG…]]",     \
      "what needs no database: requirements, the command; for a Dockerfile's RUN")         \
    X(wait, true, "", "waits for the database and for what [wait] names, then exits")      \
    X(migrate, true, "[--dry-run | --status | --resolve FILE [--as applied|pending]]",     \
      "all steps up to and including the migrations, then exits")                          \
    X(sql, true, "[-v NAME=VALUE…] [-1] [--on-error stop|continue] FILE…",                 \
      "runs SQL files as psql would (- is standard input), once the database is ready")    \
    X(health, true, "[--start | --live | --ready] [URL | HOST:PORT]",                      \
      "the healthcheck: 0 healthy, 1 not, and one line saying why")                        \
    X(help, false, "[TOPIC]", "this, or: config, exit-codes, a command's or a key's name") \
    X(version, false, "", "embark's version and those of the libraries in it")

struct em_call {
    const struct em_config *config; /* NULL for commands that need none */
    bool named;        /* the command was given by its name: `embark run …`, not `embark …` */
    char *const *argv; /* the words after the command's name; NULL-terminated */
};

#define X(name, needs, words, text) int em_command_##name(const struct em_call *call);
EM_COMMANDS(X)
#undef X

/* `embark help` for main's usage errors. */
void em_help_usage(struct em_str *out);

#endif
