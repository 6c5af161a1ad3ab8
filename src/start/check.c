/* The first step: what needs no database (embark(1), "Order of the steps"). */
#include <string.h>

#include "embark/core/config/dir_rule.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/process/spawn.h"
#include "embark/stages/bootstrap/files.h"
#include "embark/stages/bundle/bundle.h"
#include "embark/stages/migrate/check.h"
#include "embark/stages/migrate/own_sql.h"
#include "embark/stages/require/require.h"
#include "embark/stages/service/exec.h"
#include "embark/start/context.h"

/* The longest that an interpreter may take to look for modules. */
#define CHECK_LIMIT EM_SEC(60)
/* Hosts of the bundle that are named in one line. */
enum { HOSTS_SAID = 12 };

/* A stale image: both sides say what they are, and differ. */
static int check_image(const struct em_config *config, struct em_err *err)
{
    const char *build = config->image_build, *expect = config->image_expect;
    if (!build || !*build || !expect || !*expect || strcmp(build, expect) == 0)
        return 0;
    em_fail(err, EM_EXIT_BAKED, "the image is stale: it was built from %s, and %s is expected",
            build, expect);
    em_hint(err, "build it again and pull it where it runs: docker compose build --pull && docker "
                 "compose up -d (or kubectl rollout restart, with the new tag)");
    return EM_EXIT_BAKED;
}

/* Commands that can't be executed: nobody has to wait for a database to hear of it. */
static void check_command(const char *section, const struct em_list *words,
                          struct em_report *report)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    if (words && words->n && em_service_check(words->v, &err) != 0)
        em_report_fail(report, section, &err);
}

static void say_hosts(const struct em_bundle_report *bundle)
{
    EM_STR_AUTO line = EM_STR_INIT;
    em_str_printf(&line, "%zu file%s, ", bundle->files, bundle->files == 1 ? "" : "s");
    em_size_print(bundle->bytes, &line);
    for (size_t i = 0; i < bundle->hosts.n && i < HOSTS_SAID; i++)
        em_str_printf(&line, "%s %s", i ? "," : "; its URLs name the hosts", bundle->hosts.v[i]);
    if (bundle->hosts.n > HOSTS_SAID)
        em_str_printf(&line, " and %zu more", bundle->hosts.n - HOSTS_SAID);
    em_log(EM_LOG_INFO, "bundle", "%s", em_str_c(&line));
}

static int check_bundle(const struct em_start *steps, struct em_report *report, struct em_err *err)
{
    struct em_bundle_report bundle;
    int code;
    if (!em_bundle_any(steps->config))
        return 0;
    code = em_bundle(steps->config, steps->hosts, &bundle, err);
    em_report_warn_all(report, "bundle", &bundle.warnings);
    em_report_fail_all(report, "bundle", &bundle.errs);
    if (code == 0 && steps->build_time)
        say_hosts(&bundle);
    for (size_t i = 0; i < bundle.hosts.n; i++)
        em_list_add(&report->hosts, bundle.hosts.v[i]);
    em_bundle_report_free(&bundle);
    return code;
}

/* A start has the database, and need not run what would fail. */
static void check_migration(const struct em_start *steps, struct em_report *report)
{
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;
    if (steps->build_time && !em_config_skips(steps->config, "migrate"))
        em_migration_check(steps->config, &errs, &warnings);
    em_report_warn_all(report, "migrate", &warnings);
    em_report_fail_all(report, "migrate", &errs);
}

static void check_sql(const struct em_start *steps, struct em_report *report)
{
    const struct em_config *config = steps->config;
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;
    if (config->bootstrap_sql.n && !em_config_skips(config, "bootstrap"))
        em_bootstrap_lint(config, steps->build_time, &errs, &warnings);
    em_report_warn_all(report, "bootstrap", &warnings);
    em_report_fail_all(report, "bootstrap", &errs);
    em_errs_free(&errs);
    em_errs_free(&warnings);
    if (em_sql_migrations_any(config) && !em_config_skips(config, "migrate"))
        em_sql_migrations_lint(config, steps->build_time, &errs, &warnings);
    em_report_warn_all(report, "migrate", &warnings);
    em_report_fail_all(report, "migrate", &errs);
}

/* 0: looked at everything. */
static int look(const struct em_start *steps, const struct em_list *service,
                struct em_report *report, struct em_err *err)
{
    const struct em_config *config = steps->config;
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERR_AUTO one = EM_ERR_INIT;
    int code = 0;
    if (em_require_any(config))
        code = em_require(config, service, steps->build_time, em_in(CHECK_LIMIT), &errs, err);
    em_report_fail_all(report, "require", &errs);
    check_image(config, &one);
    em_report_fail(report, "image", &one);
    if (code == 0)
        code = check_bundle(steps, report, err);
    if (code)
        return code;
    check_sql(steps, report);
    check_command("migrate", &config->migrate_command, report);
    check_migration(steps, report);
    check_command("service", service, report);
    return 0;
}

void em_report_log(const struct em_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        em_log_err(report->v[i].failed ? EM_LOG_ERROR : EM_LOG_WARN, report->v[i].section,
                   &report->v[i].err);
}

int em_start_check(struct em_start *steps, const struct em_list *service, struct em_report *report)
{
    EM_REPORT_AUTO own = EM_REPORT_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_time start = em_now();
    int code;
    if (em_config_skips(steps->config, "check"))
        return 0;
    if (!report) /* a start's, and not somebody's look at a container whose service runs */
        (steps->has_database ? em_title_long : em_title)("check");
    code = look(steps, service, report ? report : &own, &err);
    if (code)
        em_log_failure("check", &err);
    if (!report)
        em_report_log(&own);
    if (code == 0)
        code = em_report_code(report ? report : &own);
    if (code == 0 && (em_require_any(steps->config) || em_bundle_any(steps->config)))
        em_start_add_timing(steps, "check", start);
    return code;
}
