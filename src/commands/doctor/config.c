/* doctor: the configuration. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "embark/core/redact/command_secrets.h"

#define SECTION "configuration"

static void add_err(struct em_doctor_rows *looks, enum em_mark mark, const struct em_err *err)
{
    em_doctor_row_add_err(looks, SECTION, mark == EM_MARK_BAD ? "mistake" : "warning", mark, err);
}

void em_doctor_mistakes(struct em_doctor *d)
{
    const struct em_call *call = d->call;
    const struct em_list *skip = &call->config->skip;
    EM_STR_AUTO names = EM_STR_INIT;
    if (call->config->path)
        em_doctor_row_add(&d->looks, SECTION, "file", EM_MARK_NONE, 0, "%s", call->config->path);
    else if (!call->mistakes->n)
        em_doctor_row_add(&d->looks, SECTION, "file", EM_MARK_NONE, 0,
                          "none: the environment is all that a start goes by");
    for (size_t i = 0; i < skip->n; i++)
        em_str_printf(&names, "%s%s", i ? ", " : "", skip->v[i]);
    if (skip->n)
        em_doctor_row_add(&d->looks, SECTION, "skipped", EM_MARK_WARN, 0, "%s ($EMBARK_SKIP)",
                          em_str_c(&names));
    for (size_t i = 0; i < call->mistakes->n; i++)
        add_err(&d->looks, EM_MARK_BAD, &call->mistakes->v[i]);
    for (size_t i = 0; i < call->warnings->n; i++)
        add_err(&d->looks, EM_MARK_WARN, &call->warnings->v[i]);
}

/* ---- Values ------------------------------------------------------------------------------------ */

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static const char *database_origin(const struct em_doctor *d)
{
    if (!d->steps.has_database)
        return NULL;
    return is_set("DATABASE_URL")        ? "$DATABASE_URL"
           : is_set("DATABASE_URL_FILE") ? "$DATABASE_URL_FILE"
                                         : "PG* variables";
}

/* A target that was understood is shown without its secrets. */
static const struct em_url *url_of(const struct em_doctor *d, const struct em_key *key)
{
    const struct em_url *url = key == &em_keys[EM_AT_database_url]          ? &d->steps.url
                               : key == &em_keys[EM_AT_database_direct_url] ? &d->steps.direct
                               : key == &em_keys[EM_AT_bootstrap_url]       ? &d->steps.superuser
                                                                            : NULL;
    return url && url->keys.n ? url : NULL;
}

const char *em_doctor_value(const struct em_doctor *d, const struct em_key *key,
                            struct em_str *value)
{
    const struct em_config *config = d->call->config;
    const char *origin = config->origin[key - em_keys];
    const struct em_url *url = url_of(d, key);
    if (url)
        em_url_print(url, false, value);
    else if (key->type == EM_KEY_WORDS)
        em_command_print(key == &em_keys[EM_AT_service_command] ? config->service_command.v
                                                                : config->migrate_command.v,
                         true, value);
    else
        em_config_print(config, key, value);
    return origin || key != &em_keys[EM_AT_database_url] ? origin : database_origin(d);
}

/* These are shown value by value where they are looked at. */
static bool shown_elsewhere(const struct em_key *key)
{
    static const char *const sections[] = {"require", "bundle", "image"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(key->section, sections[i]) == 0)
            return true;
    return key == &em_keys[EM_AT_service_command] ||
           (key->type == EM_KEY_LIST && strcmp(key->section, "wait") == 0);
}

void em_doctor_values(struct em_doctor *d, bool all)
{
    size_t defaults = 0;
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        const struct em_key *key = &em_keys[i];
        EM_STR_AUTO name = EM_STR_INIT;
        EM_STR_AUTO value = EM_STR_INIT;
        const char *origin = em_doctor_value(d, key, &value);
        defaults += origin == NULL;
        if (!all && (!origin || shown_elsewhere(key)))
            continue;
        em_str_printf(&name, "%s.%s", key->section, key->name);
        em_doctor_row_add(&d->looks, SECTION, em_str_c(&name), EM_MARK_NONE, 0, "%s (%s)",
                          value.len ? em_str_c(&value) : "not set", origin ? origin : "default");
    }
    if (!all)
        em_doctor_row_add(&d->looks, SECTION, "others", EM_MARK_NONE, 0,
                          "%zu keys have their defaults: --all shows them", defaults);
}
