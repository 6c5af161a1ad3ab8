/* doctor: looks at everything, changes nothing. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "embark/commands/flags.h"
#include "embark/core/config/parse.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/core/report/screen.h"
#include "embark/os/exec/find.h"
#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/stages/doctor/doctor.h"
#include "embark/stages/migrate/migrate.h"
#include "embark/stages/service/exec.h"
#include "embark/stages/wait/database.h"
#include "version.h"

/* Bytes of the service's command that are shown. */
#define SHOWN_COMMAND 300
/* At the network, where [database] connect_timeout is none. */
#define LONGEST_LOOK EM_SEC(5)

struct options {
    bool json, all;
};

/* ---- What the steps say ------------------------------------------------------------------------ */

static const char *section_of(const char *step)
{
    static const struct {
        const char *step, *section;
    } names[] = {{"configuration", "configuration"},
                 {"require", "requirements"},
                 {"check", "requirements"},
                 {"sql", "requirements"},
                 {"image", "image"},
                 {"bundle", "bundle"},
                 {"bootstrap", "bootstrap"},
                 {"wait", "database"},
                 {"database", "database"},
                 {"migrate", "migrations"},
                 {"service", "service"}};
    for (size_t i = 0; step && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].step, step) == 0)
            return names[i].section;
    return "requirements";
}

/* What a start would log becomes rows; that it goes well, or is stopped, isn't one. */
static bool hear(void *ctx, enum em_level level, const char *step, const char *text,
                 const char *hint, int code)
{
    struct em_doctor *d = ctx;
    bool bad = level == EM_LOG_ERROR && code;
    if (level == EM_LOG_DEBUG)
        return false;
    if (level == EM_LOG_INFO)
        return true;
    em_doctor_row_add(&d->looks, section_of(step), bad ? "mistake" : "warning",
                      bad ? EM_MARK_BAD : EM_MARK_WARN, code, "%s", text);
    if (hint)
        em_doctor_row_hint(&d->looks, "%s", hint);
    return true;
}

/* ---- The parts ----------------------------------------------------------------------------------- */

/* Rows since `first` that failed, of what a start would pass over. */
static void forgive(struct em_doctor_rows *looks, size_t first)
{
    for (size_t i = first; i < looks->n; i++) {
        if (looks->v[i].mark == EM_MARK_BAD)
            looks->v[i].mark = EM_MARK_WARN;
        looks->v[i].code = 0;
    }
}

static void look_at_servers(struct em_doctor *d)
{
    const struct em_config *config = d->call->config;
    const struct em_start *steps = &d->steps;
    em_time limit = config->database_connect_timeout == EM_NEVER ? LONGEST_LOOK
                                                                 : config->database_connect_timeout;
    em_time started = em_now(), deadline = started + limit;
    size_t first = d->looks.n;
    struct em_db *db = NULL;
    bool wait = !em_config_skips(config, "wait");
    bool migrate = em_migrate_any(d->looked) && !em_config_skips(config, "migrate");
    /* What is left is the database's: half of the time at least. */
    em_wait_endpoints_try(config, started + limit / 2, &d->looks);
    if (!wait)
        forgive(&d->looks, first);
    first = d->looks.n;
    if (steps->has_database)
        em_doctor_database(config, &steps->url, steps->direct.keys.n ? &steps->direct : NULL,
                           steps->has_superuser ? &steps->superuser : NULL, deadline, &d->looks,
                           &db);
    else
        em_doctor_row_add(&d->looks, "database", "target", EM_MARK_NONE, 0,
                          "none: neither DATABASE_URL, PG* variables nor [database] url name one");
    if (!wait && !migrate)
        forgive(&d->looks, first);
    first = d->looks.n;
    if (!em_loop_stopped())
        em_doctor_migrations(d->looked, steps->direct.keys.n ? &steps->direct : &steps->url, db,
                             deadline, &d->looks);
    if (!migrate || d->looked == &d->inferred)
        forgive(&d->looks, first);
    em_db_close(db);
}

static void look_at_service(struct em_doctor *d)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO words = EM_STR_INIT;
    EM_STR_AUTO file = EM_STR_INIT;
    if (!d->service) {
        em_doctor_row_add(&d->looks, "service", "command", EM_MARK_NONE, 0,
                          "not known here: embark doctor -- COMMAND looks at it, too");
        return;
    }
    em_command_print(d->service->v, true, &words);
    em_redact(em_log_secrets(), &words); /* before it is cut */
    if (words.len > SHOWN_COMMAND) {
        em_str_cut(&words, SHOWN_COMMAND);
        em_str_puts(&words, "…");
    }
    if (d->service->v == d->call->config->service_command.v)
        em_str_printf(&words, " (%s)", d->call->config->origin[EM_AT_service_command]);
    em_doctor_row_add(&d->looks, "service", "command", EM_MARK_NONE, 0, "%s", em_str_c(&words));
    if (em_service_check(d->service->v, &err) != 0) {
        em_doctor_row_add_err(&d->looks, "service", "program", EM_MARK_BAD, &err);
        return;
    }
    em_exec_find(d->service->v[0], getenv("PATH"), &file, &err);
    em_doctor_row_add(&d->looks, "service", "program", EM_MARK_OK, 0, "%s can be executed",
                      em_str_c(&file));
}

/* 0: looked at everything; 128 + n. */
static int look(struct em_doctor *d, const struct options *options)
{
    em_doctor_mistakes(d);
    em_start_prepare(&d->steps, d->call->config, false);
    if (!options->json)
        em_doctor_values(d, options->all);
    em_doctor_image(&d->looks);
    int code = em_doctor_check(d);
    if (code)
        return code;
    look_at_servers(d);
    look_at_service(d);
    em_doctor_start(options->all || options->json, &d->looks);
    return em_loop_stopped() ? 128 + em_loop_stopped() : 0;
}

/* ---- The verdict --------------------------------------------------------------------------------- */

/* A failure without advice of its own gets its kind's. */
static const char *advice(int code)
{
    switch (code) {
    case EM_EXIT_CONFIG:
        return "embark help config lists all keys, and embark help KEY tells about one";
    case EM_EXIT_REQUIREMENT:
        return "bring it into the image, and let the build look: RUN [\"/embark\", \"check\"]";
    case EM_EXIT_BAKED:
        return "build the image again";
    case EM_EXIT_SQL:
        return "mend the file: embark check --sql FILE looks at it";
    case EM_EXIT_UNREACHABLE:
        return "is it running, and is this its name and port from inside of this container?";
    case EM_EXIT_REFUSED:
        return "compare role, password and database with what the server has";
    case EM_EXIT_NOT_FOUND:
    case EM_EXIT_NOT_EXECUTABLE:
        return "install it in the image, or name another";
    default:
        return "embark help exit-codes tells what such an end means";
    }
}

static void give_advice(struct em_doctor_rows *looks)
{
    for (size_t i = 0; i < looks->n; i++)
        if (looks->v[i].mark == EM_MARK_BAD && !looks->v[i].hint)
            looks->v[i].hint = em_strdup(advice(looks->v[i].code));
}

/* Of the steps in their order, the first that would end a start. */
static int code_of(const struct em_doctor *d)
{
    static const char *const later[] = {"wait", "database", "migrations", "service"};
    int code = em_doctor_rows_code(&d->looks, "configuration");
    code = code ? code : d->check;
    /* The check looks at it, too, so that nobody has to wait to hear of it. */
    if (!code && !em_config_skips(d->call->config, "check"))
        code = em_doctor_rows_code(&d->looks, "service");
    for (size_t i = 0; i < sizeof later / sizeof *later && !code; i++)
        code = em_doctor_rows_code(&d->looks, later[i]);
    return code;
}

static void count(size_t n, const char *what, struct em_str *out)
{
    if (n)
        em_str_printf(out, "; %zu %s%s", n, what, n == 1 ? "" : "s");
}

static void judge(const struct em_doctor *d, int code, struct em_str *out)
{
    const char *text = em_help_exit(code);
    if (code)
        em_str_printf(out, "a start would end with exit code %d: %s", code, text ? text : "?");
    else if (d->service)
        em_str_puts(out, "a start would succeed (exit code 0), and become the service");
    else
        em_str_puts(out, "a start would get to the service's command, which is not known here "
                         "(exit code 0)");
    count(em_doctor_rows_count(&d->looks, EM_MARK_BAD), "problem", out);
    count(em_doctor_rows_count(&d->looks, EM_MARK_WARN), "warning", out);
}

static int print_screen(const struct em_doctor *d, int code, const char *verdict)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool colour =
        isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
    EM_STR_AUTO out = EM_STR_INIT;
    EM_STR_AUTO host = EM_STR_INIT;
    em_host_name(&host);
    em_str_printf(&out, "embark %s looks at ", EMBARK_VERSION);
    em_escape(&out, em_str_c(&host), host.len);
    em_str_putc(&out, '\n');
    em_screen_print(&d->looks, em_log_secrets(), colour, &out);
    em_screen_print_verdict(code                                            ? EM_MARK_BAD
                            : em_doctor_rows_count(&d->looks, EM_MARK_WARN) ? EM_MARK_WARN
                                                                            : EM_MARK_OK,
                            verdict, em_doctor_rows_cause(&d->looks, code), em_log_secrets(),
                            colour, &out);
    return em_put(STDOUT_FILENO, em_str_c(&out), out.len) ? 0 : EM_EXIT_SYSTEM;
}

static int diagnose(struct em_doctor *d, const struct options *options)
{
    EM_STR_AUTO verdict = EM_STR_INIT;
    em_log_listen(hear, d);
    int stopped = look(d, options);
    em_log_listen(NULL, NULL);
    if (stopped) {
        EM_ERR_AUTO err = EM_ERR_INIT;
        em_fail_stopped(&err);
        return em_log_failure("doctor", &err);
    }
    int code = code_of(d);
    em_doctor_rows_sort(&d->looks);
    give_advice(&d->looks);
    judge(d, code, &verdict);
    int failed = options->json ? em_doctor_json(d, code, em_str_c(&verdict))
                               : print_screen(d, code, em_str_c(&verdict));
    return failed ? failed : code;
}

int em_command_doctor(const struct em_call *call)
{
    struct options options = {0};
    const struct em_flag flags[] = {
        {.name = "--json", .set = &options.json},
        {.name = "--all", .set = &options.all},
    };
    struct em_call inner = *call;
    struct em_list service = EM_LIST_INIT; /* a view */
    struct em_doctor d = {.call = &inner, .looked = call->config};
    EM_ERR_AUTO err = EM_ERR_INIT;
    char *const *argv;
    int code = em_flags(call->argv, flags, sizeof flags / sizeof flags[0], &inner.argv, &err);
    inner.named = false; /* what is left is the service's */
    if (code == 0)
        code = em_service_words(&inner, &argv, &service, &err);
    if (code)
        return em_log_failure(NULL, &err);
    d.service = argv ? &service : NULL;
    code = diagnose(&d, &options);
    em_start_end(&d.steps);
    em_report_free(&d.report);
    em_doctor_rows_free(&d.looks);
    em_list_free(&d.from);
    em_config_free(&d.inferred);
    return code;
}
