#include "embark/stages/health/health.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/db/connection.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/machine/phase.h"
#include "embark/os/net/net.h"
#include "embark/os/process/trim.h"
#include "embark/stages/service/exec.h"
#include "embark/stages/wait/http.h"

/* ---- The phase --------------------------------------------------------------------------------- */

static int check_phase(struct em_err *err)
{
    EM_STR_AUTO phase = EM_STR_INIT;
    pid_t pid;
    if (!em_phase_find(&pid, &phase))
        return 0;
    return em_fail(err, EM_EXIT_UNREACHABLE, "the service isn't started yet: %s (embark:%s)",
                   em_phase_what(em_str_c(&phase)), em_phase_name(em_str_c(&phase)));
}

/* ---- What answers ------------------------------------------------------------------------------ */

bool em_health_status(const char *text, int *from, int *to)
{
    char *end;
    long first = strtol(text, &end, 10), last = first;
    if (end == text)
        return false;
    if (*end == '-') {
        const char *second = end + 1;
        last = strtol(second, &end, 10);
        if (end == second)
            return false;
    }
    if (*end || first < 100 || last > 999 || first > last)
        return false;
    *from = (int)first;
    *to = (int)last;
    return true;
}

static int judge_answer(const struct em_config *config, const char *name,
                        const struct em_http *answer, struct em_err *err)
{
    const char *text = config->health_text;
    int from, to;
    if (!em_health_status(config->health_status, &from, &to))
        return em_fail(err, EM_EXIT_CONFIG, "[health] status = %s: expected NUMBER or FROM-TO",
                       config->health_status);
    if (answer->status < from || answer->status > to)
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s answers %d, not %s", name, answer->status,
                       config->health_status);
    if (!em_http_holds(answer, text))
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s answers %d, but without \"%s\"", name,
                       answer->status, text);
    return 0;
}

static int check_http(const struct em_config *config, const char *text, em_time until,
                      struct em_str *line, struct em_err *err)
{
    struct em_http_url url;
    struct em_http answer;
    struct em_http_how how = em_health_http_how(config);
    bool body = config->health_text && *config->health_text;
    em_time start = em_now();
    int code = em_http_url_parse(&url, text, err);
    for (size_t i = 0; i < how.request.n && code == 0; i++)
        if (!em_http_is_header(how.request.headers[i]))
            code = em_fail(err, EM_EXIT_CONFIG, "[health] header: not NAME: VALUE");
    em_http_start(&answer, EM_HTTP_HEAD_MAX, body ? EM_HTTP_BODY_MAX : 0);
    if (code == 0)
        code = em_http_ask(&url, &how, until, &answer, err);
    em_release_code_pages(); /* asking and judging are different code */
    if (code == 0)
        code = judge_answer(config, url.name, &answer, err);
    if (code == 0) {
        em_str_printf(line, "%s answers %d in ", url.name, answer.status);
        em_time_print(line, em_now() - start);
    }
    em_http_free(&answer);
    em_http_url_free(&url);
    return code;
}

static int check_tcp(const char *text, em_time until, struct em_str *line, struct em_err *err)
{
    EM_STR_AUTO host = EM_STR_INIT;
    EM_STR_AUTO port = EM_STR_INIT;
    int fd = -1;
    if (!em_host_port(text, &host, &port))
        return em_fail(err, EM_EXIT_CONFIG, "%s: expected HOST:PORT, or http://…", text);
    int code = em_connect_tcp(em_str_c(&host), em_str_c(&port), until, &fd, err);
    if (code)
        return code;
    close(fd);
    em_str_printf(line, "%s accepts connections", text);
    return 0;
}

static int check_database(const struct em_config *config, em_time until, struct em_str *line,
                          struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    struct em_url url = {0};
    struct em_db *db = NULL;
    struct em_user user;
    struct em_db_login login = em_service_login(config);
    bool none;
    int code = em_service_user(config, &user, err);
    em_user_free(&user);
    if (code == 0)
        code = em_db_target(&url, config->database_url, config->origin[EM_AT_database_url], &login,
                            &none, NULL, NULL, err);
    em_application_name("health", &application);
    if (code == 0)
        code = em_db_open(&url, em_str_c(&application), until, &db, NULL, err);
    if (code == 0)
        em_str_printf(line, "%s%s lets the service in", line->len ? ", " : "", em_db_where(db));
    em_db_close(db);
    em_url_free(&url);
    return code;
}

static bool is_http(const char *text)
{
    return strstr(text, "://") != NULL || em_starts(text, "unix:");
}

int em_health(const struct em_config *config, enum em_health_scope scope, const char *target,
              struct em_str *line, struct em_err *err)
{
    em_time until = em_in(config->health_timeout);
    const char *http = target && is_http(target) ? target : target ? NULL : config->health_http;
    const char *tcp = target && !is_http(target) ? target : target ? NULL : config->health_tcp;
    int code = check_phase(err);
    em_release_code_pages();
    if (code || scope == EM_HEALTH_START) {
        em_str_puts(line, "the service is started");
        return code;
    }
    if (http && *http)
        code = check_http(config, http, until, line, err);
    if (code == 0 && line->len)
        em_str_puts(line, tcp && *tcp ? ", " : "");
    if (code == 0 && tcp && *tcp)
        code = check_tcp(tcp, until, line, err);
    em_release_code_pages();
    if (code == 0 && scope == EM_HEALTH_READY && config->health_database)
        code = check_database(config, until, line, err);
    if (code == 0 && !line->len)
        em_str_puts(line, "the service is started; [health] names nothing else to look at");
    return code;
}
