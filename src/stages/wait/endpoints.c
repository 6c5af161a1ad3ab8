#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/os/loop/clock.h"
#include "embark/os/net/net.h"
#include "embark/stages/wait/database.h"
#include "embark/stages/wait/http.h"
#include "embark/stages/wait/retry.h"

#define FIRST_LIMIT   EM_SEC(5)
#define LARGEST_LIMIT EM_SEC(600)

/* What all four kinds have: a look at the text alone, and one try. `try` returns em_exit codes:
 * EM_EXIT_UNREACHABLE is tried again. */
struct kind {
    const char *key;
    const char *ready; /* "db:5432 accepts connections" */
    int (*check)(const char *text, struct em_err *err);
    int (*try)(const struct em_config *config, const char *text, em_time until, struct em_err *err);
};

/* --- tcp */

static int check_tcp(const char *text, struct em_err *err)
{
    EM_STR_AUTO host = EM_STR_INIT;
    EM_STR_AUTO port = EM_STR_INIT;
    if (em_host_port(text, &host, &port))
        return 0;
    if (strstr(text, "://")) {
        em_fail(err, EM_EXIT_CONFIG, "a URL, where HOST:PORT is wanted");
        em_hint(err, "tcp = HOST:PORT, without a scheme; http = URL asks a web server");
        return EM_EXIT_CONFIG;
    }
    em_fail(err, EM_EXIT_CONFIG, "\"%s\" is not HOST:PORT", text);
    em_hint(err, "such as db:5432, or [::1]:5432; the port is a number");
    return EM_EXIT_CONFIG;
}

static int try_tcp(const struct em_config *config, const char *text, em_time until,
                   struct em_err *err)
{
    (void)config;
    EM_STR_AUTO host = EM_STR_INIT;
    EM_STR_AUTO port = EM_STR_INIT;
    int fd;
    if (!em_host_port(text, &host, &port))
        return check_tcp(text, err);
    int code = em_connect_tcp(em_str_c(&host), em_str_c(&port), until, &fd, err);
    if (code == 0)
        close(fd);
    return code;
}

/* --- http */

static int check_http(const char *text, struct em_err *err)
{
    struct em_http_url url;
    int code = em_http_url_parse(&url, text, err);
    em_http_url_free(&url);
    return code;
}

static int try_http(const struct em_config *config, const char *text, em_time until,
                    struct em_err *err)
{
    struct em_http_url url;
    struct em_http answer;
    struct em_http_how how = em_wait_http_how(config);
    const char *wanted = config->wait_text;
    em_http_start(&answer, EM_HTTP_HEAD_MAX, wanted && *wanted ? EM_HTTP_BODY_MAX : 0);
    int code = em_http_url_parse(&url, text, err);
    if (code == 0)
        code = em_http_ask(&url, &how, until, &answer, err);
    if (code == 0 && (answer.status < 200 || answer.status >= 400))
        code = em_fail(err, EM_EXIT_UNREACHABLE, "%s answers %d", url.name, answer.status);
    if (code == 0 && !em_http_holds(&answer, wanted))
        code = em_fail(err, EM_EXIT_UNREACHABLE, "%s answers %d, but without \"%s\"", url.name,
                       answer.status, wanted);
    em_http_free(&answer);
    em_http_url_free(&url);
    return code;
}

/* --- unix */

static int check_unix(const char *text, struct em_err *err)
{
    size_t length = strlen(text);
    if (em_starts(text, "unix:"))
        return em_fail(err, EM_EXIT_CONFIG,
                       "\"%s\" is not a path (http = unix:… asks a web server on a socket)", text);
    if (length == 0)
        return em_fail(err, EM_EXIT_CONFIG, "the path is empty");
    if (length > EM_UNIX_PATH_MAX)
        return em_fail(
            err, EM_EXIT_CONFIG,
            "\"%s\" has %zu bytes, and the system can't connect to a socket with more than %d",
            text, length, EM_UNIX_PATH_MAX);
    return 0;
}

static int try_unix(const struct em_config *config, const char *text, em_time until,
                    struct em_err *err)
{
    (void)config;
    int fd, code = em_connect_unix(text, until, &fd, err);
    if (code == 0)
        close(fd);
    return code;
}

/* --- file */

static int check_file(const char *text, struct em_err *err)
{
    return *text ? 0 : em_fail(err, EM_EXIT_CONFIG, "the path is empty");
}

static int try_file(const struct em_config *config, const char *text, em_time until,
                    struct em_err *err)
{
    (void)config;
    struct stat status;
    (void)until; /* nothing that could be interrupted */
    if (stat(text, &status) == 0)
        return 0;
    if (errno == ENOENT)
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s does not exist", text);
    return em_fail_errno(err, EM_EXIT_UNREACHABLE, "%s", text);
}

/* --- all of them */

enum { KIND_TCP, KIND_HTTP, KIND_UNIX, KIND_FILE, KINDS };
static const struct kind kinds[KINDS] = {
    [KIND_TCP] = {"tcp", "accepts connections", check_tcp, try_tcp},
    [KIND_HTTP] = {"http", "answers", check_http, try_http},
    [KIND_UNIX] = {"unix", "accepts connections", check_unix, try_unix},
    [KIND_FILE] = {"file", "exists", check_file, try_file},
};

static const struct em_items *items_of(const struct em_config *config, int kind)
{
    switch (kind) {
    case KIND_TCP:
        return &config->wait_tcp;
    case KIND_HTTP:
        return &config->wait_http;
    case KIND_UNIX:
        return &config->wait_unix;
    default:
        return &config->wait_file;
    }
}

/* "embark.ini:3: [wait] tcp: "db" is not HOST:PORT" */
static int check(const struct kind *kind, const struct em_items *items, size_t i,
                 struct em_err *err)
{
    int code = kind->check(items->v[i], err);
    if (code)
        em_context(err, "%s: [wait] %s", items->where[i], kind->key);
    return code;
}

bool em_wait_validate(const struct em_config *config, struct em_errs *errs)
{
    size_t before = errs->n;
    em_http_check_headers(config, errs);
    bool good = errs->n == before;
    for (int k = 0; k < KINDS; k++) {
        const struct em_items *items = items_of(config, k);
        for (size_t i = 0; i < items->n; i++) {
            EM_ERR_AUTO err = EM_ERR_INIT;
            if (check(&kinds[k], items, i, &err) == 0)
                continue;
            em_errs_take(errs, &err);
            good = false;
        }
    }
    return good;
}

/* The text without a query, which may hold a token. */
static int shown(const struct kind *kind, const char *text)
{
    return (int)(kind == &kinds[KIND_HTTP] ? strcspn(text, "?#") : strlen(text));
}

static const char *question(const struct kind *kind)
{
    if (kind == &kinds[KIND_FILE] || kind == &kinds[KIND_UNIX])
        return "is what makes it running, and is this its path from inside of this container";
    return "is it running, and is this its name and port from inside of this container";
}

static int give_up(const struct kind *kind, em_time timeout, struct em_err *err)
{
    EM_STR_AUTO limit = EM_STR_INIT;
    em_time_print(&limit, timeout);
    em_context(err, "gave up after %s", em_str_c(&limit));
    if (!err->hint.len)
        em_hint(err, "%s? [wait] timeout sets how long it is waited for", question(kind));
    return EM_EXIT_UNREACHABLE;
}

/* Moves the state of this try to `state`. A try that the deadline cut short says nothing new ("does
 * not answer"): the state before it is kept. */
static void note_state(struct em_err *state, struct em_err *now, em_time took, em_time deadline)
{
    if (em_retry_was_cut_short(took, deadline) && state->code)
        return;
    em_err_free(state);
    *state = *now;
    *now = (struct em_err)EM_ERR_INIT;
}

/* Leaves the last state in `state`. */
static int wait_for(const struct em_config *config, const struct kind *kind, const char *text,
                    em_time deadline, struct em_progress *progress, struct em_err *state)
{
    struct em_retry tries;
    em_time longest = FIRST_LIMIT;
    em_retry_start(&tries, EM_PACE_LOGIN, FIRST_LIMIT);
    for (;;) {
        EM_ERR_AUTO err = EM_ERR_INIT;
        em_time try_start = em_now(), try_end = em_time_min(deadline, em_in(longest));
        int code = kind->try(config, text, try_end, &err);
        note_state(state, &err, em_now() - try_start,
                   code == EM_EXIT_UNREACHABLE ? deadline : EM_NEVER);
        if (code != EM_EXIT_UNREACHABLE)
            return code;
        em_progress_log(progress, em_str_c(&state->text));
        bool late = em_now() >= try_end;
        if (late)
            longest = em_time_min(longest * 2, LARGEST_LIMIT);
        if (!em_retry_wait(&tries, try_start, late ? EM_TRY_UNANSWERED : EM_TRY_ABSENT, false,
                           deadline))
            return em_fail_stopped(state);
        if (em_now() >= deadline)
            return give_up(kind, progress->timeout, state);
    }
}

static int wait_for_item(const struct em_config *config, const struct kind *kind, const char *text,
                         em_time started, struct em_err *err)
{
    em_time timeout = config->wait_timeout;
    struct em_progress progress;
    em_progress_start(&progress, "wait", timeout);
    progress.started = started; /* the limit is for all of them */
    int code = wait_for(config, kind, text, em_time_add(started, timeout), &progress, err);
    if (code == 0) {
        EM_STR_AUTO state = EM_STR_INIT;
        em_str_printf(&state, "%.*s %s", shown(kind, text), text, kind->ready);
        em_progress_ready(&progress, em_str_c(&state));
    }
    em_progress_free(&progress);
    return code;
}

static void look_at(const struct em_config *config, const struct kind *kind, size_t i,
                    em_time until, struct em_doctor_rows *looks)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    const struct em_items *items = items_of(config, (int)(kind - kinds));
    const char *text = items->v[i];
    if (kind->check(text, &err) != 0)
        return; /* a mistake of the configuration, which was told */
    if (kind->try(config, text, until, &err) == 0) {
        em_doctor_row_add(looks, "wait", kind->key, EM_MARK_OK, 0, "%.*s %s", shown(kind, text),
                          text, kind->ready);
        return;
    }
    em_doctor_row_add(looks, "wait", kind->key, EM_MARK_BAD, err.code, "%s (%s)",
                      em_str_c(&err.text), items->where[i]);
    em_doctor_row_hint(looks, "%s?", question(kind));
}

void em_wait_endpoints_try(const struct em_config *config, em_time until,
                           struct em_doctor_rows *looks)
{
    size_t left = 0;
    for (int k = 0; k < KINDS; k++)
        left += items_of(config, k)->n;
    for (int k = 0; k < KINDS; k++) {
        const struct em_items *items = items_of(config, k);
        for (size_t i = 0; i < items->n && !em_loop_stopped(); i++, left--) {
            em_time now = em_now();
            look_at(config, &kinds[k], i, now + (until - now) / (em_time)left, looks);
        }
    }
}

int em_wait_endpoints(const struct em_config *config, struct em_err *err)
{
    em_time started = em_now();
    for (int k = 0; k < KINDS; k++) {
        const struct em_items *items = items_of(config, k);
        for (size_t i = 0; i < items->n; i++) {
            int code = check(&kinds[k], items, i, err);
            if (code == 0)
                code = wait_for_item(config, &kinds[k], items->v[i], started, err);
            if (code)
                return code;
        }
    }
    return 0;
}
