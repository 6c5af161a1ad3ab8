/* os/net/net.h, as far as it goes without a network: names in /etc/hosts, the loopback and unix
 * sockets. The rest is test/program/wait/test_wait_others.py. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "embark/os/loop/clock.h"
#include "embark/os/net/net.h"
#include "embark/os/net/probe.h"

/* A port of 127.0.0.1; with a backlog of -1 nobody listens on it. */
static int bind_port(int backlog, char port[8])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    snprintf(port, 8, "%d", ntohs(at.sin_port));
    return fd;
}

static char folder[] = "/tmp/embark-test-net.XXXXXX";

static int bind_unix(const char *name, int backlog, char path[64])
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(path, 64, "%s/%s", folder, name);
    memcpy(at.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static int count_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* Connected as the contract says. */
static void assert_good(int fd)
{
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void test_numeric_addresses(void **state)
{
    static const char *const hosts[][2] = {{"127.0.0.1", "127.0.0.1"},
                                           {"::1", "::1"},
                                           {"FD00:0::7", "fd00::7"},
                                           {"0.0.0.0", "0.0.0.0"}};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        EM_LIST_AUTO found = EM_LIST_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        /* a deadline long past: no child is needed */
        assert_int_equal(em_resolve(hosts[i][0], 0, &found, &err), 0);
        assert_int_equal(found.n, 1);
        assert_string_equal(found.v[0], hosts[i][1]);
    }
}

static void test_localhost(void **state)
{
    int before = count_descriptors();
    (void)state;
    for (int n = 0; n < 20; n++) {
        EM_LIST_AUTO found = EM_LIST_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        assert_int_equal(em_resolve("localhost", em_in(EM_SEC(10)), &found, &err), 0);
        assert_true(em_list_has(&found, "127.0.0.1"));
        for (size_t i = 1; i < found.n; i++)
            assert_string_not_equal(found.v[i - 1], found.v[i]);
    }
    assert_no_children();
    assert_int_equal(count_descriptors(), before);
}

/* The resolver's child may or may not be faster than a deadline that has passed; it is gone in
 * either case. */
static void test_no_time_for_a_name(void **state)
{
    (void)state;
    for (int n = 0; n < 20; n++) {
        EM_LIST_AUTO found = EM_LIST_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;
        int code = em_resolve("localhost", em_now() - 1, &found, &err);
        assert_true(code == 0 || code == EM_EXIT_UNREACHABLE);
        if (code)
            assert_string_equal(em_str_c(&err.text),
                                "localhost can't be looked up (the DNS servers don't answer)");
        assert_no_children();
    }
}

static void test_tcp_connects(void **state)
{
    char port[8];
    int listener = bind_port(5, port), fd = -1;
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    assert_int_equal(em_connect_tcp("127.0.0.1", port, em_in(EM_SEC(10)), &fd, &err), 0);
    assert_good(fd);
    assert_int_equal(em_connect_tcp("localhost", port, EM_NEVER, &fd, &err), 0);
    assert_good(fd);
    close(listener);
}

static void test_tcp_refused(void **state)
{
    char port[8], expected[64];
    int holder = bind_port(-1, port), fd = -1, before = count_descriptors();
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    assert_int_equal(em_connect_tcp("127.0.0.1", port, em_in(EM_SEC(10)), &fd, &err),
                     EM_EXIT_UNREACHABLE);
    snprintf(expected, sizeof expected, "127.0.0.1:%s refuses connections", port);
    assert_string_equal(em_str_c(&err.text), expected);
    assert_int_equal(em_connect_tcp("localhost", port, em_in(EM_SEC(10)), &fd, &err),
                     EM_EXIT_UNREACHABLE);
    snprintf(expected, sizeof expected, "localhost:%s refuses connections", port);
    assert_string_equal(em_str_c(&err.text), expected);
    assert_int_equal(count_descriptors(), before);
    close(holder);
}

/* A full backlog drops the SYN: a silent peer without a network. */
static void test_tcp_silence_ends_at_the_deadline(void **state)
{
    char port[8], expected[64];
    int listener = bind_port(0, port), fill[4], fd = -1;
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)atoi(port)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fill[i], (struct sockaddr *)&at, sizeof at);
    }
    em_time start = em_now();
    assert_int_equal(em_connect_tcp("127.0.0.1", port, em_in(EM_MS(200)), &fd, &err),
                     EM_EXIT_UNREACHABLE);
    em_time took = em_now() - start;
    assert_true(took >= EM_MS(200) && took < EM_SEC(5));
    snprintf(expected, sizeof expected, "127.0.0.1:%s does not answer", port);
    assert_string_equal(em_str_c(&err.text), expected);
    for (int i = 0; i < 4; i++)
        close(fill[i]);
    close(listener);
}

static int connect_unix(const char *path, const char *expected)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    int fd = -1, code = em_connect_unix(path, em_in(EM_MS(100)), &fd, &err);
    if (code == 0)
        assert_good(fd);
    else if (!strstr(em_str_c(&err.text), expected))
        fail_msg("\"%s\", expected was \"%s\"", em_str_c(&err.text), expected);
    return code;
}

static void test_unix(void **state)
{
    char path[64], file[64], quiet[64], long_path[200];
    int listener = bind_unix("socket", 5, path), dead = bind_unix("dead", -1, quiet);
    (void)state;
    assert_int_equal(connect_unix(path, ""), 0);
    assert_int_equal(connect_unix(quiet, "dead refuses connections"), EM_EXIT_UNREACHABLE);
    assert_int_equal(connect_unix("/nowhere/socket", "/nowhere/socket does not exist"),
                     EM_EXIT_UNREACHABLE);
    snprintf(file, sizeof file, "%s/file", folder);
    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(connect_unix(file, "file refuses connections"), EM_EXIT_UNREACHABLE);
    memset(long_path, 'x', sizeof long_path);
    long_path[108] = '\0';
    assert_int_equal(connect_unix(long_path, "1 to 107 bytes"), EM_EXIT_CONFIG);
    close(listener);
    close(dead);
}

static void test_unix_full_backlog_ends_at_the_deadline(void **state)
{
    char path[64];
    int listener = bind_unix("full", 0, path), fd, n = 0, fds[8];
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    while (n < 8 && em_connect_unix(path, em_in(EM_MS(50)), &fd, &err) == 0)
        fds[n++] = fd;
    assert_true(n > 0 && n < 8);
    assert_non_null(strstr(em_str_c(&err.text), "full does not answer"));
    while (n > 0)
        close(fds[--n]);
    close(listener);
}

/* What a server in a child of its own sends to everybody who asks. The child ends with the test. */
static pid_t serve(const char *answer, char port[8])
{
    int listener = bind_port(5, port);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            char request[512];
            int peer = accept(listener, NULL, NULL);
            ssize_t n = read(peer, request, sizeof request);
            if (n > 0)
                n = write(peer, answer, strlen(answer));
            close(peer);
        }
    }
    close(listener);
    return pid;
}

/* Each state at the same time, and more than are tried at once. */
static void test_probe(void **state)
{
    enum { N = 30 };
    char open_port[8], closed_port[8], path[64], stale[64], full[64];
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_probe probes[N];
    int before = count_descriptors();
    int fds[] = {bind_port(5, open_port), bind_port(-1, closed_port), bind_unix("probe", 5, path),
                 bind_unix("probe-stale", -1, stale), bind_unix("probe-full", 0, full)};
    int filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)state;
    memcpy(to.sun_path, full, strlen(full));
    assert_int_equal(connect(filler, (struct sockaddr *)&to, sizeof to), 0);
    const struct {
        const char *address, *port;
        int error;
    } kinds[] = {
        {"127.0.0.1", open_port, 0},
        {"127.0.0.1", closed_port, ECONNREFUSED},
        {path, NULL, 0},
        {stale, NULL, ECONNREFUSED},
        {full, NULL, ETIMEDOUT},
        {"/nowhere/.s.PGSQL.5432", NULL, ENOENT},
        {"@embark-nobody", NULL, ECONNREFUSED},
        {"/dev/null", NULL, ECONNREFUSED},
        {"not numeric", "1", EINVAL},
    };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    for (size_t i = 0; i < N; i++)
        probes[i] =
            (struct em_probe){.address = kinds[i % KINDS].address, .port = kinds[i % KINDS].port};
    assert_int_equal(em_probe(probes, N, em_in(EM_SEC(20)), &err), 0);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(probes[i].error, kinds[i % KINDS].error);
    close(filler);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    assert_int_equal(count_descriptors(), before);
}

static void test_probe_of_a_long_path(void **state)
{
    char path[200];
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    struct em_probe probe = {.address = path};
    assert_int_equal(em_probe(&probe, 1, em_in(EM_SEC(20)), &err), 0);
    assert_int_equal(probe.error, ENAMETOOLONG);
    assert_int_equal(em_probe(NULL, 0, em_in(EM_SEC(20)), &err), 0);
}

static void end_server(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0); /* or em_wait has it already */
}

/* Without a body. */
static int http_get(const char *url, em_time until, int *status, struct em_err *err)
{
    static const struct em_http_how how = {.redirects = 0};
    struct em_http_url parsed;
    struct em_http answer;
    em_http_start(&answer, EM_HTTP_HEAD_MAX, 0);
    int code = em_http_url_parse(&parsed, url, err);
    if (code == 0)
        code = em_http_ask(&parsed, &how, until, &answer, err);
    if (code == 0)
        *status = answer.status;
    em_http_free(&answer);
    em_http_url_free(&parsed);
    return code;
}

static void test_http(void **state)
{
    static const struct {
        const char *answer;
        int code, status;
        const char *text;
    } samples[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, 200, ""},
        {"HTTP/1.0 503 Busy\r\n\r\n", 0, 503, ""},
        {"SSH-2.0-OpenSSH\r\n", EM_EXIT_UNREACHABLE, 0,
         ": the answer is not HTTP/1 (it starts with \"SSH-2.0-OpenSSH"},
        {"HTTP/1.1 200 OK\r\nX:", EM_EXIT_UNREACHABLE, 0,
         ": the answer ends before its header is complete"},
        {"", EM_EXIT_UNREACHABLE, 0, ": the answer is empty"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char port[8], url[64];
        int status = 0;
        EM_ERR_AUTO err = EM_ERR_INIT;
        pid_t server = serve(samples[i].answer, port);
        snprintf(url, sizeof url, "http://127.0.0.1:%s/health?token=geheim", port);
        assert_int_equal(http_get(url, em_in(EM_SEC(10)), &status, &err), samples[i].code);
        end_server(server);
        assert_int_equal(status, samples[i].status);
        if (!strstr(em_str_c(&err.text), samples[i].text))
            fail_msg("%s", em_str_c(&err.text));
        assert_null(strstr(em_str_c(&err.text), "geheim"));
    }
}

static void test_http_body(void **state)
{
    char port[8], url[64];
    struct em_http_url parsed;
    struct em_http answer;
    EM_ERR_AUTO err = EM_ERR_INIT;
    pid_t server = serve(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        port);
    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%s", port);
    assert_int_equal(em_http_url_parse(&parsed, url, &err), 0);
    static const struct em_http_how how = {.redirects = 0};
    em_http_start(&answer, EM_HTTP_HEAD_MAX, 100);
    assert_int_equal(em_http_ask(&parsed, &how, em_in(EM_SEC(10)), &answer, &err), 0);
    end_server(server);
    assert_string_equal(em_str_c(&answer.body), "hello");
    em_http_free(&answer);
    em_http_url_free(&parsed);
}

/* Once a signal asked to end, nothing waits any more. It stays so for the process: the last test.
 */
static void test_a_stop_signal_ends_everything(void **state)
{
    EM_LIST_AUTO found = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    int fd = -1, status = 0;
    (void)state;
    kill(getpid(), SIGTERM);
    assert_int_equal(em_wait_fd(-1, 0, EM_NEVER), EM_WAKE_SIGNAL);
    em_time start = em_now();
    assert_int_equal(em_resolve("localhost", EM_NEVER, &found, &err), 128 + SIGTERM);
    assert_int_equal(em_connect_tcp("127.0.0.1", "1", EM_NEVER, &fd, &err), 128 + SIGTERM);
    assert_int_equal(em_connect_unix("/nowhere", EM_NEVER, &fd, &err), 128 + SIGTERM);
    assert_int_equal(http_get("http://localhost/", EM_NEVER, &status, &err), 128 + SIGTERM);
    assert_string_equal(em_str_c(&err.text), "stopped by SIGTERM");
    assert_true(em_now() - start < EM_SEC(5));
    assert_no_children();
}

static int set_up(void **state)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    (void)state;
    return mkdtemp(folder) && em_loop_start(&err) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"socket", "dead",        "file",      "full",
                                        "probe",  "probe-stale", "probe-full"};
    char path[64];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numeric_addresses),
        cmocka_unit_test(test_localhost),
        cmocka_unit_test(test_no_time_for_a_name),
        cmocka_unit_test(test_tcp_connects),
        cmocka_unit_test(test_tcp_refused),
        cmocka_unit_test(test_tcp_silence_ends_at_the_deadline),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_unix_full_backlog_ends_at_the_deadline),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_probe_of_a_long_path),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_http_body),
        cmocka_unit_test(test_a_stop_signal_ends_everything),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
