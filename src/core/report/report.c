#include "embark/core/report/report.h"

#include <stdlib.h>
#include <string.h>

static struct em_report_item *add_item(struct em_report *report, const char *section, bool failed,
                                       struct em_err *err)
{
    struct em_report_item *item;

    report->v = em_realloc(report->v, report->n + 1, sizeof(*report->v));
    item = &report->v[report->n++];
    *item = (struct em_report_item){section, failed, *err};
    *err = (struct em_err)EM_ERR_INIT;
    return item;
}

void em_report_fail(struct em_report *report, const char *section, struct em_err *err)
{
    if (err->code)
        add_item(report, section, true, err);
}

void em_report_fail_all(struct em_report *report, const char *section, struct em_errs *errs)
{
    for (size_t i = 0; i < errs->n; i++)
        add_item(report, section, true, &errs->v[i]);
}

void em_report_warn_all(struct em_report *report, const char *section, struct em_errs *errs)
{
    for (size_t i = 0; i < errs->n; i++)
        add_item(report, section, false, &errs->v[i]);
}

void em_report_free(struct em_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        em_err_free(&report->v[i].err);
    free(report->v);
    em_list_free(&report->hosts);
    *report = (struct em_report)EM_REPORT_INIT;
}

int em_report_code(const struct em_report *report)
{
    int code = 0;

    for (size_t i = 0; i < report->n; i++) {
        const struct em_report_item *item = &report->v[i];

        if (item->failed && item->err.code == EM_EXIT_REQUIREMENT)
            return EM_EXIT_REQUIREMENT;
        if (item->failed && !code)
            code = item->err.code;
    }
    return code;
}

/* ---- Findings -------------------------------------------------------------------------------- */

static const struct {
    const char *section, *key, *expected;
} expectations[] = {
    {"require", "module", "found where the service looks for it"},
    {"require", "import", "can be imported"},
    {"require", "manifest", "all that it names is installed, in a version that it allows"},
    {"require", "command", "a program that can be executed, with all that it needs"},
    {"require", "file", "a regular file that can be read"},
    {"require", "dir", "a directory that can be entered"},
    {"require", "mount", "a mount point"},
    {"require", "writable", "can be written"},
    {"require", "env", "set, and not empty"},
    {"bundle", "dir", "a directory with the bundle's files"},
    {"bundle", "inlined", "its value stands in the bundle"},
    {"bundle", "forbid", "stands nowhere in the bundle"},
    {"image", "build", "what the deployment expects"},
    {"migrate", "command", "can be executed"},
    {"service", "command", "can be executed"},
};

static const char *expected_of(const char *section, const char *key)
{
    for (size_t i = 0; i < EM_COUNT(expectations); i++)
        if (strcmp(expectations[i].section, section) == 0 && strcmp(expectations[i].key, key) == 0)
            return expectations[i].expected;
    return "nothing wrong with it";
}

static struct em_finding *add(struct em_findings *findings, const char *section, const char *key)
{
    struct em_finding *f;

    findings->v = em_realloc(findings->v, findings->n + 1, sizeof(*findings->v));
    f = &findings->v[findings->n++];
    *f = (struct em_finding){.section = section, .key = key};
    f->expected = em_strdup(expected_of(section, key));
    return f;
}

/* The length of a text without " (PLACE)" at its end; `place` is set to where PLACE begins. */
static size_t cut_place(const char *text, const char **place)
{
    size_t length = strlen(text);
    const char *open;

    *place = NULL;
    if (!em_ends(text, ")"))
        return length;
    for (open = text + length; open > text && strncmp(open, " (", 2) != 0; open--) {
    }
    if (open == text)
        return length;
    *place = open + 2;
    return (size_t)(open - text);
}

/* "FILE:LINE:COLUMN: what was found", as of SQL files. False: it isn't. */
static bool take_located(struct em_finding *f, const char *text)
{
    const char *colon = strstr(text, ": ");

    if (!colon || colon == text || colon[-1] < '0' || colon[-1] > '9' ||
        !memchr(text, ':', (size_t)(colon - text)))
        return false;
    f->key = "sql";
    f->place = em_strndup(text, (size_t)(colon - text));
    f->value = em_strndup(text, strcspn(text, ":"));
    f->found = em_strdup(colon + 2);
    return true;
}

static struct em_finding *add_item_of(struct em_findings *findings,
                                      const struct em_report_item *item, const char *key)
{
    struct em_finding *f = add(findings, item->section, key);

    f->code = item->err.code;
    if (item->err.hint.len)
        f->hint = em_strdup(em_str_c(&item->err.hint));
    return f;
}

/* Takes "KEY VALUE: found (PLACE)" apart. VALUE may hold ": ", where it is `value`. */
static void add_failure(struct em_findings *findings, const struct em_report_item *item,
                        const char *key, const char *value)
{
    const char *text = em_str_c(&item->err.text), *place, *rest = text + strlen(key) + 1, *colon;
    size_t length = cut_place(text, &place), n = strlen(value);
    struct em_finding *f = add_item_of(findings, item, key);

    colon =
        strncmp(rest, value, n) == 0 && em_starts(rest + n, ": ") ? rest + n : strstr(rest, ": ");
    f->value = colon ? em_strndup(rest, (size_t)(colon - rest)) : em_strdup(value);
    rest = colon ? colon + 2 : rest;
    f->found = em_strndup(rest, text + length > rest ? (size_t)(text + length - rest) : 0);
    if (place)
        f->place = em_strndup(place, strlen(place) - 1);
}

/* What is not a key's value: a SQL file's place, or a command: "NAME: what is wrong". */
static void add_other(struct em_findings *findings, const struct em_config *config,
                      const struct em_report_item *item)
{
    const char *text = em_str_c(&item->err.text), *colon = strstr(text, ": ");
    struct em_finding *f = add_item_of(findings, item, "command");
    const char *place =
        strcmp(item->section, "migrate") == 0 ? config->origin[EM_AT_migrate_command] : NULL;

    if (take_located(f, text)) {
        free(f->expected);
        f->expected = em_strdup(expected_of(item->section, f->key));
        return;
    }
    f->value = em_strndup(text, colon ? (size_t)(colon - text) : 0);
    f->found = em_strdup(colon ? colon + 2 : text);
    if (place)
        f->place = em_strdup(place);
}

static bool is_of(const struct em_report_item *item, const char *section, const char *key)
{
    const char *text = em_str_c(&item->err.text);
    size_t n = strlen(key);

    return item->failed && strcmp(item->section, section) == 0 && strncmp(text, key, n) == 0 &&
           text[n] == ' ';
}

/* Whether a text that goes on with ": " is of this value: of it as it stands, of the path of a rule
 * ("public : not-empty"), or of the program that a command's name stands for. */
static bool names(const char *text, const char *value)
{
    const char *rule = strstr(value, " : "), *colon = strstr(text, ": ");
    size_t n = strlen(value), length = colon ? (size_t)(colon - text) : 0;

    if (strncmp(text, value, n) == 0 && em_starts(text + n, ": "))
        return true;
    if (rule && (size_t)(rule - value) == length && strncmp(text, value, length) == 0)
        return true;
    return length > n && text[length - n - 1] == '/' && strncmp(colon - n, value, n) == 0;
}

/* Whether a failure is one of this value: it has its place, and, where that has several values,
 * names it. */
static bool is_of_value(const struct em_report_item *item, const struct em_key *key,
                        const struct em_items *items, size_t i)
{
    const char *text = em_str_c(&item->err.text), *place;
    size_t n = strlen(items->where[i]);

    if (!is_of(item, key->section, key->name))
        return false;
    cut_place(text, &place);
    if (!place || strncmp(place, items->where[i], n) != 0 || place[n] != ')')
        return false;
    if (strcmp(key->name, "module") == 0 || strcmp(key->name, "import") == 0 ||
        strcmp(key->name, "manifest") == 0)
        return true; /* one line's failures name its parts */
    return names(text + strlen(key->name) + 1, items->v[i]);
}

static void add_value(struct em_findings *findings, const struct em_report *report, bool *used,
                      const struct em_key *key, const struct em_items *items, size_t i)
{
    bool failed = false;
    struct em_finding *f;

    for (size_t k = 0; k < report->n; k++)
        if (!used[k] && is_of_value(&report->v[k], key, items, i)) {
            add_failure(findings, &report->v[k], key->name, items->v[i]);
            used[k] = failed = true;
        }
    if (failed)
        return;
    f = add(findings, key->section, key->name);
    f->ok = true;
    f->value = em_strdup(items->v[i]);
    f->place = em_strdup(items->where[i]);
    f->found = em_strdup("");
}

static void add_image(struct em_findings *findings, const struct em_config *config,
                      const struct em_report *report, bool *used)
{
    const char *build = config->image_build, *expect = config->image_expect;
    struct em_finding *f = NULL;

    for (size_t k = 0; k < report->n && !f; k++)
        if (report->v[k].failed && strcmp(report->v[k].section, "image") == 0) {
            f = add_item_of(findings, &report->v[k], "build");
            f->found = em_strdup(em_str_c(&report->v[k].err.text));
            used[k] = true;
        }
    if (!f) {
        if (!build || !*build || !expect || !*expect)
            return;
        f = add(findings, "image", "build");
        f->ok = true;
        f->found = em_strdup("");
    }
    f->value = em_strdup(build ? build : "");
    if (config->origin[EM_AT_image_build])
        f->place = em_strdup(config->origin[EM_AT_image_build]);
}

static bool of_the_deployment(const struct em_key *key)
{
    return strcmp(key->section, "require") == 0 &&
           (strcmp(key->name, "env") == 0 || strcmp(key->name, "mount") == 0);
}

void em_findings_of(const struct em_config *config, const struct em_report *report, bool build_time,
                    struct em_findings *findings)
{
    bool *used = em_alloc(report->n + 1);

    *findings = (struct em_findings){0};
    for (size_t k = 0; k < EM_KEY_COUNT; k++) {
        const struct em_key *key = &em_keys[k];
        const struct em_items *items = (const void *)((const char *)config + key->offset);
        bool ours = strcmp(key->section, "require") == 0 || strcmp(key->section, "bundle") == 0;

        if (!ours || (key->type != EM_KEY_LIST && key->type != EM_KEY_NAMES) ||
            (build_time && of_the_deployment(key)))
            continue;
        for (size_t i = 0; i < items->n; i++)
            add_value(findings, report, used, key, items, i);
    }
    add_image(findings, config, report, used);
    for (size_t k = 0; k < report->n; k++)
        if (report->v[k].failed && !used[k])
            add_other(findings, config, &report->v[k]);
    free(used);
}

void em_findings_free(struct em_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        struct em_finding *f = &findings->v[i];

        free(f->value);
        free(f->place);
        free(f->expected);
        free(f->found);
        free(f->hint);
    }
    free(findings->v);
    *findings = (struct em_findings){0};
}
