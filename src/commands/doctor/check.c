/* doctor: what needs no database. */
#include <string.h>

#include "doctor.h"
#include "embark/core/config/parse.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/stages/require/infer.h"

/* Hosts of the bundle that are named on the screen. */
enum { HOSTS_SHOWN = 12 };

/* As `embark check` does without a configuration file. A mistake in there is none of a start's. */
static void infer(struct em_doctor *d)
{
    struct em_config_source world = em_config_source_real;
    EM_STR_AUTO ini = EM_STR_INIT;
    EM_STR_AUTO names = EM_STR_INIT;
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT; /* the environment's, which main has */
    em_infer(d->service, &ini, &d->from);
    if (!d->from.n || !em_config_parse(&d->inferred, "inferred", em_str_c(&ini), ini.len, &world,
                                       em_log_secrets(), &errs, &warnings))
        return;
    d->looked = &d->inferred;
    for (size_t i = 0; i < d->from.n; i++)
        em_str_printf(&names, "%s%s", i ? ", " : "", d->from.v[i]);
    em_doctor_row_add(
        &d->looks, "requirements", "inferred", EM_MARK_NONE, 0,
        "from %s, as there is no configuration; a start would not look at it: embark check "
        "--write makes one",
        em_str_c(&names));
}

static const char *section_of(const struct em_finding *f)
{
    static const struct {
        const char *finding, *section;
    } names[] = {{"image", "image"},
                 {"require", "requirements"},
                 {"bundle", "bundle"},
                 {"migrate", "migrations"},
                 {"bootstrap", "bootstrap"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].finding, f->section) == 0)
            return names[i].section;
    return "requirements";
}

/* A failure of what was inferred is none of a start's, which doesn't look at it. */
static bool is_inferred(const struct em_doctor *d, const struct em_finding *f)
{
    return d->looked == &d->inferred && (!f->place || *f->place != '$');
}

static void add_finding(struct em_doctor *d, const struct em_finding *f)
{
    const char *section = section_of(f);
    size_t n = strlen(f->value);
    /* a SQL file's place names it */
    bool named = !n || (f->place && strncmp(f->place, f->value, n) == 0 && f->place[n] == ':');
    enum em_mark mark = f->ok ? EM_MARK_OK : is_inferred(d, f) ? EM_MARK_WARN : EM_MARK_BAD;
    EM_STR_AUTO text = EM_STR_INIT;
    if (f->ok)
        em_str_puts(&text, f->value);
    else
        em_str_printf(&text, "%s%s%s", named ? "" : f->value, named ? "" : ": ", f->found);
    if (!f->ok && f->place)
        em_str_printf(&text, " (%s)", f->place);
    em_doctor_row_add(&d->looks, section, f->key, mark, f->code, "%s", em_str_c(&text));
    if (f->hint)
        em_doctor_row_hint(&d->looks, "%s", f->hint);
}

static void add_build(struct em_doctor *d, const struct em_finding *f)
{
    const struct em_config *config = d->call->config;
    if (!f) {
        const char *build = config->image_build, *expect = config->image_expect;
        if (build && *build)
            em_doctor_row_add(&d->looks, "image", "build", EM_MARK_NONE, 0, "%s (%s)%s", build,
                              config->origin[EM_AT_image_build],
                              expect && *expect ? ""
                                                : "; the deployment doesn't say what it expects "
                                                  "([image] expect)");
        else
            em_doctor_row_add(&d->looks, "image", "build", EM_MARK_NONE, 0,
                              "not stamped%s%s: embark check --stamp prints a Dockerfile's lines",
                              expect && *expect ? ", and the deployment expects " : "",
                              expect && *expect ? expect : "");
        return;
    }
    em_doctor_row_add(&d->looks, "image", "build", f->ok ? EM_MARK_OK : EM_MARK_BAD, f->code,
                      "%s%s (%s; expected: %s)", f->ok ? f->value : f->found,
                      f->ok ? ", which is what the deployment expects" : "",
                      config->origin[EM_AT_image_build], config->origin[EM_AT_image_expect]);
    if (f->hint)
        em_doctor_row_hint(&d->looks, "%s", f->hint);
}

static void add_findings(struct em_doctor *d)
{
    struct em_findings findings;
    const struct em_finding *build = NULL;
    em_findings_of(d->looked, &d->report, false, &findings);
    for (size_t i = 0; i < findings.n; i++)
        if (strcmp(findings.v[i].section, "image") == 0)
            build = &findings.v[i];
    add_build(d, build);
    for (size_t i = 0; i < findings.n; i++)
        if (&findings.v[i] != build && strcmp(findings.v[i].section, "service") != 0)
            add_finding(d, &findings.v[i]);
    em_findings_free(&findings);
}

static void add_hosts(struct em_doctor *d)
{
    const struct em_list *hosts = &d->report.hosts;
    EM_STR_AUTO line = EM_STR_INIT;
    for (size_t i = 0; i < hosts->n && i < HOSTS_SHOWN; i++)
        em_str_printf(&line, "%s%s", i ? ", " : "", hosts->v[i]);
    if (hosts->n > HOSTS_SHOWN)
        em_str_printf(&line, " and %zu more", hosts->n - HOSTS_SHOWN);
    if (hosts->n)
        em_doctor_row_add(&d->looks, "bundle", "calls", EM_MARK_NONE, 0, "%s", em_str_c(&line));
}

/* em_report_code(), of the rows that are left as failures. */
static int code_since(const struct em_doctor_rows *looks, size_t first)
{
    int code = 0;
    for (size_t i = first; i < looks->n; i++) {
        if (looks->v[i].code == EM_EXIT_REQUIREMENT)
            return EM_EXIT_REQUIREMENT;
        code = code ? code : looks->v[i].code;
    }
    return code;
}

int em_doctor_check(struct em_doctor *d)
{
    struct em_start steps = d->steps;
    size_t first = d->looks.n;
    if (!d->call->config->path && !d->call->mistakes->n)
        infer(d);
    steps.config = d->looked;
    steps.hosts = true;
    steps.timings = (struct em_str)EM_STR_INIT;
    int code = em_start_check(&steps, d->service, &d->report);
    em_str_free(&steps.timings);
    if (code > 128)
        return code;
    if (code == EM_EXIT_SYSTEM || em_config_skips(d->looked, "check")) { /* which was heard */
        add_build(d, NULL);
        d->check = code;
        return 0;
    }
    for (size_t i = 0; i < d->report.n; i++)
        if (!d->report.v[i].failed)
            em_log_err(EM_LOG_WARN, d->report.v[i].section, &d->report.v[i].err);
    add_findings(d);
    add_hosts(d);
    d->check = code_since(&d->looks, first);
    return 0;
}
