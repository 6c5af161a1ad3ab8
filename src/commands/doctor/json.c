/* doctor --json. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "embark/core/report/screen.h"
#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "embark/os/machine/host.h"
#include "version.h"

/* JSON is UTF-8, and what is found needn't be. */
static json_t *string(const char *text)
{
    EM_STR_AUTO shown = EM_STR_INIT;
    if (!text)
        return json_null();
    em_screen_clean(text, em_log_secrets(), &shown);
    return json_string(em_str_c(&shown));
}

static json_t *strings(const struct em_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, string(list->v[i]));
    return array;
}

static const char *mark_name(enum em_mark mark)
{
    switch (mark) {
    case EM_MARK_OK:
        return "ok";
    case EM_MARK_WARN:
        return "warning";
    case EM_MARK_BAD:
        return "bad";
    case EM_MARK_NONE:
    default:
        return "info";
    }
}

static json_t *look(const struct em_doctor_row *l)
{
    json_t *object = json_object();
    json_object_set_new(object, "section", string(l->section));
    json_object_set_new(object, "key", string(l->key));
    json_object_set_new(object, "mark", string(mark_name(l->mark)));
    json_object_set_new(object, "code", json_integer(l->code));
    json_object_set_new(object, "text", string(l->text));
    json_object_set_new(object, "hint", string(l->hint));
    json_object_set_new(object, "names", strings(&l->names));
    return object;
}

static json_t *looks(const struct em_doctor_rows *rows)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows->n; i++)
        json_array_append_new(array, look(&rows->v[i]));
    return array;
}

static json_t *value(const struct em_doctor *d, const struct em_key *key)
{
    EM_STR_AUTO text = EM_STR_INIT;
    const char *origin = em_doctor_value(d, key, &text);
    json_t *object = json_object();
    json_object_set_new(object, "section", string(key->section));
    json_object_set_new(object, "key", string(key->name));
    json_object_set_new(object, "value", string(text.len ? em_str_c(&text) : NULL));
    json_object_set_new(object, "origin", string(origin));
    return object;
}

static json_t *configuration(const struct em_doctor *d)
{
    json_t *object = json_object(), *values = json_array();
    for (size_t i = 0; i < EM_KEY_COUNT; i++)
        json_array_append_new(values, value(d, &em_keys[i]));
    json_object_set_new(object, "file", string(d->call->config->path));
    json_object_set_new(object, "inferred_from", strings(&d->from));
    json_object_set_new(object, "skip", strings(&d->call->config->skip));
    json_object_set_new(object, "values", values);
    return object;
}

int em_doctor_json(const struct em_doctor *d, int code, const char *verdict)
{
    EM_STR_AUTO host = EM_STR_INIT;
    json_t *document = json_object();
    const struct em_doctor_row *cause = em_doctor_rows_cause(&d->looks, code);
    em_host_name(&host);
    json_object_set_new(document, "embark", string(EMBARK_VERSION));
    json_object_set_new(document, "host", string(em_str_c(&host)));
    json_object_set_new(document, "code", json_integer(code));
    json_object_set_new(document, "verdict", string(verdict));
    json_object_set_new(document, "cause", cause ? look(cause) : json_null());
    json_object_set_new(document, "configuration", configuration(d));
    json_object_set_new(document, "looks", looks(&d->looks));
    json_object_set_new(document, "hosts", strings(&d->report.hosts));
    char *text = json_dumps(document, JSON_INDENT(2));
    bool good = text && em_put(STDOUT_FILENO, text, strlen(text)) && em_put(STDOUT_FILENO, "\n", 1);
    free(text);
    json_decref(document);
    return good ? 0 : EM_EXIT_SYSTEM;
}
