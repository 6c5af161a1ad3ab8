/* check: what needs no database. */
#include <string.h>
#include <unistd.h>

#include "check_json.h"
#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/core/config/parse.h"
#include "embark/os/files/files.h"
#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/require/infer.h"
#include "embark/stages/sql/check.h"
#include "embark/start/context.h"

struct options {
    bool json, write, stamp;
    struct em_list sql;
};

static int print(const struct em_str *text)
{
    return em_put(STDOUT_FILENO, em_str_c(text), text->len) ? 0 : EM_EXIT_SYSTEM;
}

/* What a Dockerfile has to say for [image] build. ENV rather than a file, as an image without a
 * shell can have it, too. */
static int print_stamp(void)
{
    EM_STR_AUTO out = EM_STR_INIT;
    em_str_puts(
        &out, "# What this image was built from; in its last stage, near the end, as what follows "
              "is built anew\n"
              "# with every commit:\n"
              "#     docker build --build-arg BUILD=\"$(git describe --always --dirty)\" .\n"
              "# The deployment says what it expects with EMBARK_IMAGE_EXPECT, or [image] expect.\n"
              "ARG BUILD\n"
              "ENV EMBARK_IMAGE_BUILD=$BUILD\n"
              "LABEL org.opencontainers.image.revision=$BUILD\n");
    return print(&out);
}

static void join(const struct em_list *names, struct em_str *out)
{
    for (size_t i = 0; i < names->n; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", names->v[i]);
}

static int print_inferred(const struct em_list *service)
{
    EM_STR_AUTO ini = EM_STR_INIT;
    EM_STR_AUTO names = EM_STR_INIT;
    EM_LIST_AUTO from = EM_LIST_INIT;
    em_infer(service, &ini, &from);
    if (!from.n)
        em_log_hint(EM_LOG_WARN, "check",
                    "cd to where the service starts (WORKDIR), and name its command: embark check "
                    "--write -- COMMAND",
                    "there is nothing here to infer a configuration from");
    join(&from, &names);
    if (from.n) {
        EM_STR_AUTO head = EM_STR_INIT;
        em_str_printf(&head, "; a start, made from %s: embark help config tells of all keys\n",
                      em_str_c(&names));
        em_str_insert(&ini, 0, em_str_c(&head), head.len);
    }
    return print(&ini);
}

static void check_sql_files(const struct em_list *files, struct em_report *report)
{
    struct em_sql_lint lint = {.guess = true}; /* nobody has said what will be set */
    for (size_t i = 0; i < files->n; i++)
        em_sql_check_file(&lint, files->v[i]);
    em_report_warn_all(report, "sql", &lint.warnings);
    em_report_fail_all(report, "sql", &lint.errs);
    em_sql_lint_free(&lint);
}

/* A warning may tell of what can't be judged, and that is not taken for good. */
static void log_success(const struct em_start *steps, size_t warnings)
{
    EM_STR_AUTO what = EM_STR_INIT;
    em_str_puts(&what, "check: all is there, ");
    if (warnings)
        em_str_printf(&what, "but for %zu warning%s, ", warnings, warnings == 1 ? "" : "s");
    em_str_puts(&what, "in ");
    em_start_log_summary(steps, em_str_c(&what), NULL);
}

/* Looks, and says what it found: lines, and with --json one document. */
static int look(const struct em_config *config, const struct em_list *service,
                const struct options *options)
{
    struct em_start steps;
    EM_REPORT_AUTO report = EM_REPORT_INIT;
    size_t warned = em_log_warnings();
    int code = em_start_prepare(&steps, config, true);
    if (code == 0) {
        int stopped = em_start_check(&steps, service, &report);
        check_sql_files(&options->sql, &report);
        em_report_log(&report);
        code = em_report_code(&report);
        code = code && stopped <= 128 ? code : stopped;
        if (options->json && stopped <= 128 && em_check_json(config, &report, code) != 0)
            code = EM_EXIT_SYSTEM;
    }
    if (code == 0)
        log_success(&steps, em_log_warnings() - warned);
    em_start_end(&steps);
    return code;
}

/* Without a configuration file: the inferred one, with what the environment says. */
static int look_at_inferred(const struct em_list *service, const struct options *options)
{
    struct em_config config = {0};
    struct em_config_source world = em_config_source_real;
    EM_STR_AUTO ini = EM_STR_INIT;
    EM_STR_AUTO names = EM_STR_INIT;
    EM_LIST_AUTO from = EM_LIST_INIT;
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT; /* main has said the environment's */
    int code = EM_EXIT_CONFIG;
    em_infer(service, &ini, &from);
    join(&from, &names);
    if (from.n)
        em_log(EM_LOG_INFO, "check", "no configuration: looking at what %s want%s",
               em_str_c(&names), from.n == 1 ? "s" : "");
    world.build_time = true;
    if (em_config_parse(&config, "inferred", em_str_c(&ini), ini.len, &world, em_log_secrets(),
                        &errs, &warnings))
        code = look(&config, service, options);
    for (size_t i = 0; i < errs.n; i++)
        em_log_err(EM_LOG_ERROR, "configuration", &errs.v[i]);
    em_config_free(&config);
    return code;
}

static int run(const struct em_call *call, const struct options *options)
{
    struct em_list service = EM_LIST_INIT; /* a view */
    EM_ERR_AUTO err = EM_ERR_INIT;
    char *const *argv;
    if (em_service_words(call, &argv, &service, &err) != 0)
        return em_log_failure(NULL, &err);
    const struct em_list *words = argv ? &service : NULL;
    if (options->stamp)
        return print_stamp();
    if (options->write)
        return print_inferred(words);
    return call->config->path ? look(call->config, words, options)
                              : look_at_inferred(words, options);
}

int em_command_check(const struct em_call *call)
{
    struct options options = {0};
    const struct em_flag flags[] = {
        {.name = "--json", .set = &options.json},
        {.name = "--write", .set = &options.write},
        {.name = "--stamp", .set = &options.stamp},
        {.name = "--sql", .all = &options.sql},
    };
    struct em_call inner = *call;
    EM_ERR_AUTO err = EM_ERR_INIT;
    int code = em_flags(call->argv, flags, sizeof flags / sizeof flags[0], &inner.argv, &err);
    inner.named = false; /* what is left is the service's */
    code = code ? em_log_failure(NULL, &err) : run(&inner, &options);
    em_list_free(&options.sql);
    return code;
}
