/* The parts of `embark doctor`, each of which adds its rows: inside of src/commands/doctor*.c. */
#ifndef EMBARK_COMMANDS_DOCTOR_DOCTOR_H
#define EMBARK_COMMANDS_DOCTOR_DOCTOR_H

#include "embark/commands/commands.h"
#include "embark/core/report/rows.h"
#include "embark/start/context.h"

struct em_doctor {
    const struct em_call *call;
    const struct em_list *service;  /* the service's command, or NULL: not known */
    struct em_start steps;          /* of call->config, a start's */
    const struct em_config *looked; /* what the image and the migrations are looked at by: the
                                       same, or what was inferred from the working directory */
    struct em_config inferred;      /* without a configuration file */
    struct em_list from;            /* what that was inferred from */
    struct em_report report;        /* the check's */
    struct em_doctor_rows looks;
    int check; /* the check's exit code */
};

/* The configuration: mistakes, warnings. */
void em_doctor_mistakes(struct em_doctor *d);
/* Every value of a screen's: those that aren't the default, with `all` the others, too. */
void em_doctor_values(struct em_doctor *d, bool all);
/* The effective value of a key for people, without secrets, and where it comes from (NULL: the
 * default). The origin is valid as long as `d`. */
const char *em_doctor_value(const struct em_doctor *d, const struct em_key *key,
                            struct em_str *value);

/* What needs no database: build, requirements, bundle, SQL files, the commands. EM_EXIT_SYSTEM or
 * 128 + n: could not be looked at. */
int em_doctor_check(struct em_doctor *d);

/* `embark doctor --json` (doc/doctor.schema.json). 0, or EM_EXIT_SYSTEM if it can't be written. */
int em_doctor_json(const struct em_doctor *d, int code, const char *verdict);

#endif
