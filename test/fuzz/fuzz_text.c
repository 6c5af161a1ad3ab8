/* What peers, children, files and people say in one text each: HTTP answers, URLs, configurations, first lines of scripts, messages of libpq,
 * answers of interpreters, the last start's report, rows as XML, what is hidden and escaped. The first byte chooses; see parts[] below.
 *
 * Beside not crashing: a secret of the set is in nothing that was redacted, however the text came; nothing that a terminal would obey is in what
 * was escaped; a parser that takes its bytes in pieces tells the same of all of them at once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/postgres/message.h"
#include "embark/core/config/dir_rule.h"
#include "embark/core/config/infer.h"
#include "embark/core/config/parse.h"
#include "embark/core/config/remap_exit.h"
#include "embark/core/config/remap_signal.h"
#include "embark/core/executable/shebang.h"
#include "embark/core/languages/java/class_path.h"
#include "embark/core/languages/java/inflate.h"
#include "embark/core/languages/python/lookup.h"
#include "embark/core/net/endpoint.h"
#include "embark/core/net/http.h"
#include "embark/core/postgres/options.h"
#include "embark/core/postgres/sqlstate.h"
#include "embark/core/postgres/xml_rows.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/core/redact/redactor.h"
#include "embark/core/redact/secret_sources.h"
#include "embark/core/report/last_start.h"
#include "embark/core/url/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
    if (!what)
        abort();
}

static void http(const char *bytes, size_t length)
{
    struct em_http all, pieces;

    em_http_start(&all, 4096, 512);
    em_http_start(&pieces, 4096, 512);
    em_http_feed(&all, bytes, length);
    for (size_t i = 0; i < length; i++)
        em_http_feed(&pieces, bytes + i, 1);
    must(all.phase == pieces.phase && all.body.len <= 512);
    em_http_end(&all);
    em_http_end(&pieces);
    must(all.phase == pieces.phase && (all.phase == EM_HTTP_BAD) == (all.wrong != NULL));
    must(all.phase != EM_HTTP_DONE || (all.status == pieces.status && all.status >= 100 && all.status <= 999));
    em_http_free(&all);
    em_http_free(&pieces);
}

static void endpoint(const char *text)
{
    struct em_http_url url = {0};
    struct em_str host = EM_STR_INIT, port = EM_STR_INIT, request = EM_STR_INIT;
    struct em_err err = EM_ERR_INIT;

    char *headers[] = {(char *)(em_http_is_header(text) ? text : "X: y"), NULL};
    const struct em_http_request with = {.headers = headers, .n = 1};
    if (em_http_url_parse(&url, text, &err) == 0 || em_http_is_header(text)) {
        if (!url.target) {
            em_http_url_free(&url);
            em_http_url_parse(&url, "http://api/x", &err);
        }
        em_http_request_print(&url, &with, &request);
        /* One request, whatever the URL holds. */
        must(!strstr(em_str_c(&request), "\r\n\r\n") || strstr(em_str_c(&request), "\r\n\r\n")[4] == '\0');
    }
    em_str_cut(&request, 0);
    em_http_url_free(&url);
    em_http_url_parse(&url, "http://api:8000/a/b?c", &err);
    em_http_url_join(&url, text, &request);
    em_http_url_free(&url);
    em_host_port(text, &host, &port);
    em_str_free(&host);
    em_str_free(&port);
    em_str_free(&request);
    em_err_free(&err);
}

static bool known(const char *keyword)
{
    return strcmp(keyword, "application_name") == 0 || strcmp(keyword, "sslmode") == 0;
}

/* A URL that was understood is understood again when it is printed, as the same. */
static void url(const char *text)
{
    struct em_url first = EM_URL_INIT, second = EM_URL_INIT;
    struct em_str printed = EM_STR_INIT, again = EM_STR_INIT;
    struct em_err err = EM_ERR_INIT;

    if (em_url_parse(&first, text, known, &err) == 0) {
        em_url_print(&first, true, &printed);
        must(em_url_parse(&second, em_str_c(&printed), known, &err) == 0);
        em_url_print(&second, true, &again);
        must(strcmp(em_str_c(&printed), em_str_c(&again)) == 0);
    }
    em_str_cut(&again, 0);
    em_str_puts(&again, text);
    em_url_complete(&again, "us er", "p@ss/w%rd");
    em_str_free(&printed);
    em_str_free(&again);
    em_url_free(&first);
    em_url_free(&second);
    em_err_free(&err);
}

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'E' ? NULL : name[0] == 'A' ? "value" : name[0] == 'B' ? "" : NULL;
}

static bool read_file(void *ctx, const char *path, struct em_str *out, struct em_str *why)
{
    (void)ctx;
    em_str_puts(strlen(path) % 2 ? out : why, "text\n");
    return strlen(path) % 2;
}

static void config(const char *bytes, size_t length)
{
    struct em_config c = {0};
    struct em_config_source world = {.env = env, .read_file = read_file};
    struct em_secrets secrets = EM_SECRETS_INIT;
    struct em_errs errs = EM_ERRS_INIT, warnings = EM_ERRS_INIT;

    must(em_config_parse(&c, "embark.ini", bytes, length, &world, &secrets, &errs, &warnings) == (errs.n == 0));
    must(errs.n <= EM_CONFIG_MISTAKES + 2);
    em_config_free(&c);
    em_secrets_free(&secrets);
    em_errs_free(&errs);
    em_errs_free(&warnings);
}

static void small_texts(const char *text)
{
    struct em_dir_rule rule = {0};
    struct em_remap_exit map;
    struct em_remap_signal signals;
    struct em_str out = EM_STR_INIT;
    struct em_list list = EM_LIST_INIT;
    struct em_err err = EM_ERR_INIT;

    em_dir_rule_read(text, &rule, &err);
    em_dir_rule_free(&rule);
    em_remap_exit_init(&map);
    em_remap_exit_add(&map, text);
    em_remap_signal_init(&signals);
    em_remap_signal_add(&signals, text);
    em_pg_options_get(text, "search_path", &out);
    em_pg_options_plain(text);
    em_infer_script_location(text, &out);
    em_infer_gems(text, &list);
    em_java_path_split(text, &list);
    em_java_manifest_read(text, strlen(text), &list);
    em_java_class_file(text, &out);
    em_list_free(&list);
    em_str_free(&out);
    em_err_free(&err);
}

static void shebang(const char *bytes, size_t length)
{
    struct em_shebang s;

    if (em_shebang_read(bytes, length, &s) == EM_SHEBANG_OK)
        must(s.interpreter && *s.interpreter && s.program);
    em_shebang_free(&s);
}

static void message(const char *text)
{
    struct em_span rest = em_span(text);
    struct em_attempt a;
    struct em_str brief = EM_STR_INIT;
    char state[6];

    for (size_t left = rest.len + 1; em_attempt_take(&rest, &a); left = rest.len) {
        must(rest.len < left);
        em_attempt_state(&a, state);
    }
    if (em_sqlstate_find(text, state))
        must(strlen(state) == 5);
    em_sqlstate_class(em_sqlstate_find(text, state) ? state : "", text);
    em_sqlstate_brief(text, &brief);
    em_str_free(&brief);
}

static void lookup(const char *bytes, size_t length)
{
    struct em_python_lookup answer;

    em_python_lookup_read(&answer, bytes, length);
    for (size_t i = 0; i < answer.count; i++) {
        struct em_err err = EM_ERR_INIT;

        em_python_lookup_explain(&answer, &answer.names[i], "python", NULL, &err);
        em_err_free(&err);
    }
    em_python_lookup_free(&answer);
}

/* A report that was read is written as it was. */
static void last_start(const char *bytes, size_t length)
{
    struct em_last_start start;
    struct em_str text = EM_STR_INIT;
    uint64_t started;
    int64_t parent;

    if (em_last_start_parse(&start, bytes, length)) {
        struct em_last_start again;

        em_last_start_print(&start, &text);
        must(em_last_start_parse(&again, em_str_c(&text), text.len));
        must(again.log.len == start.log.len && again.code == start.code && again.executed == start.executed);
        em_last_start_free(&again);
    }
    em_last_start_free(&start);
    em_str_cut(&text, 0);
    em_str_add(&text, bytes, length);
    em_stat_parse(em_str_c(&text), &parent, &started);
    em_str_free(&text);
}

static void rows(const char *text)
{
    struct em_str value = EM_STR_INIT, bytes = EM_STR_INIT;
    const char *at = text;

    for (const char *next; (next = em_xml_column(at, "v", &value)) != NULL; at = next) {
        must(next > at);
        em_hex_decode(em_str_c(&value), &bytes);
        em_str_cut(&value, 0);
    }
    em_str_free(&value);
    em_str_free(&bytes);
}

static void inflate(const char *bytes, size_t length)
{
    struct em_str out = EM_STR_INIT;

    em_inflate(bytes, length, 65536, &out);
    must(out.len <= 65536);
    em_str_free(&out);
}

static const char secret[] = "Tr0ub'4d&or";

/* Some bytes stand for the secret, or for its parts. */
static void put_secret(const char *bytes, size_t length, struct em_str *text)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)bytes[i] == 0xF8)
            em_str_puts(text, secret);
        else if ((unsigned char)bytes[i] == 0xF9)
            em_str_puts(text, "Tr0u%62%274d&amp;or password='Tr0ub");
        else
            em_str_putc(text, bytes[i]);
    }
}

static void must_be_hidden(const struct em_str *text)
{
    must(!text->len || !memmem(text->data, text->len, secret, strlen(secret)));
}

static void hidden(const char *bytes, size_t length)
{
    struct em_secrets secrets = EM_SECRETS_INIT;
    struct em_redactor r = EM_REDACTOR_INIT;
    struct em_str text = EM_STR_INIT, whole = EM_STR_INIT, out = EM_STR_INIT;
    size_t piece = length ? (unsigned char)bytes[0] % 40 + 1 : 1;

    em_secrets_add(&secrets, secret);
    put_secret(bytes, length, &text);
    for (size_t i = 0; i < text.len; i += piece) {
        em_redactor_add(&r, text.data + i, text.len - i < piece ? text.len - i : piece);
        if (i % 3)
            em_redactor_lines(&r, &secrets, &out);
        else
            em_redactor_pause(&r, &secrets, &out);
        must_be_hidden(&out);
    }
    em_redactor_end(&r, &secrets, &out);
    must_be_hidden(&out);
    em_str_add(&whole, em_str_c(&text), text.len);
    em_redact(&secrets, &whole);
    must_be_hidden(&whole);
    em_redactor_free(&r);
    em_str_free(&text);
    em_str_free(&whole);
    em_str_free(&out);
    em_secrets_free(&secrets);
}

static void must_be_plain(const struct em_str *text, bool lines)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];

        must(c >= ' ' && c != 0x7F ? true : lines && (c == '\n' || c == '\t' || c == '\x1b'));
        must(c != '\x1b' || text->data[i + 1] == '[');
    }
}

static void escaped(const char *bytes, size_t length)
{
    struct em_str once = EM_STR_INIT, pieces = EM_STR_INIT, whole = EM_STR_INIT;
    bool coloured = false;
    size_t from = 0;

    em_escape(&once, bytes, length);
    must_be_plain(&once, false);
    must(em_escape_output(&whole, bytes, length, &coloured, false) == length && !coloured);
    for (size_t to = 0; to < length; to++)
        from += em_escape_output(&pieces, bytes + from, to + 1 - from, &coloured, true);
    em_escape_output(&pieces, bytes + from, length - from, &coloured, false);
    must_be_plain(&whole, true);
    must(whole.len == pieces.len && strcmp(em_str_c(&whole), em_str_c(&pieces)) == 0);
    em_str_free(&once);
    em_str_free(&pieces);
    em_str_free(&whole);
}

static void command(const char *bytes, size_t length)
{
    struct em_secrets secrets = EM_SECRETS_INIT;
    struct em_list words = EM_LIST_INIT;
    struct em_str shown = EM_STR_INIT;

    for (size_t i = 0; i < length;) {
        size_t n = strnlen(bytes + i, length - i);

        em_list_take(&words, em_strndup(bytes + i, n));
        em_secrets_of_pair(words.v[words.n - 1], &secrets);
        i += n + 1;
    }
    em_secrets_of_command(words.v, &secrets);
    em_command_print(words.v, length % 2, &shown);
    em_list_free(&words);
    em_secrets_free(&secrets);
    em_str_free(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(const char *, size_t) = {http,     config, shebang, lookup, last_start,
                                                          inflate,  hidden, escaped, command};
    static void (*const texts[])(const char *) = {endpoint, url, small_texts, message, rows};
    enum { PARTS = sizeof parts / sizeof *parts, TEXTS = sizeof texts / sizeof *texts };
    size_t which;

    if (size < 1 || size > 16384)
        return 0;
    which = data[0] % (PARTS + TEXTS);
    /* Copies without a byte behind them, so that reading one too many shows. */
    char *bytes = malloc(size);
    memcpy(bytes, data + 1, size - 1);
    bytes[size - 1] = '\0';
    if (which >= PARTS) {
        texts[which - PARTS](bytes);
    } else {
        char *exact = malloc(size > 1 ? size - 1 : 1);
        memcpy(exact, bytes, size - 1);
        parts[which](exact, size - 1);
        free(exact);
    }
    free(bytes);
    return 0;
}
