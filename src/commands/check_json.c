#include "check_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"

/* JSON is UTF-8, and what is found needn't be. */
static json_t *string(const char *text)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    EM_STR_AUTO shown = EM_STR_INIT;
    if (!text)
        return json_null();
    em_str_puts(&clean, text);
    em_redact(em_log_secrets(), &clean);
    em_escape(&shown, em_str_c(&clean), clean.len);
    return json_string(em_str_c(&shown));
}

static json_t *check(const struct em_finding *f)
{
    json_t *object = json_object();
    json_object_set_new(object, "section", string(f->section));
    json_object_set_new(object, "key", string(f->key));
    json_object_set_new(object, "value", string(f->value));
    json_object_set_new(object, "place", string(f->place));
    json_object_set_new(object, "ok", json_boolean(f->ok));
    json_object_set_new(object, "expected", string(f->expected));
    json_object_set_new(object, "found", string(f->found));
    json_object_set_new(object, "hint", string(f->hint));
    return object;
}

static json_t *warning(const struct em_report_item *item)
{
    json_t *object = json_object();
    json_object_set_new(object, "section", string(item->section));
    json_object_set_new(object, "text", string(em_str_c(&item->err.text)));
    json_object_set_new(object, "hint",
                        string(item->err.hint.len ? em_str_c(&item->err.hint) : NULL));
    return object;
}

static int put(const json_t *document)
{
    char *text = json_dumps(document, JSON_INDENT(2));
    bool good = text && em_put(STDOUT_FILENO, text, strlen(text)) && em_put(STDOUT_FILENO, "\n", 1);
    free(text);
    return good ? 0 : EM_EXIT_SYSTEM;
}

int em_check_json(const struct em_config *config, const struct em_report *report, int code)
{
    json_t *document = json_object(), *checks = json_array(), *warnings = json_array(),
           *hosts = json_array();
    struct em_findings findings;
    em_findings_of(config, report, true, &findings);
    for (size_t i = 0; i < findings.n; i++)
        json_array_append_new(checks, check(&findings.v[i]));
    for (size_t i = 0; i < report->n; i++)
        if (!report->v[i].failed)
            json_array_append_new(warnings, warning(&report->v[i]));
    for (size_t i = 0; i < report->hosts.n; i++)
        json_array_append_new(hosts, string(report->hosts.v[i]));
    json_object_set_new(document, "ok", json_boolean(code == 0));
    json_object_set_new(document, "code", json_integer(code));
    json_object_set_new(document, "checks", checks);
    json_object_set_new(document, "warnings", warnings);
    json_object_set_new(document, "hosts", hosts);
    code = put(document);
    json_decref(document);
    em_findings_free(&findings);
    return code;
}
